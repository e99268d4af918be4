"""Membership follows what happens, through the real outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from accounts.models import Organization
from common import clock
from common.models import OutboxNotice
from segments import services
from segments.models import FlipCheck, Membership, Segment
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone

Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


def inside(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact_id", flat=True))


def notices() -> list[dict[str, object]]:
    return list(
        OutboxNotice.objects.filter(kind="MembershipChanged").order_by("pk").values_list("payload", flat=True)
    )


def buyers(days: int = 30, count: int = 1) -> Segment:
    return services.create_segment(name="Buyers", rule=everyone(did("order_completed", count, days)))


def test_a_new_segment_is_built_in_the_background(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    people.contact(city="York")

    segment = services.create_segment(name="Leeds people", rule=everyone(city("Leeds")))
    assert (segment.slug, segment.status, inside(segment)) == ("leeds-people", "building", set())
    drain()

    segment.refresh_from_db()
    assert (segment.status, segment.member_count, segment.built_at) == ("ready", 1, NOON)
    assert inside(segment) == {ada.pk}


def test_an_event_lets_its_contact_in_and_the_window_lets_them_out(organization: Organization, drain: Drain) -> None:
    ada = people.contact()
    segment = buyers(days=30)
    drain()

    people.tell_events(people.event(ada, "order_completed", NOON - DAY))
    drain()
    assert inside(segment) == {ada.pk}
    assert FlipCheck.objects.get().flips_at == NOON + 29 * DAY

    with clock.freeze(NOON + 29 * DAY - timedelta(microseconds=1)):
        assert drain() == 0
        assert inside(segment) == {ada.pk}
    with clock.freeze(NOON + 29 * DAY):
        drain()
        assert inside(segment) == set()

    segment.refresh_from_db()
    assert segment.member_count == 0
    assert FlipCheck.objects.count() == 0
    stay = Membership.objects.get()
    assert (stay.entered_at, stay.left_at) == (NOON, NOON + 29 * DAY)


def test_leaving_and_coming_back_is_a_second_stay(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    drain()

    people.change(ada, "city", "York")
    drain()
    people.change(ada, "city", "Leeds")
    drain()

    assert list(Membership.objects.order_by("pk").values_list("left_at", flat=True)) == [NOON, None]
    assert inside(segment) == {ada.pk}
