"""What every platform must do alike: the same people in the same order of troubles, against a server like it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from audience import services as audience
from audience.models import Contact
from common import clock
from integrations import services
from integrations.models import AudienceSync, Destination, Push, SyncedContact
from integrations.tests.conftest import NOON
from integrations.tests.platform import Platform
from segments import services as segments
from segments.models import Segment


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def person(name: str, *, agreed: bool = True, **fields: Any) -> Contact:
    row = audience.create_contact(email=f"{name}@example.com", **fields)
    if agreed:
        audience.grant_consent([row.pk], "email", None, "form")
    return row


def row_of(kind: str, name: str, phone: str = "") -> tuple[str, str]:
    shown = {"meta": phone.removeprefix("+"), "linkedin": ""}.get(kind, phone)
    return hashed(f"{name}@example.com"), hashed(shown) if shown else ""


@pytest.fixture
def segment(organization: Any) -> Segment:
    return segments.create_segment(name="VIP")


@pytest.fixture
def sync(destination: Destination, segment: Segment) -> AudienceSync:
    return services.start_sync(destination, segment, audience_name="VIP customers")


def states() -> dict[int | None, tuple[str, str]]:
    return {row.contact_id: (row.change, row.status) for row in SyncedContact.objects.all()}


def test_the_first_push_is_everybody_and_then_just_the_difference(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any
) -> None:
    ada, bob, cy = person("ada", phone="+44 7700 900123"), person("bob"), person("cy", agreed=False)
    segments.add_contacts(segment, [ada.pk, bob.pk, cy.pk])
    drain()

    assert platform.audience == {row_of(kind, "ada", "+447700900123"), row_of(kind, "bob")}
    assert states() == {ada.pk: ("add", "done"), bob.pk: ("add", "done")}
    sync.refresh_from_db()
    assert (sync.audience_id != "", sync.pushed_at, sync.failures) == (True, NOON, 0)

    asked = len(platform.requests)
    drain()
    assert len(platform.requests) == asked  # nothing changed, nobody is asked

    dora = person("dora")
    segments.add_contacts(segment, [dora.pk])
    segments.remove_contacts(segment, [bob.pk])
    drain()
    assert platform.audience == {row_of(kind, "ada", "+447700900123"), row_of(kind, "dora")}
    assert [push.change for push in Push.objects.order_by("pk")] == ["add", "remove", "add"]


def test_withdrawal_erasure_and_a_new_address_reach_the_platform(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any
) -> None:
    ada, bob, cy = person("ada"), person("bob"), person("cy")
    segments.add_contacts(segment, [ada.pk, bob.pk, cy.pk])
    drain()
    assert len(platform.audience) == 3

    audience.withdraw_consent([ada.pk], "email", None, "link")
    audience.delete_contact(bob)
    audience.update_contact(cy, email="new@example.com")
    drain()

    assert platform.audience == {row_of(kind, "new")}
    assert states() == {cy.pk: ("add", "done")}


def test_a_refused_account_pauses_with_its_reason_and_goes_on_when_resumed(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any
) -> None:
    segments.add_contacts(segment, [person("ada").pk])
    platform.trouble = ["refused"]
    drain()

    sync.refresh_from_db()
    assert sync.status == "paused"
    assert sync.reason
    assert (platform.audience, set(states().values())) == (set(), {("add", "pending")})
    asked = len(platform.requests)
    with clock.freeze(NOON + timedelta(hours=5)):
        drain()
    assert len(platform.requests) == asked

    services.resume_sync(sync)
    drain()
    assert platform.audience == {row_of(kind, "ada")}


@pytest.mark.parametrize(("trouble", "least", "most"), [("too many", 77, 85), ("broken", 5, 8), ("nonsense", 5, 8)])
def test_passing_trouble_is_waited_out(
    kind: str, platform: Platform, destination: Destination, segment: Segment, drain: Any, trouble: str, least: int,
    most: int,
) -> None:  # fmt: skip
    if (kind, trouble) == ("webhook", "nonsense"):
        pytest.skip("any 2xx of a receiver is its yes")
    segments.add_contacts(segment, [person("ada").pk])
    sync = services.start_sync(destination, segment, audience_id="238001")
    platform.trouble = [trouble]
    drain()

    sync.refresh_from_db()
    assert (sync.status, sync.failures) == ("active", 1)
    assert least <= (sync.run_at - NOON).total_seconds() <= most
    assert Push.objects.get().error
    drain()
    assert Push.objects.count() == 1  # nobody asks before the moment
    with clock.freeze(sync.run_at):
        drain()
    assert platform.audience == {row_of(kind, "ada")}
    sync.refresh_from_db()
    assert (sync.failures, sync.reason) == (0, "")


def test_an_answer_that_is_lost_after_the_deed_is_asked_for_again(
    kind: str, platform: Platform, destination: Destination, segment: Segment, drain: Any
) -> None:
    ada = person("ada")
    segments.add_contacts(segment, [ada.pk])
    sync = services.start_sync(destination, segment, audience_id="238001")
    platform.trouble = ["", "", "silence"] if kind == "google_ads" else ["silence"]
    drain()
    assert platform.audience == {row_of(kind, "ada")}
    assert states() == {ada.pk: ("add", "pending")}

    # Withdrawn before we know whether it had arrived: it is taken away all the same.
    audience.withdraw_consent([ada.pk], "email", None, "link")
    sync.refresh_from_db()
    with clock.freeze(sync.run_at):
        drain()
    assert (platform.audience, states()) == (set(), {})


def test_one_record_that_is_refused_stops_no_other(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any
) -> None:
    if kind in ("meta", "tiktok"):
        pytest.skip("this platform never says which record it could not use")
    ada, bob = person("ada"), person("bob")
    segments.add_contacts(segment, [ada.pk, bob.pk])
    platform.bad = {hashed("ada@example.com")}
    drain()

    assert platform.audience == {row_of(kind, "bob")}
    assert states() == {ada.pk: ("add", "failed"), bob.pk: ("add", "done")}
    assert SyncedContact.objects.get(contact_id=ada.pk).error == "bad hash"
    drain()
    assert Push.objects.get().refused_count == 1

    platform.bad = set()
    services.resend_all(sync)
    drain()
    assert platform.audience == {row_of(kind, "ada"), row_of(kind, "bob")}


def test_an_ended_sync_takes_everybody_away_and_is_gone(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any
) -> None:
    segments.add_contacts(segment, [person("ada").pk, person("bob").pk])
    drain()
    services.end_sync(sync)
    drain()

    assert platform.audience == set()
    assert not AudienceSync.objects.exists()
    segments.delete_segment(segment)


def test_batches_are_as_large_as_the_platform_takes(
    kind: str, platform: Platform, sync: AudienceSync, segment: Segment, drain: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from integrations.providers import PROVIDERS

    monkeypatch.setitem(PROVIDERS._entries, kind, replace(PROVIDERS[kind], most_records=2))
    segments.add_contacts(segment, [person(f"p{number}").pk for number in range(5)])
    drain()
    assert len(platform.audience) == 5
    assert [push.record_count for push in Push.objects.order_by("pk")] == [2, 2, 1]
