"""Membership follows what happens, through the real outbox."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.db import connection

from accounts.models import Organization
from audience.models import Contact
from audience.notices import ContactsChanged, ContactsMerged
from common import clock, outbox, tenancy
from common.models import OutboxNotice
from marketing_site import wiring
from segments import rules, selectors, services
from segments.models import FlipCheck, Membership, Recheck, Segment, SegmentStatus
from segments.notices import MembershipChanged
from segments.services import refresh
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


def test_an_event_dated_ahead_counts_when_its_moment_comes(organization: Organization, drain: Drain) -> None:
    ada = people.contact()
    segment = buyers(days=30)
    drain()

    people.tell_events(people.event(ada, "order_completed", NOON + DAY))
    drain()
    assert inside(segment) == set()

    with clock.freeze(NOON + DAY):
        drain()
        assert inside(segment) == {ada.pk}


def test_staying_away_lets_a_contact_into_a_did_not_segment(organization: Organization, drain: Drain) -> None:
    ada = people.contact()
    people.event(ada, "visit", NOON - DAY)
    segment = services.create_segment(name="Away", rule=everyone(did("visit", 1, 7, operator="did_not")))
    drain()
    assert inside(segment) == set()

    with clock.freeze(NOON + 6 * DAY):
        drain()
        assert inside(segment) == {ada.pk}
        people.tell_events(people.event(ada, "visit", NOON + 6 * DAY))
        drain()
        assert inside(segment) == set()


def test_only_affected_segments_are_looked_at(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    leeds = services.create_segment(name="Leeds", rule=city("Leeds"))
    drain()
    Membership.objects.all().delete()  # a difference that only a look at this segment would mend

    people.tell_events(people.event(ada, "visit", NOON))
    people.change(ada, "status", "won")
    drain()

    assert inside(leeds) == set()


def test_new_contacts_are_looked_at_in_every_dynamic_segment(organization: Organization, drain: Drain) -> None:
    leeds = services.create_segment(name="Leeds", rule=city("Leeds"))
    quiet = services.create_segment(name="Quiet", rule=did("visit", operator="did_not"))
    static = services.create_segment(name="By hand")
    asleep = services.create_segment(name="Asleep", rule=city("Leeds"), is_active=False)
    drain()

    ada = people.contact(city="Leeds")
    people.tell_created(ada)
    drain()

    assert inside(leeds) == inside(quiet) == {ada.pk}
    assert inside(static) == inside(asleep) == set()


def test_a_change_of_an_attribute_or_a_tag_moves_a_contact(organization: Organization, drain: Drain) -> None:
    people.attribute("plan", "text")
    pro = services.create_segment(name="Pro", rule=everyone(people.on("attributes.plan", "equals", "pro")))
    vips = services.create_segment(name="VIP", rule=people.on("tags", "contains", "vip"))
    ada = people.contact()
    drain()

    people.change(ada, "attributes.plan", "pro")
    people.change(ada, "tags", ["vip"])
    drain()
    assert inside(pro) == inside(vips) == {ada.pk}

    people.change(ada, "attributes.plan", None)
    drain()
    assert (inside(pro), inside(vips)) == (set(), {ada.pk})


def test_last_seen_moves_with_every_event(organization: Organization, drain: Drain) -> None:
    ada = people.contact(last_seen_at=NOON - 60 * DAY)
    active = services.create_segment(name="Active", rule=people.on("last_seen_at", "in_last", 30))
    drain()
    assert inside(active) == set()

    Contact.objects.filter(pk=ada.pk).update(last_seen_at=NOON)
    people.tell_events(people.event(ada, "visit", NOON))
    drain()

    assert inside(active) == {ada.pk}


def test_changes_are_announced_once(organization: Organization, drain: Drain) -> None:
    ada = people.contact()
    segment = buyers(days=30)
    drain()
    recorded = people.event(ada, "order_completed", NOON)
    outbox.wire([*_wired(), outbox.Subscription(MembershipChanged, "test.listener", lambda notice: None)])
    try:
        people.tell_events(recorded)
        people.tell_events(recorded)
        drain()
    finally:
        wiring.connect()

    assert [(notice["segment_id"], notice["entered"], notice["left"]) for notice in notices()] == [
        (segment.pk, [ada.pk], [])
    ]


def test_a_merge_closes_the_memberships_of_the_merged_and_judges_the_survivor_anew(
    organization: Organization, drain: Drain
) -> None:
    ada, twin = people.contact(city="Leeds"), people.contact(city="York")
    people.event(twin, "order_completed", NOON - DAY)
    dynamic, static = buyers(days=30), services.create_segment(name="By hand")
    drain()
    services.add_contacts(static, [twin.pk])
    assert (inside(dynamic), inside(static)) == ({twin.pk}, {twin.pk})

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("UPDATE audience_event SET contact_id = %s WHERE contact_id = %s", [ada.pk, twin.pk])
    Contact.objects.filter(pk=twin.pk).update(merged_into=ada)
    outbox.publish(ContactsChanged(merged=[ContactsMerged(twin.pk, ada.pk)]))
    drain()

    assert (inside(dynamic), inside(static)) == ({ada.pk}, {ada.pk})
    assert set(FlipCheck.objects.values_list("contact_id", flat=True)) == {ada.pk}
    for segment in (dynamic, static):
        segment.refresh_from_db()
        assert segment.member_count == 1


def test_an_edited_rule_is_built_while_the_old_membership_serves(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(city="Leeds"), people.contact(city="York")
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    drain()

    services.update_segment(segment, rule=city("York"))
    assert inside(segment) == {ada.pk}
    drain()

    segment.refresh_from_db()
    assert (inside(segment), segment.version_number, segment.member_count) == ({bob.pk}, 2, 1)


def test_contacts_that_change_during_a_build_are_looked_at_after_it(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="York")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    people.change(ada, "city", "Leeds")
    outbox.deliver(organization.pk)

    assert (inside(segment), Recheck.objects.count()) == (set(), 1)
    drain()
    assert (inside(segment), Recheck.objects.count()) == ({ada.pk}, 0)


def test_rechecks_are_worked_when_the_segment_is_ready(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    drain()
    Membership.objects.all().delete()
    Recheck.objects.create(segment=segment, contact=ada)

    assert drain() > 0
    assert inside(segment) == {ada.pk}


def test_a_rule_that_cannot_be_read_any_more_stops_only_its_own_segment(
    organization: Organization, drain: Drain, caplog: pytest.LogCaptureFixture
) -> None:
    broken = services.create_segment(name="Broken", rule=city("Leeds"))
    sound = services.create_segment(name="Sound", rule=city("Leeds"))
    drain()
    Segment.objects.filter(pk=broken.pk).update(rule={"field": "city", "operator": "gone", "value": "x"})

    ada = people.contact(city="Leeds")
    people.tell_created(ada)
    drain()

    broken.refresh_from_db()
    assert (broken.status, inside(broken), inside(sound)) == (SegmentStatus.FAILED, set(), {ada.pk})
    assert 'unknown operator "gone"' in broken.error


def test_an_inactive_segment_stands_still_until_it_is_activated(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    segment = services.create_segment(name="Leeds", rule=city("Leeds"))
    drain()
    services.update_segment(segment, is_active=False)

    people.change(ada, "city", "York")
    drain()
    assert inside(segment) == {ada.pk}

    services.update_segment(segment, is_active=True)
    drain()
    assert inside(segment) == set()


def test_refreshing_what_has_not_changed_writes_nothing(organization: Organization, drain: Drain) -> None:
    ada = people.contact()
    people.event(ada, "order_completed", NOON - DAY)
    segment = buyers(days=30)
    drain()

    def rows() -> list[object]:
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute("SELECT xmin::text, ctid::text FROM segments_membership")
            found = cursor.fetchall()
            cursor.execute("SELECT xmin::text, ctid::text FROM segments_flipcheck")
            return [*found, *cursor.fetchall()]

    before = rows()
    assert refresh.refresh([(segment.pk, ada.pk)]) == 0
    services.rebuild(segment.pk)
    assert rows() == before


def test_a_hundred_segments_are_refreshed_in_a_few_statements(
    organization: Organization, drain: Drain, django_assert_max_num_queries: object
) -> None:
    contacts = [people.contact(city="Leeds") for _ in range(10)]
    made = [everyone(city("Leeds"), did("visit", 1 + number % 3, 7 + number)) for number in range(100)]
    segments = [services.create_segment(name=f"S{number}", rule=rule) for number, rule in enumerate(made)]
    drain()
    people.events([(row.pk, "visit", NOON - DAY, {}) for row in contacts])

    with django_assert_max_num_queries(20):  # type: ignore[operator]
        changed = refresh.refresh([(segment.pk, row.pk) for segment in segments for row in contacts])

    assert changed == 340  # one visit is enough for 34 of the 100


def test_random_days_end_where_a_full_build_ends(organization: Organization, drain: Drain) -> None:
    """Random events, changes and clock moves through the outbox; then a full build changes nothing."""
    draw = random.Random(7)
    contacts = [people.contact(city="Leeds") for _ in range(12)]
    segments = [
        services.create_segment(name="A", rule=everyone(city("Leeds"), did("visit", 2, 3))),
        services.create_segment(name="B", rule={"match": "any", "rules": [did("order", 1, 5), city("York")]}),
        services.create_segment(name="C", rule={"match": "none", "rules": [did("visit", 1, 1), did("order", 2)]}),
        services.create_segment(name="D", rule=everyone(did("visit", 1, 2, operator="did_not"), did("order"))),
    ]
    drain()
    moment = NOON
    for _ in range(25):
        moment += timedelta(hours=draw.choice([0, 1, 6, 30]))
        with clock.freeze(moment):
            at = moment + timedelta(hours=draw.choice([-72, -24, -1, 0, 5]))
            rows = [(draw.choice(contacts).pk, draw.choice(["visit", "order"]), at, {}) for _ in range(3)]
            people.tell_events(*people.events(rows))
            people.change(draw.choice(contacts), "city", draw.choice(["Leeds", "York"]))
            drain()
            for segment in segments:
                found = selectors.verdicts(rules.parse(segment.rule), [row.pk for row in contacts])
                assert inside(segment) == {verdict.contact_id for verdict in found if verdict.is_match}
                segment.refresh_from_db()
                assert segment.member_count == len(inside(segment))
    with clock.freeze(moment):
        before = set(Membership.objects.values_list("pk", "left_at"))
        for segment in segments:
            services.rebuild(segment.pk)
        assert set(Membership.objects.values_list("pk", "left_at")) == before


def _wired() -> list[outbox.Subscription]:
    return list(wiring.SUBSCRIPTIONS)
