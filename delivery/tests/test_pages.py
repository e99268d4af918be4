"""The mailbox, the ledger in the admin, and the API of messages."""

from __future__ import annotations

import smtplib
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Organization
from common import tenancy
from delivery import services
from delivery.domain import mime
from delivery.models import DeliveryPolicy, MailboxMessage, Message, Sender
from delivery.services import mailbox
from delivery.tests.making import Listener, Sink, contact, content, queue, send
from delivery.tests.test_mime import letter


def kept(organization: Organization, **changes: Any) -> MailboxMessage:
    headers = ((mailbox.ORGANIZATION_HEADER, str(organization.pk)),)
    assert mailbox.take("hello@acme.example", ["ada@example.com"], mime.build(letter(headers=headers, **changes)))
    with tenancy.organization(organization.pk):
        return MailboxMessage.objects.latest("pk")


def test_mail_is_filed_by_organisation_and_nobody_elses_is_seen(
    organization: Organization, stranger: Organization, admin: Any
) -> None:
    ours, theirs = kept(organization, subject="Ours"), kept(stranger, subject="Theirs")

    page = admin.get("/mailbox/").content.decode()
    assert "Ours" in page and "Theirs" not in page
    assert admin.get(f"/mailbox/{ours.pk}/").status_code == 200
    assert admin.get(f"/mailbox/{theirs.pk}/").status_code == 404
    assert admin.get(f"/mailbox/{theirs.pk}/source/").status_code == 404


def test_mail_that_names_no_organisation_is_refused_when_there_are_several(
    organization: Organization, stranger: Organization
) -> None:
    assert mailbox.take("a@b.example", ["c@d.example"], mime.build(letter())) is False
    assert not MailboxMessage.objects.exists()


def test_a_mail_is_shown_as_text_only_to_the_page_around_it(organization: Organization, admin: Any) -> None:
    html = "<script>alert(1)</script><p>Hi <a href='https://x.example/?a=1&amp;b=2'>go</a></p>"
    mail = kept(organization, subject="<b>Bold</b>", html=html, text="Plain & simple")

    page = admin.get(f"/mailbox/{mail.pk}/").content.decode()

    assert "<script>alert(1)" not in page and "&lt;script&gt;alert(1)" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "&lt;b&gt;Bold&lt;/b&gt;" in page and "Plain &amp; simple" in page
    assert 'href="https://x.example/?a=1&amp;b=2"' in page
    source = admin.get(f"/mailbox/{mail.pk}/source/")
    assert source.content == bytes(mail.body)
    assert source["Content-Disposition"].startswith("attachment")


def test_a_mail_in_the_mailbox_lists_the_links_of_people_and_not_the_one_for_machines(
    organization: Organization, admin: Any
) -> None:
    html = '<a href="http://127.0.0.1/t/n/abc">.</a> <a href="http://127.0.0.1/t/c/def">Shop</a>'
    mail = kept(organization, html=html)

    content = admin.get(f"/mailbox/{mail.pk}/").content.decode()

    assert '<li><a href="http://127.0.0.1/t/c/def"' in content
    assert '<li><a href="http://127.0.0.1/t/n/abc"' not in content


def test_the_mailbox_is_searched_and_paged(organization: Organization, admin: Any) -> None:
    for number in range(52):
        kept(organization, subject=f"Letter {number:02}")

    first = admin.get("/mailbox/").content.decode()
    assert "Letter 51" in first and "Letter 01" not in first
    oldest = MailboxMessage.objects.order_by("-pk")[49].pk
    second = admin.get(f"/mailbox/?before={oldest}").content.decode()
    assert "Letter 01" in second and "Letter 51" not in second
    found = admin.get("/mailbox/?q=letter 07").content.decode()
    assert "Letter 07" in found and "Letter 08" not in found
    assert "No mail to or about" in admin.get("/mailbox/?q=%00nothing'\"<").content.decode()


def test_an_empty_mailbox_says_what_to_do(organization: Organization, admin: Any) -> None:
    assert "No mail yet" in admin.get("/mailbox/").content.decode()


def test_only_the_newest_mails_are_kept(organization: Organization, stranger: Organization) -> None:
    mails = [kept(organization) for _ in range(5)]
    kept(stranger)

    assert mailbox.trim(3) == 2
    assert set(MailboxMessage.objects.values_list("pk", flat=True)) == {mail.pk for mail in mails[2:]}
    with tenancy.organization(stranger.pk):
        assert MailboxMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_sent_to_the_mailbox_is_read_there(settings: Any, organization: Organization, noon: Any) -> None:
    from delivery.management.commands.run_mailbox import Handler
    from delivery.services import outgoing

    controller = Listener(Handler(), enable_SMTPUTF8=True)
    settings.EMAIL_URL, settings.MAILBOX_PORT = "", controller.port
    controller.start()
    try:
        outgoing.reset()
        messages = queue(contact(), contact("b@example.com"), made=content(subject="Für dich"))
        send(organization)
        with smtplib.SMTP("127.0.0.1", settings.MAILBOX_PORT) as client, pytest.raises(smtplib.SMTPDataError):
            accounts.create_organization("Second", "second")
            client.sendmail("x@y.example", ["z@y.example"], b"Subject: nobody's\r\n\r\n")
    finally:
        outgoing.reset()
        controller.stop()
        controller.handler.writer.submit(_close_connection).result()
        controller.handler.writer.shutdown()

    assert [Message.objects.get(pk=row.pk).status for row in messages] == ["sent", "sent"]
    assert set(MailboxMessage.objects.values_list("recipient", "subject")) == {
        ("ada@example.com", "Für dich"),
        ("b@example.com", "Für dich"),
    }


