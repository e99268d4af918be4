"""Links in texts: short, signed, counted, and credited; and clicks of every channel on their way to a touch."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import http_ece
import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Organization
from attribution.models import Credit, Touchpoint
from audience import services as audience
from audience.models import Event
from audience.services import InternalEvent
from campaigns.models import Campaign
from common import clock, doorbell
from delivery import links, services
from delivery.domain import machines, short_links
from delivery.domain.short_links import Place
from delivery.models import Engagement, InboxMessage, Message, Provider, ShortLink, Visit
from delivery.services import engagement, inbox, outgoing
from delivery.tests.fake_http import BROWSER_KEY, BROWSER_SECRET, KINDS, FakeServer
from delivery.tests.making import contact, queue, send
from delivery.tests.test_channels import account, browser, person, words

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"
TEXT = "Tea is back: https://shop.example/tea?who={{ contact.id }}. Hours: https://shop.example/hours, bye"
KEY = b"k" * 32
NUMBERS = some.integers(min_value=1, max_value=2**62)


# --- the token ---------------------------------------------------------------------------------------


@given(NUMBERS, NUMBERS, some.integers(0, 4000))
def test_a_token_says_again_what_was_packed_and_nothing_else_does(organization: int, message: int, at: int) -> None:
    place = Place(organization, message, at)
    token = short_links.make(KEY, place)

    assert re.fullmatch("[0-9a-zA-Z]+", token)
    assert short_links.read([b"x" * 32, KEY], token) == place
    assert short_links.read([b"x" * 32], token) is None
    for changed in (token[:-1], token + "0", "0" + token, token[:-1] + ("a" if token[-1] != "a" else "b")):
        assert short_links.read([KEY], changed) is None


@given(some.text(max_size=60))
def test_no_text_is_a_token(text: str) -> None:
    assert short_links.read([KEY], text) is None


@pytest.mark.parametrize(
    ("message_id", "length"), [(1, 10), (100_000, 13), (2_000_000, 13), (200_000_000, 14), (10**10, 16)]
)
def test_a_token_is_short(message_id: int, length: int) -> None:
    assert len(short_links.make(KEY, Place(7, message_id, 0))) == length


@pytest.mark.parametrize(
    ("text", "expected", "addresses"),
    [
        ("See https://a.example/b.", "See <0>.", ["https://a.example/b"]),
        ("(https://a.example/b_(c))", "(<0>)", ["https://a.example/b_(c)"]),
        ("https://a.example https://b.example https://a.example", "<0> <1> <0>", ["https://a.example", "https://b.example"]),
        ("HTTPS://A.example/?q=1&r=2!", "<0>!", ["HTTPS://A.example/?q=1&r=2"]),
        ("“https://a.example”", "“<0>”", ["https://a.example"]),
        ("Out: https://kept.example/u/1", "Out: https://kept.example/u/1", []),
        ("https:// and http://[ and ftp://a.example", "https:// and http://[ and ftp://a.example", []),
    ],
)  # fmt: skip
def test_addresses_end_where_their_sentence_goes_on(text: str, expected: str, addresses: list[str]) -> None:
    found = short_links.replaced(text, lambda place: f"<{place}>", {"https://kept.example/u/1"})

    assert found == (expected, addresses)


def test_who_taps_at_once_on_a_text_is_a_person_and_on_a_mail_is_not() -> None:
    sent_at = clock.now()
    tap = machines.Seen(machines.CLICK, sent_at + timedelta(seconds=5), PHONE, "https://a.example")

    assert machines.judge([tap], sent_at) == ["haste"]
    assert machines.judge([tap], sent_at, has_pictures=False) == [""]


# --- in messages ---------------------------------------------------------------------------------------


@pytest.fixture
def june(organization: Organization) -> Campaign:
    return Campaign.objects.create(name="June", utm_campaign="june")


def texted(organization: Organization, server: FakeServer, june: Campaign, text: str = TEXT) -> tuple[Message, str]:
    """A message that was sent, and the text as the phone shows it."""
    account("twilio", server)
    (message,) = queue(person(), made=words("sms", text=text), source_id=june.pk, utm_campaign="june")
    send(organization)
    return message, parse_qs(server.messages()[-1].body.decode())["Body"][0]


def tap(url: str) -> Any:
    path = re.sub("^https?://[^/]+", "", url)
    with clock.travel(timedelta(minutes=5)):
        return Client(HTTP_USER_AGENT=PHONE).get(path)


def drain(organization: Organization) -> None:
    with clock.travel(timedelta(minutes=6)):
        doorbell.drain(organization.pk)


def test_the_links_of_a_text_are_short_and_lead_where_they_should(
    organization: Organization, server: FakeServer, june: Campaign
) -> None:
    message, text = texted(organization, server, june)
    first, second = re.findall(r"https?://\S+/s/[0-9a-zA-Z]+", text)

    assert text == f"Tea is back: {first}. Hours: {second}, bye"
    url = f"https://shop.example/tea?who={message.contact_id}"
    answer = tap(first)
    assert (answer.status_code, answer["Location"]) == (
        302,
        f"{url}&utm_source=groundswell&utm_medium=sms&utm_campaign=june",
    )
    drain(organization)
    assert list(Engagement.objects.values_list("message_id", "kind", "url", "is_machine")) == [
        (message.pk, "click", url, False)
    ]
    message.refresh_from_db()
    assert message.clicked_at is not None


def test_a_second_try_says_the_same(organization: Organization, server: FakeServer, june: Campaign) -> None:
    account("twilio", server)
    server.say = (503, {}, b"")
    queue(person(), made=words("sms", text=TEXT), source_id=june.pk)
    send(organization)
    outgoing.reset()  # the account rests by the clock on the wall
    with clock.travel(timedelta(hours=1)):
        send(organization)

    first, second = (parse_qs(asked.body.decode())["Body"][0] for asked in server.messages())
    assert first == second and ShortLink.objects.count() == 2


def test_the_way_out_is_left_as_it_is(organization: Organization, server: FakeServer, june: Campaign) -> None:
    message, text = texted(organization, server, june, "Leave: {{ unsubscribe_url }}")

    assert text == f"Leave: {links.address(links.UNSUBSCRIBE, organization.pk, message.pk)}"
    assert not ShortLink.objects.exists()


def test_a_made_up_or_erased_link_leads_nowhere_and_counts_nothing(
    organization: Organization, stranger: Organization, server: FakeServer, june: Campaign
) -> None:
    message, text = texted(organization, server, june)
    token = re.findall("/s/([0-9a-zA-Z]+)", text)[0]
    elsewhere = links.short(Place(stranger.pk, message.pk, 0))
    for url in (
        f"/s/{token[:-1]}",
        "/s/0",
        "/s/" + "z" * 48,
        "/s/%00",
        elsewhere,
        links.short(Place(organization.pk, message.pk, 9)),
    ):
        assert tap(url).status_code == 404
    message.delete()
    assert tap(f"/s/{token}").status_code == 404
    assert not Visit.objects.exists() and not Engagement.objects.exists()


def test_a_preview_counts_the_links_as_they_will_be(organization: Organization) -> None:
    text = "x" * 100 + " https://shop.example/" + "y" * 200
    shown = services.preview_message("transactional", "sms", {"text": text}, {}, contact())

    assert shown.fields["text"] == text and shown.size is not None
    assert shown.size.places == 101 + len(links.short(Place(organization.pk, 10_000_000, 0)))


def test_leaving_is_named_by_its_channel(organization: Organization, server: FakeServer, june: Campaign) -> None:
    message, _ = texted(organization, server, june)
    engagement.unsubscribe(message.pk, how="page")
    drain(organization)

    assert set(Event.objects.values_list("definition__name", flat=True)) == {"sms_sent", "sms_unsubscribed"}


# --- from message to money -------------------------------------------------------------------------------


def _texted(organization: Organization, server: FakeServer, june: Campaign) -> str:
    return re.findall(r"https?://\S+/s/[0-9a-zA-Z]+", texted(organization, server, june)[1])[0]


def _by_whatsapp(organization: Organization, server: FakeServer, june: Campaign) -> str:
    kind = KINDS["twilio"]
    server.say = kind.good
    services.save_provider(Provider(channel="whatsapp", kind="twilio", name="W"), kind.values(server.url))
    made = services.publish_message("Test", "transactional", "whatsapp", {"text": TEXT}, {})
    queue(person(), made=made, source_id=june.pk, utm_campaign="june")
    send(organization)
    shown = parse_qs(server.messages()[-1].body.decode())
    assert shown["To"] == ["whatsapp:+447700900123"]
    return str(re.findall(r"https?://\S+/s/[0-9a-zA-Z]+", shown["Body"][0])[0])


def _pushed(organization: Organization, server: FakeServer, june: Campaign) -> str:
    account("web_push", server)
    ada = person()
    browser(ada, server)
    queue(ada, made=words("push"), source_id=june.pk, utm_campaign="june")
    send(organization)
    sealed = server.messages()[0].body
    shown = http_ece.decrypt(sealed, private_key=BROWSER_KEY, auth_secret=BROWSER_SECRET, version="aes128gcm")
    return str(json.loads(shown)["url"])


def _in_app(organization: Organization, server: FakeServer, june: Campaign) -> str:
    queue(person(), made=words("in_app", url="https://shop.example/"), source_id=june.pk)
    send(organization)
    return ""


@pytest.mark.parametrize(
    ("channel", "reach"),
    [("sms", _texted), ("whatsapp", _by_whatsapp), ("push", _pushed), ("in_app", _in_app)],
    ids=["sms", "whatsapp", "push", "in_app"],
)
def test_a_click_becomes_a_touch_and_earns_its_campaign_the_order(
    organization: Organization, server: FakeServer, june: Campaign, channel: str, reach: Callable[..., str]
) -> None:
    url = reach(organization, server, june)
    if url:
        assert tap(url).status_code == 302
    else:
        inbox.mark(InboxMessage.objects.get(), "clicked")
    drain(organization)
    message = Message.objects.get()
    order = InternalEvent(
        message.contact_id, "order_completed", clock.now() + timedelta(minutes=20), "o-1", {}, 4900, "GBP"
    )
    with clock.travel(timedelta(minutes=30)):
        audience.record([order])
        doorbell.drain(organization.pk)

    assert Event.objects.get(definition__name=f"{channel}_clicked").properties["message_id"] == message.pk
    touch = Touchpoint.objects.get()
    assert (touch.kind, touch.channel, touch.source, touch.medium, touch.campaign, touch.message) == (
        "click", channel, "groundswell", channel, june, message,
    )  # fmt: skip
    assert list(Credit.objects.filter(model="last").values_list("touchpoint", "amount_minor")) == [(touch.pk, 4900)]
