"""Behaviours through the real outbox: who enters and leaves, when, and when it is looked at next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Contact
from common import clock
from segments import services
from segments.models import FlipCheck, Membership, Segment
from segments.tests import people
from segments.tests.people import DAY, NOON

Drain = Callable[[], int]
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def ada(organization: Organization) -> Contact:
    return people.contact()


def order(operator: str, **inputs: Any) -> dict[str, Any]:
    return {"event": "order", "operator": operator} | inputs


def followed(rule: dict[str, Any], drain: Drain) -> Segment:
    segment = services.create_segment(name="Followed", rule=rule)
    drain()
    return segment


def happens(who: Contact, name: str, at: datetime, drain: Drain, **properties: Any) -> None:
    people.tell_events(people.event(who, name, at, **properties))
    drain()


def is_in(segment: Segment) -> bool:
    return Membership.objects.filter(segment=segment, left_at=None).exists()


def is_in_at(segment: Segment, moment: datetime, drain: Drain) -> bool:
    with clock.freeze(moment):
        drain()
        return is_in(segment)


def looked_at_next() -> datetime | None:
    return FlipCheck.objects.values_list("flips_at", flat=True).first()


def test_a_sequence_is_complete_when_the_second_event_comes(ada: Contact, drain: Drain) -> None:
    segment = followed(order("then", then={"event": "visit"}, gap={"days": 2}, within={"days": 7}), drain)

    happens(ada, "order", NOON - DAY, drain)
    assert not is_in(segment)
    happens(ada, "visit", NOON, drain)
    assert is_in(segment)
    assert looked_at_next() == NOON + 6 * DAY
    assert not is_in_at(segment, NOON + 6 * DAY, drain)


def test_waiting_in_vain_is_decided_to_the_microsecond_and_undone_by_a_late_event(ada: Contact, drain: Drain) -> None:
    segment = followed(order("then_not", then={"event": "visit"}, gap={"hours": 24}, within={"days": 7}), drain)

    happens(ada, "order", NOON, drain)
    assert looked_at_next() == NOON + DAY
    assert not is_in_at(segment, NOON + DAY - TICK, drain)
    assert is_in_at(segment, NOON + DAY, drain)

    with clock.freeze(NOON + 2 * DAY):
        happens(ada, "visit", NOON + HOUR, drain)
        assert not is_in(segment)


def test_a_customer_who_stops_is_found_when_the_window_lapses(ada: Contact, drain: Drain) -> None:
    people.events([(ada.pk, "order", NOON - days * DAY, {}) for days in (60, 40, 10)])
    segment = followed(order("stopped", count=3, within={"days": 30}), drain)
    assert looked_at_next() == NOON + 20 * DAY

    assert not is_in_at(segment, NOON + 20 * DAY - TICK, drain)
    assert is_in_at(segment, NOON + 20 * DAY, drain)
    with clock.freeze(NOON + 21 * DAY):
        happens(ada, "order", NOON + 21 * DAY, drain)
        assert not is_in(segment)


def test_a_sum_moves_with_a_late_event_one_dated_ahead_and_the_window(ada: Contact, drain: Drain) -> None:
    rule = order("sum", property="total", compare="greater_or_equal", value=100, within={"days": 30})
    segment = followed(rule, drain)

    happens(ada, "order", NOON - 29 * DAY, drain, total=60)
    happens(ada, "order", NOON + HOUR, drain, total=40)
    assert not is_in(segment)
    assert is_in_at(segment, NOON + HOUR, drain)
    assert not is_in_at(segment, NOON + DAY, drain)


def test_a_rhythm_is_lost_at_the_moment_a_week_is_empty(ada: Contact, drain: Drain) -> None:
    people.events([(ada.pk, "order", NOON - days * DAY, {}) for days in (1, 8, 15)])
    segment = followed(order("regularly", periods=3, unit="week", at_least=3), drain)
    assert is_in(segment)

    assert is_in_at(segment, NOON + 6 * DAY - TICK, drain)
    assert not is_in_at(segment, NOON + 6 * DAY, drain)


def test_who_comes_back_is_found_until_the_window_is_over(ada: Contact, drain: Drain) -> None:
    people.event(ada, "order", NOON - 90 * DAY)
    segment = followed(order("restarted", pause={"days": 60}, within={"days": 7}), drain)
    assert not is_in(segment)

    happens(ada, "order", NOON, drain)
    assert is_in(segment)
    happens(ada, "order", NOON - 45 * DAY, drain)  # told late: there never was such a pause
    assert not is_in(segment)


def test_the_first_time_moves_back_when_an_earlier_event_is_told_late(ada: Contact, drain: Drain) -> None:
    segment = followed(order("first_time", within={"days": 7}), drain)

    happens(ada, "order", NOON - DAY, drain)
    assert is_in(segment)
    assert looked_at_next() == NOON + 6 * DAY
    happens(ada, "order", NOON - 8 * DAY, drain)
    assert not is_in(segment)
    assert looked_at_next() is None


def test_a_fixed_window_needs_no_look_by_the_clock(ada: Contact, drain: Drain) -> None:
    segment = followed(order("did", within={"from": "2026-06-01", "to": "2026-06-30"}), drain)

    happens(ada, "order", NOON, drain)
    assert is_in(segment)
    assert looked_at_next() is None