def _close_connection() -> None:
    from django.db import connection

    connection.close()


def test_the_ledger_shows_reasons_and_resolves_uncertain_messages(
    organization: Organization, admin: Any, sink: Sink
) -> None:
    refused, uncertain = queue(contact(agreed=False), contact("b@example.com"))
    send(organization)
    Message.objects.filter(pk=uncertain.pk).update(status="uncertain")

    page = admin.get("/admin/delivery/message/").content.decode()
    assert "The contact has not agreed to marketing e-mail." in page
    answer = admin.post(
        "/admin/delivery/message/",
        {"action": "mark_as_sent", "_selected_action": [refused.pk, uncertain.pk]},
        follow=True,
    )
    assert "1 uncertain messages are marked as sent" in answer.content.decode()
    uncertain.refresh_from_db()
    refused.refresh_from_db()
    assert (uncertain.status, refused.status) == ("sent", "refused")
    assert AuditEntry.objects.get(object_type="delivery.message").actor == "owner@acme.example"
    assert admin.get(f"/admin/delivery/message/{refused.pk}/change/").status_code == 200


def test_analysts_read_the_ledger_and_decide_nothing(organization: Organization, client: Any, sink: Sink) -> None:
    member = accounts.add_member(accounts.ensure_user("ana@acme.example"), Role.ANALYST)
    client.force_login(member.user)
    (message,) = queue(contact())
    Message.objects.update(status="uncertain")

    assert client.get("/admin/delivery/message/").status_code == 200
    client.post("/admin/delivery/message/", {"action": "send_again", "_selected_action": [message.pk]})
    message.refresh_from_db()
    assert message.status == "uncertain"
    assert client.get("/mailbox/").status_code == 200


def test_agents_have_no_business_in_the_mailbox(organization: Organization, client: Any) -> None:
    member = accounts.add_member(accounts.ensure_user("agent@acme.example"), Role.AGENT)
    client.force_login(member.user)

    assert client.get("/mailbox/").status_code == 403
    client.logout()
    assert client.get("/mailbox/").status_code == 302


@pytest.mark.parametrize("path", ["content", "sender", "deliverypolicy", "engagement"])
def test_every_list_of_the_room_opens(organization: Organization, admin: Any, path: str) -> None:
    made = content()
    assert admin.get(f"/admin/delivery/{path}/").status_code == 200
    assert admin.get(f"/admin/delivery/content/{made.pk}/change/").status_code == 200


def test_one_sender_is_the_default_and_each_change_audited(
    organization: Organization, admin: Any, sink: Sink
) -> None:
    first = services.save_sender(Sender(name="News", address="news@acme.example"))
    assert first.is_default
    admin.post("/admin/delivery/sender/add/", {"name": "Ada, CEO", "address": "ada@acme.example", "is_default": "on"})

    assert Sender.objects.get(is_default=True).address == "ada@acme.example"
    assert AuditEntry.objects.filter(object_type="delivery.sender").count() == 3
    by_default, by_name = queue(contact())[0], queue(contact("b@example.com"), sender_id=first.pk)[0]
    send(organization)
    assert {mail["From"] for mail in sink.mails} == {'"Ada, CEO" <ada@acme.example>', "News <news@acme.example>"}
    assert by_default.sender_id is None and by_name.sender_id == first.pk


@pytest.mark.parametrize("address", ["nobody", "a@b.example\r\nBcc: x@y.example", ""])
def test_a_sender_needs_a_real_address(organization: Organization, address: str) -> None:
    from common.errors import Invalid

    with pytest.raises(Invalid):
        services.save_sender(Sender(name="x", address=address))
    assert not Sender.objects.exists()


def test_limits_are_one_row_and_audited(organization: Organization, admin: Any) -> None:
    form = {"most_per_day": "1", "hours_between": "24", "quiet_from": "20:00", "quiet_until": "09:00"}
    admin.post("/admin/delivery/deliverypolicy/add/", form)

    assert DeliveryPolicy.objects.get().most_per_day == 1
    assert AuditEntry.objects.filter(object_type="delivery.deliverypolicy").count() == 1
    assert admin.get("/admin/delivery/deliverypolicy/add/").status_code == 403


def test_the_api_lists_and_reads_messages_of_its_own_organisation(
    organization: Organization, api: APIClient, stranger_api: APIClient, sink: Sink
) -> None:
    sent, refused = queue(contact(), contact("b@example.com", agreed=False))
    send(organization)

    page = api.get("/api/v1/messages/").json()
    assert [row["id"] for row in page["results"]] == sorted([sent.pk, refused.pk], reverse=True)
    only = api.get("/api/v1/messages/", {"status": "refused"}).json()["results"]
    assert [(row["contact_id"], row["reason"]) for row in only] == [
        (refused.contact_id, "The contact has not agreed to marketing e-mail.")
    ]
    assert api.get(f"/api/v1/messages/{sent.pk}/").json()["status"] == "sent"
    assert api.get("/api/v1/messages/", {"status": "nonsense"}).status_code == 400
    assert stranger_api.get("/api/v1/messages/").json()["results"] == []
    assert stranger_api.get(f"/api/v1/messages/{sent.pk}/").status_code == 404
    assert api.post("/api/v1/messages/", {}).status_code == 405
