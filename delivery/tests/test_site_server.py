"""The mail server of EMAIL_URL pauses by itself as accounts do, in each organisation by what happened there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import AuditEntry, Member, Organization
from common import clock, tenancy
from common.errors import Invalid
from dashboards import health
from delivery import services
from delivery.models import Message, Provider
from delivery.services import outgoing
from delivery.tests.making import Sink, contact, listening, queue, send

FULL = "452 4.3.1 no space"


def people(count: int) -> list[Any]:
    return [contact(f"p{number}@example.com") for number in range(count)]


def refuse(sink: Sink, answer: str = FULL) -> None:
    sink.answers["RCPT"] = lambda address, envelope: answer


def paused(organization: Organization, sink: Sink, count: int = 120) -> Provider:
    refuse(sink)
    queue(*people(count))
    send(organization)
    return Provider.objects.get()


def test_errors_over_the_threshold_pause_it_with_the_server_s_words(organization: Organization, sink: Sink) -> None:
    row = paused(organization, sink)

    assert (row.kind, row.name, row.channel) == ("site", "Mail server of this site", "email")
    assert row.paused_because == "errors"
    assert row.paused_reason == f"40 of the last 40 messages were not taken. The last answer: {FULL}"
    assert row.probe_at == clock.now() + timedelta(minutes=5)
    assert Message.objects.filter(status="queued", attempts=1).count() == 50  # a flight, and no more
    assert Message.objects.filter(status="queued", attempts=0).count() == 70
    pause = AuditEntry.objects.get(object_type="delivery.provider", action="pause")
    assert (pause.actor, pause.after["paused_reason"]) == ("the send loop", row.paused_reason)
    check = next(each for each in health.machinery() if each.title == "Providers")
    assert (check.status, check.measured) == ("critical", f"{row.name}: {row.paused_reason}")


def test_one_message_tries_it_again_and_then_the_rest_goes(organization: Organization, sink: Sink) -> None:
    row = paused(organization, sink)
    with clock.travel(timedelta(minutes=4)):
        assert send(organization) == 0
    with clock.travel(timedelta(minutes=6)):
        send(organization)
        row.refresh_from_db()
        assert row.paused_reason == f"Mail server of this site still fails: {FULL}"
    sink.answers.clear()
    with clock.travel(timedelta(minutes=17)):
        send(organization)
        row.refresh_from_db()
        assert (row.paused_at, row.pause_count) == (None, 0)
        send(organization)
    assert sorted(sink.recipients) == sorted(f"p{number}@example.com" for number in range(120))
    assert set(Message.objects.values_list("status", flat=True)) == {"sent"}


def test_a_server_that_nobody_answers_at_is_paused_and_costs_no_message_a_try(
    organization: Organization, sink: Sink, settings: Any
) -> None:
    settings.EMAIL_URL = "smtp://127.0.0.1:9"
    queue(*people(3))
    for minutes in range(1, 6):
        with clock.travel(timedelta(minutes=minutes)):
            outgoing.reset()
            send(organization)
    row = Provider.objects.get()
    assert row.paused_reason.startswith("the mail server cannot be reached. 127.0.0.1:9: ")
    assert set(Message.objects.values_list("status", "attempts")) == {("queued", 0)}


def test_what_happens_to_one_organisation_pauses_no_other(
    organization: Organization, stranger: Organization, sink: Sink
) -> None:
    paused(organization, sink)
    sink.answers.clear()
    with tenancy.organization(stranger.pk):
        queue(*people(3))
        send(stranger)
        assert not Provider.objects.exists()
        assert set(Message.objects.values_list("status", flat=True)) == {"sent"}


def test_it_is_seen_and_resumed_where_accounts_are(
    organization: Organization, sink: Sink, owner: Member, client: Client
) -> None:
    row = paused(organization, sink)
    sink.answers.clear()
    client.force_login(owner.user)
    listed = client.get(reverse("admin:delivery_provider_changelist"))
    page = client.get(reverse("admin:delivery_provider_change", args=[row.pk]))
    for each in (listed, page):
        assert f"Paused: {row.paused_reason}" in each.content.decode()
    client.post(reverse("admin:delivery_provider_act", args=[row.pk, "resume"]))
    row.refresh_from_db()
    assert row.paused_at is None
    send(organization)
    with clock.travel(timedelta(minutes=5)):  # those that were refused once
        send(organization)
    assert len(sink.recipients) == len(set(sink.recipients)) == 120

    form = {"name": "Our Postfix", "channel": "email", "is_active": "on"}
    saved = client.post(reverse("admin:delivery_provider_change", args=[row.pk]), form)
    assert saved.status_code == 302
    assert Provider.objects.get().name == "Our Postfix"


def test_an_account_of_their_own_takes_over_from_it_by_itself(organization: Organization, sink: Sink) -> None:
    site = paused(organization, sink, 60)
    services.save_provider(site, {})
    assert Provider.objects.get().is_default
    own = Sink()
    with listening(own) as port:
        row = Provider(channel="email", kind="smtp", name="Own")
        services.save_provider(row, {"host": "127.0.0.1", "tls": "none", "port": port})
        assert row.is_default
        with clock.travel(timedelta(minutes=1)):
            send(organization)
    assert len(set(own.recipients)) == 60
    services.delete_provider(row)
    queue(contact("later@example.com"))
    assert send(organization) == 0  # it is paused still


def test_a_try_reaches_the_built_in_mailbox_as_a_mail_of_the_organisation(
    organization: Organization, stranger: Organization, sink: Sink, settings: Any
) -> None:
    row = paused(organization, sink, 60)
    sink.answers.clear()
    settings.EMAIL_URL, settings.MAILBOX_PORT = "", int(settings.EMAIL_URL.rpartition(":")[2])
    outcome = services.try_provider(row, "olga@acme.example")
    assert outcome.kind.value == "sent"
    assert [mail["X-Groundswell-Organization"] for mail in sink.mails] == [str(organization.pk)]


@pytest.mark.parametrize(("kind", "name"), [("site", "Another"), ("smtp", "Mail server of this site")])
def test_nobody_can_make_it_or_take_its_name(organization: Organization, kind: str, name: str) -> None:
    with pytest.raises(Invalid):
        services.save_provider(Provider(channel="email", kind=kind, name=name), {})
    assert not Provider.objects.exists()
