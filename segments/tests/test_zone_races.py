"""A time zone that changes while a segment is built: in the end stands what a recompute says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts import services as accounts
from accounts.models import Organization
from audience import services as audience
from common import clock, outbox, tenancy
from segments import selectors, services
from segments.models import Segment, SegmentStatus
from segments.services import build, flips, progress
from segments.tests import people
from segments.tests.people import on
from segments.tests.test_refreshers import SECONDS, _wait_for_somebody_waiting, at_once, inside

pytestmark = pytest.mark.django_db(transaction=True)

NEW_YEAR = {"event": "order", "operator": "did", "within": {"from": "2026-01-01", "to": "2026-01-01"}}
BORN = on("first_seen_at", "on", "2026-01-01")
BEFORE_MIDNIGHT = datetime(2025, 12, 31, 23, 30, tzinfo=UTC)


@pytest.fixture
def acme(transactional_db: None) -> Iterator[Organization]:
    made = accounts.create_organization("Acme", "acme")
    with tenancy.organization(made.pk), clock.freeze(datetime(2026, 2, 1, tzinfo=UTC)):
        yield made


def _crowd() -> set[int]:
    """Who bought, and came, half an hour before New Year in UTC: that is New Year in Berlin."""
    ids = {people.contact(name=str(number), first_seen_at=BEFORE_MIDNIGHT).pk for number in range(5)}
    people.events([(pk, "order", BEFORE_MIDNIGHT, {}) for pk in ids])
    return ids


def _move_to_berlin(organization_id: int) -> None:
    """As settings do, with all that comes of it."""
    moved = Organization.objects.get(pk=organization_id)
    moved.timezone = "Europe/Berlin"
    accounts.change_organization(moved)
    outbox.deliver(organization_id)


def _settled(segment: Segment) -> Segment:
    """Everything that is due is done."""
    for _ in range(3):
        build.run(segment.organization_id)
        flips.run(segment.organization_id)
        outbox.deliver(segment.organization_id)
    segment.refresh_from_db()
    return segment


def _is_true_of(segment: Segment, ids: set[int]) -> None:
    assert segment.status == SegmentStatus.READY
    assert inside(segment) == selectors.matching(segment.rule, sorted(ids)) == ids
    assert segment.member_count == len(ids)


# A step of the build, and whether its row is written by then: who moves the organisation has to wait from there on.
STEPS = [("_claim", False), ("_written", False), ("_edited_since", True), ("_announce", True)]


@pytest.mark.parametrize("rule", [NEW_YEAR, BORN], ids=["window", "field"])
@pytest.mark.parametrize(("step", "waits"), STEPS)
def test_the_organisation_moves_while_a_segment_is_built(
    acme: Organization, monkeypatch: pytest.MonkeyPatch, rule: dict[str, Any], step: str, *, waits: bool
) -> None:
    ids = _crowd()
    segment = services.create_segment(name="New Year", rule=rule)
    wrong: list[BaseException] = []
    mover = threading.Thread(target=lambda: wrong.extend(at_once(acme.pk, lambda: _move_to_berlin(acme.pk))))
    room, name = (progress, "note") if step == "_written" else (build, step)
    whole = getattr(room, name)

    def and_then_moved(*arguments: Any, **named: Any) -> Any:
        answer = whole(*arguments, **named)
        if mover.ident is None and (room is build or progress.WRITING in arguments):
            mover.start()
            _wait_for_somebody_waiting(1) if waits else mover.join(SECONDS)
        return answer

    monkeypatch.setattr(room, name, and_then_moved)
    build.run(acme.pk)
    mover.join(SECONDS)

    assert wrong == []
    _is_true_of(_settled(segment), ids)


def test_the_organisation_moves_at_any_time(acme: Organization) -> None:
    ids = _crowd()
    segment = services.create_segment(name="New Year", rule=NEW_YEAR)
    for number in range(6):
        Organization.objects.filter(pk=acme.pk).update(timezone="UTC")
        services.request_rebuild(segment)

        wrong = at_once(acme.pk, lambda: build.run(acme.pk), lambda: _move_to_berlin(acme.pk))

        assert wrong == [], number
        _is_true_of(_settled(segment), ids)


def test_a_contact_moves_while_a_segment_is_built(acme: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = _crowd()
    segment = services.create_segment(name="New Year", rule=BORN)
    evaluate, moves = build._evaluate_and_write, iter([True])
    moved = sorted(ids)[:2]

    def move() -> None:
        audience.update_contacts(moved, {"timezone": "Europe/Berlin"})
        outbox.deliver(acme.pk)

    def and_then_moved(*arguments: Any) -> Any:
        answer = evaluate(*arguments)
        if next(moves, False):
            assert at_once(acme.pk, move) == []
        return answer

    monkeypatch.setattr(build, "_evaluate_and_write", and_then_moved)
    build.run(acme.pk)
    segment = _settled(segment)

    assert inside(segment) == selectors.matching(segment.rule, sorted(ids)) == set(moved)
