"""Texts: how many SMS they become, what Twilio reports, and what people answer."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as some

from accounts.models import Organization
from audience.domain import phones
from audience.models import Consent, Suppression
from common import doorbell
from delivery import links
from delivery.domain import sms
from delivery.models import Message
from delivery.providers import twilio
from delivery.tests.fake_http import FakeServer
from delivery.tests.making import queue, send
from delivery.tests.test_channels import account, person, status, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", (True, 0, 0, 160)),
        ("x" * 160, (True, 160, 1, 0)),
        ("x" * 161, (True, 161, 2, 145)),
        ("x" * 306, (True, 306, 2, 0)),
        ("x" * 307, (True, 307, 3, 152)),
        ("€" * 80, (True, 160, 1, 0)),
        ("x" * 152 + "€" + "x" * 7, (True, 161, 2, 144)),  # the pair is not cut: 152, then 2 + 7
        ("ж" * 70, (False, 70, 1, 0)),
        ("ж" * 71, (False, 71, 2, 63)),
        ("👋" * 35, (False, 70, 1, 0)),
        ("👋" * 36, (False, 72, 2, 61)),  # 33 of them fit into 67 places
    ],
)
def test_a_text_becomes_as_many_sms_as_networks_count(text: str, expected: tuple[bool, int, int, int]) -> None:
    found = sms.size(text)
    assert (found.is_gsm, found.places, found.segments, found.left) == expected


def test_a_message_remembers_how_many_segments_it_took(organization: Organization, server: FakeServer) -> None:
    account("twilio", server)
    ada = person()
    (short,) = queue(ada, made=words("sms"))
    (long,) = queue(ada, made=words("sms", text="{{ contact.name }} " + "x" * 200), key="long")
    send(organization)

    assert status(short) == status(long) == ("sent", "")
    assert (short.parts, long.parts) == (1, 2)


@given(some.text(max_size=700))
def test_no_segment_is_over_full(text: str) -> None:
    found = sms.size(text)
    most = sms.ALONE[found.is_gsm] if found.segments <= 1 else sms.JOINED[found.is_gsm]
    assert found.places <= found.segments * most and 0 <= found.left <= sms.ALONE[found.is_gsm]
    assert found.is_gsm == (found.odd_characters == "")


@pytest.mark.parametrize(
    ("text", "country", "expected"),
    [
        ("+44 7700 900123", "", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
        ("07700 900123", "", None),
        ("+1 (212) 555-0123", "", "+12125550123"),
        ("+44", "", None),
        ("hello", "GB", None),
        ("+" + "9" * 30, "", None),
    ],
)
def test_phone_numbers_become_what_networks_take(text: str, country: str, expected: str | None) -> None:
    assert phones.normal(text, country) == expected
    assert phones.tidied(text, country) == (expected or text)


# --- Twilio -----------------------------------------------------------------------------------------


def sent(organization: Organization, fake: FakeServer) -> tuple[Message, str]:
    """A message that Twilio took, and the address it reports to."""
    row = account("twilio", fake)
    (message,) = queue(person(), made=words("sms"))
    send(organization)
    form = parse_qs(fake.messages()[-1].body.decode())
    assert (form["To"], form["Body"], form["From"]) == (["+447700900123"], ["Hi Ada"], ["+447700900000"])
    assert form["StatusCallback"][0].startswith(links.hook_url(organization.pk, row.pk))
    return message, form["StatusCallback"][0]


def tell(url: str, organization: Organization, *, forged: bool = False, **fields: str) -> int:
    """Twilio posts to us, signed with the account's token; then a worker reads it."""
    parts = urlsplit(url)
    signature = "x" * 28 if forged else twilio.signature("word", url, fields)
    answer = Client().post(
        f"{parts.path}?{parts.query}" if parts.query else parts.path,
        urlencode(fields),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature},
    )
    doorbell.drain(organization.pk)
    return answer.status_code


def test_delivery_is_reported_and_a_forged_report_is_refused(
    organization: Organization,
    server: FakeServer,
) -> None:
    message, url = sent(organization, server)
    assert tell(url, organization, forged=True, MessageSid="SM1", MessageStatus="delivered") == 403
    message.refresh_from_db()
    assert message.delivered_at is None
    for _ in range(3):
        assert tell(url, organization, MessageSid="SM1", MessageStatus="delivered") == 200
    message.refresh_from_db()
    assert message.delivered_at is not None and message.status == "sent"


def test_a_report_settles_what_was_uncertain(organization: Organization, server: FakeServer) -> None:
    account("twilio", server)
    server.say = "drop"
    (message,) = queue(person(), made=words("sms"))
    send(organization)
    assert status(message)[0] == "uncertain"
    url = parse_qs(server.messages()[-1].body.decode())["StatusCallback"][0]

    assert tell(url, organization, MessageSid="SM9", MessageStatus="delivered") == 200
    assert status(message) == ("sent", "")


def test_a_number_that_turns_out_dead_is_suppressed(
    organization: Organization,
    server: FakeServer,
) -> None:
    _, url = sent(organization, server)
    tell(url, organization, MessageSid="SM1", MessageStatus="undelivered", ErrorCode="30005")

    assert list(Suppression.objects.values_list("channel", "address")) == [("sms", "+447700900123")]


@pytest.mark.parametrize(("body", "leaves"), [("STOP", True), (" stop ", True), ("Stop it please", False)])
def test_an_answer_of_stop_withdraws_consent_once(
    organization: Organization,
    server: FakeServer,
    body: str,
    leaves: bool,
) -> None:
    message, url = sent(organization, server)
    address = url.partition("?")[0]
    for _ in range(2):
        assert tell(address, organization, MessageSid="SM2", From="+447700900123", Body=body) == 200

    entries = Consent.objects.filter(channel="sms", contact=message.contact_id)
    found: list[Any] = list(entries.values_list("state", "how"))
    assert found == ([("withdrawn", "STOP reply")] if leaves else [])
