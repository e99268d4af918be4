"""Addresses as each platform wants them before they are hashed; waits as they grow."""

from __future__ import annotations

import random
from datetime import UTC, datetime

import pytest

from integrations.domain import identifiers, pacing
from integrations.providers import PROVIDERS


@pytest.mark.parametrize(
    ("raw", "lower", "bare"),
    [
        (" Ada.Lovelace+news@GMail.com ", "ada.lovelace+news@gmail.com", "adalovelace@gmail.com"),
        ("bob@example.co.uk", "bob@example.co.uk", "bob@example.co.uk"),
        ("a b@example.com", "ab@example.com", "ab@example.com"),
        ("nobody", "", ""),
        ("", "", ""),
        ("@example.com", "", ""),
        ("+x@example.com", "+x@example.com", ""),
    ],
)
def test_mail_addresses(raw: str, lower: str, bare: str) -> None:
    assert (identifiers.lower_email(raw), identifiers.bare_email(raw)) == (lower, bare)


@pytest.mark.parametrize(
    ("raw", "e164", "digits"),
    [
        ("+44 (7700) 900-123", "+447700900123", "447700900123"),
        ("0049 30/123456", "+4930123456", "4930123456"),
        ("07700 900123", "", ""),
        ("+0123456789", "", ""),
        ("+12", "", ""),
        ("+1234567890123456", "", ""),
        ("+44 call me", "", ""),
        ("", "", ""),
    ],
)
def test_phone_numbers(raw: str, e164: str, digits: str) -> None:
    assert (identifiers.e164(raw), identifiers.digits(raw)) == (e164, digits)


def test_the_hashes_are_those_of_the_platforms_own_examples() -> None:
    """Meta's guide hashes mary@example.com so."""
    assert (
        identifiers.sha256("mary@example.com") == "f1904cf1a9d73a55fa5de0ac823c4403ded71afd4c3248d00bdcd0866552bb79"
    )
    assert identifiers.sha256("") == ""


def test_who_has_nothing_a_platform_knows_is_nobody_there() -> None:
    phone_only = {"email": "", "phone": "+447700900123", "id": "7"}
    assert PROVIDERS["linkedin"].identifiers(phone_only) == {}
    assert PROVIDERS["meta"].identifiers(phone_only) == {"phone": identifiers.sha256("447700900123"), "id": "7"}


def test_waits_double_up_to_an_hour_and_heed_what_was_asked() -> None:
    draw = random.Random(1)
    waits = [pacing.wait_seconds(failures, None, draw) for failures in (1, 2, 3, 8, 50)]
    for wait, base in zip(waits, (5, 10, 20, 640, 3_600), strict=True):
        assert base <= wait <= 1.5 * base
    assert 60 <= pacing.wait_seconds(1, 60, draw) <= 66
    assert pacing.wait_seconds(1, 10**9, draw) <= 24 * 3_600 * 1.1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120.0), ("Mon, 15 Jun 2026 12:01:00 GMT", 60.0), ("Mon, 15 Jun 2026 11:00:00 GMT", 0.0),
        ("", None), ("soon", None), ("-5", None), ("²", None),
    ],
)  # fmt: skip
def test_retry_after_is_a_number_or_a_date(text: str, seconds: float | None) -> None:
    assert pacing.retry_after(text, datetime(2026, 6, 15, 12, tzinfo=UTC)) == seconds
