"""Messages of every channel go through the one ledger: policy, render, hand over, once."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience import services as audience
from audience.models import Consent, Contact, Device, IngestBatch, Suppression
from common import clock
from common.errors import Invalid
from delivery import services
from delivery.models import Attempt, Content, InboxMessage, Message, Provider
from delivery.tests.fake_http import KINDS, FakeServer, _fcm_error, browser_keys
from delivery.tests.making import contact, queue, send

FIELDS: dict[str, dict[str, Any]] = {
    "sms": {"text": "Hi {{ contact.first_name }}"},
    "push": {"title": "Hi {{ contact.first_name }}", "body": "News", "url": "https://shop.example/{{ contact.id }}"},
    "in_app": {"placement": "banner", "title": "Hi {{ contact.first_name }}", "days": 3},
    "slack": {"text": "{{ contact.name }} signed up"},
    "webhook": {"type": "contact.vip", "data": {"who": {"name": "{{ contact.name }}"}, "n": 3}},
}


def account(name: str, server: FakeServer) -> Provider:
    kind = KINDS[name]
    server.say = kind.good
    return services.save_provider(Provider(channel=kind.channel, kind=kind.name, name=name), kind.values(server.url))


def words(channel: str, kind: str = "transactional", **fields: Any) -> Content:
    return services.publish_message("Test", kind, channel, FIELDS[channel] | fields, {})


def person(**more: Any) -> Contact:
    return contact("ada@example.com", phone="+44 7700 900123", **more)


def browser(owner: Contact, server: FakeServer, name: str = "abc") -> Device:
    return audience.register_device(owner, "web_push", f"{server.url}/push/{name}", keys=browser_keys())


def status(message: Message) -> tuple[str, str]:
    message.refresh_from_db()
    return message.status, message.reason


@pytest.mark.parametrize("name", ["twilio", "http_text", "web_push", "slack by token", "webhook"])
def test_a_message_of_each_channel_leaves_once_and_becomes_an_event(
    organization: Organization, server: FakeServer, name: str
) -> None:
    account(name, server)
    kind, ada = KINDS[name], person()
    if kind.channel == "push":
        browser(ada, server)
    (message,) = queue(ada, made=words(kind.channel))
    send(organization)
    send(organization)

    assert status(message) == ("sent", "")
    assert len(server.messages()) == 1
    if name != "webhook":
        assert message.provider_message_id == kind.provider_id
    assert f"{kind.channel}_sent".encode() in bytes(IngestBatch.objects.get().body)


@pytest.mark.parametrize("name", ["twilio", "web_push", "slack by token", "http_text"])
def test_a_time_out_after_accepting_leaves_it_uncertain_and_sends_nothing_again(
    organization: Organization, server: FakeServer, name: str
) -> None:
    account(name, server)
    ada = person()
    browser(ada, server)
    server.say = "hang"
    (message,) = queue(ada, made=words(KINDS[name].channel))
    send(organization)
    with clock.travel(timedelta(days=1)):
        send(organization)

    assert status(message)[0] == "uncertain"
    assert len(server.messages()) == 1


def test_a_webhook_nobody_answered_is_asked_again_under_the_same_id(
    organization: Organization, server: FakeServer
) -> None:
    account("webhook", server)
    server.say = "drop"
    (message,) = queue(person(), made=words("webhook"))
    send(organization)
    assert status(message)[0] == "queued"
    server.say = KINDS["webhook"].good
    with clock.travel(timedelta(minutes=1)):
        send(organization)

    assert status(message) == ("sent", "")
    first, second = server.messages()
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == message.provider_message_id
    assert first.json == second.json


def test_without_an_account_messages_wait_and_other_channels_go(
    organization: Organization, server: FakeServer
) -> None:
    ada = person()
    (text,) = queue(ada, made=words("sms"), key="sms")
    (banner,) = queue(ada, made=words("in_app"), key="in_app")
    send(organization)

    assert (status(text)[0], status(banner)[0]) == ("queued", "sent")
    account("twilio", server)
    send(organization)
    assert status(text) == ("sent", "")


def test_an_in_app_message_stands_in_the_inbox_until_its_day(organization: Organization, noon: Any) -> None:
    ada = person()
    (message,) = queue(ada, made=words("in_app", "marketing"))
    send(organization)

    row = InboxMessage.objects.get()
    assert (row.contact_id, row.message_id, row.placement, row.title) == (ada.pk, message.pk, "banner", "Hi Ada")
    assert row.expires_at == clock.now() + timedelta(days=3)


def test_push_reaches_every_device_and_forgets_the_dead_ones(organization: Organization, server: FakeServer) -> None:
    account("web_push", server)
    account("fcm", server)
    server.say = KINDS["web_push"].good
    server.routes["/v1/projects/acme/messages:send"] = lambda asked: _fcm_error(404, "UNREGISTERED")
    ada = person()
    here, there = browser(ada, server), browser(ada, server, "def")
    app = audience.register_device(ada, "fcm", "token-1", platform="Android")
    (message,) = queue(ada, made=words("push"))
    send(organization)

    assert status(message) == ("sent", "")
    assert sorted(each.path for each in server.messages()) == ["/push/abc", "/push/def"]
    assert set(Device.objects.values_list("pk", flat=True)) == {here.pk, there.pk}
    assert sorted(Attempt.objects.values_list("device", "outcome")) == sorted(
        [(f"device {here.pk}", "sent"), (f"device {there.pk}", "sent"), (f"device {app.pk}", "failed")]
    )
    assert not Suppression.objects.exists()


def test_when_the_last_device_is_gone_the_message_fails_and_the_next_is_refused(
    organization: Organization, server: FakeServer
) -> None:
    account("web_push", server)
    server.say = (410, {}, b"gone")
    ada = person()
    browser(ada, server)
    made = words("push")
    (message,) = queue(ada, made=made)
    send(organization)
    (later,) = queue(ada, made=made, key="later")
    send(organization)

    assert status(message) == ("failed", "410 gone")
    assert status(later) == ("refused", "The contact has no device that takes push messages.")
    assert not Device.objects.exists()


def test_a_push_service_that_rests_does_not_stop_the_other(organization: Organization, server: FakeServer) -> None:
    account("web_push", server)
    paused = account("fcm", server)
    server.say = KINDS["web_push"].good
    services.pause_provider(paused, "Later.")
    ada, bob = person(), contact("bob@example.com")
    browser(ada, server)
    audience.register_device(bob, "fcm", "token-2")
    first, second = queue(ada, bob, made=words("push"))
    send(organization)

    assert status(first) == ("sent", "")
    assert status(second) == ("queued", "fcm rests or is paused.")
    server.say = KINDS["fcm"].good
    services.resume_provider(paused)
    with clock.travel(timedelta(minutes=2)):
        send(organization)
    assert status(second) == ("sent", "")


@pytest.mark.parametrize(
    ("channel", "number", "reason"),
    [
        ("sms", "", "The contact has no usable phone number."),
        ("sms", "12345", "The contact has no usable phone number."),
        ("push", "", "The contact has no device that takes push messages."),
    ],
)
def test_without_an_address_a_message_is_refused(
    organization: Organization, server: FakeServer, channel: str, number: str, reason: str
) -> None:
    account("twilio", server)
    account("web_push", server)
    (message,) = queue(contact(phone=number), made=words(channel))
    send(organization)

    assert status(message) == ("refused", reason)
    assert server.asked == []


def test_consent_to_e_mail_is_none_to_sms(organization: Organization, server: FakeServer) -> None:
    account("twilio", server)
    ada = person()
    made = words("sms", "marketing")
    (message,) = queue(ada, made=made)
    send(organization)
    assert status(message)[0] == "refused"
    Consent.objects.create(contact=ada, channel="sms", state="granted", how="test")
    (message,) = queue(ada, made=made, key="again")
    send(organization)
    assert status(message) == ("sent", "")
    assert "Reply+STOP+to+opt+out." in server.messages()[0].body.decode()


def test_a_number_that_is_dead_is_suppressed(organization: Organization, server: FakeServer) -> None:
    account("twilio", server)
    assert KINDS["twilio"].dead is not None
    server.say = KINDS["twilio"].dead
    made, ada = words("sms"), person()
    (message,) = queue(ada, made=made)
    (other,) = queue(contact("b@example.com"), made=made, key="x")
    send(organization)

    assert status(message)[0] == "failed"
    assert list(Suppression.objects.values_list("channel", "address")) == [("sms", "+447700900123")]
    assert status(other)[0] == "refused"


def test_marketing_by_slack_is_refused_and_so_is_a_hostile_template(organization: Organization) -> None:
    with pytest.raises(Invalid, match="tells colleagues or systems"):
        words("slack", "marketing")
    for fields in ({"text": "{{ ''.__class__ }}"}, {"text": "{{ nobody }}"}, {"text": ""}, {"text": "x" * 5000}):
        with pytest.raises(Invalid) as caught:
            words("slack", **fields)
        assert set(caught.value.details) == {"text"}
    with pytest.raises(Invalid) as caught:
        words("push", url="javascript:alert(1)")
    assert set(caught.value.details) == {"url"}
    assert not Content.objects.exists()


def test_a_name_with_quotes_stays_inside_its_text(organization: Organization, server: FakeServer) -> None:
    account("webhook", server)
    queue(person(name='", "admin": true, "x": "'), made=words("webhook"))
    send(organization)

    (asked,) = server.messages()
    assert asked.json["data"] == {"who": {"name": '", "admin": true, "x": "'}, "n": 3}


def test_a_tap_on_a_push_message_comes_back_as_its_own_event(organization: Organization, server: FakeServer) -> None:
    import http_ece
    from django.test import Client

    from common import doorbell
    from delivery.models import Engagement
    from delivery.tests.fake_http import BROWSER_KEY, BROWSER_SECRET

    account("web_push", server)
    ada = person()
    browser(ada, server)
    (message,) = queue(ada, made=words("push"), utm_campaign="june")
    send(organization)
    sealed = server.messages()[0].body
    shown = http_ece.decrypt(sealed, private_key=BROWSER_KEY, auth_secret=BROWSER_SECRET, version="aes128gcm")
    url = json.loads(shown)["url"]
    answer = Client().get(url[url.index("/t/c/") :], headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64)"})

    expected = f"https://shop.example/{ada.pk}?utm_source=groundswell&utm_medium=push&utm_campaign=june"
    assert (answer.status_code, answer["Location"]) == (302, expected)
    doorbell.drain(organization.pk)
    assert Engagement.objects.get(kind="click").message_id == message.pk
