"""Segments in segments, consent, chance, distance and days where people live: live, and safe from what is stored."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts import services as accounts
from accounts.models import AuditEntry, Organization
from audience import services as audience
from audience.models import Topic
from common import clock
from common.errors import Conflict, Invalid
from segments import rules, selectors, services
from segments.models import FlipCheck, Membership, Segment, SegmentDependency, SegmentStatus, SegmentVersion
from segments.services import live
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone, on

Drain = Callable[[], int]
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


def inside(segment: Segment) -> set[int]:
    return set(Membership.objects.filter(segment=segment, left_at=None).values_list("contact_id", flat=True))


def standing(segment: Segment, operator: str = "in") -> dict[str, Any]:
    return {"segment": segment.pk, "operator": operator}


def vip() -> Segment:
    return services.create_segment(name="VIP", rule=city("Leeds"))


# --- segments in segments ---------------------------------------------------------------------------------


def test_a_segment_follows_the_one_it_refers_to(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(city="Leeds", status="won"), people.contact(city="Leeds")
    inner = vip()
    outer = services.create_segment(name="Won VIP", rule=everyone(standing(inner), on("status", "equals", "won")))
    others = services.create_segment(name="Others", rule=standing(inner, "not_in"))
    drain()
    assert (inside(inner), inside(outer), inside(others)) == ({ada.pk, bob.pk}, {ada.pk}, set())

    people.change(ada, "city", "York")
    drain()
    assert (inside(inner), inside(outer), inside(others)) == ({bob.pk}, set(), {ada.pk})


def test_a_segment_follows_one_made_by_hand_three_steps_away(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(), people.contact()
    first = services.create_segment(name="By hand")
    second = services.create_segment(name="Second", rule=standing(first))
    third = services.create_segment(name="Third", rule=standing(second, "not_in"))
    drain()
    assert inside(third) == {ada.pk, bob.pk}

    services.add_contacts(first, [ada.pk])
    drain()
    assert (inside(second), inside(third)) == ({ada.pk}, {bob.pk})
    services.remove_contacts(first, [ada.pk])
    drain()
    assert (inside(second), inside(third)) == (set(), {ada.pk, bob.pk})


def test_only_contacts_that_moved_are_looked_at(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(), people.contact()
    inner = services.create_segment(name="By hand")
    outer = services.create_segment(name="Outer", rule=standing(inner))
    services.add_contacts(inner, [ada.pk, bob.pk])
    drain()
    Membership.objects.filter(segment=outer).delete()  # a difference that only a look would mend

    services.remove_contacts(inner, [bob.pk])
    services.add_contacts(inner, [bob.pk])
    drain()

    assert inside(outer) == {bob.pk}


def test_a_newcomer_is_not_in_others_on_the_way_into_vip(organization: Organization, drain: Drain) -> None:
    """The order of ids is against it: Others is the elder, and both are looked at in one go."""
    others = services.create_segment(name="Others", rule=city("nowhere"))
    inner = vip()
    services.update_segment(others, rule=standing(inner, "not_in"))
    drain()

    people.tell_created(ada := people.contact(city="Leeds"))
    drain()

    assert inside(inner) == {ada.pk}
    assert not Membership.objects.filter(segment=others).exists()


def test_a_build_waits_for_the_segments_it_refers_to(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    others = services.create_segment(name="Others", rule=city("nowhere"))
    inner = vip()
    services.update_segment(others, rule=standing(inner, "not_in"))
    drain()

    assert inside(inner) == {ada.pk}
    assert not Membership.objects.filter(segment=others).exists()


def test_many_who_move_at_once_are_built_anew(
    organization: Organization, drain: Drain, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_MOVED", 2)
    crowd = [people.contact().pk for _ in range(3)]
    inner = services.create_segment(name="By hand")
    outer = services.create_segment(name="Outer", rule=standing(inner))
    drain()
    with clock.freeze(NOON + DAY):
        services.add_contacts(inner, crowd)
        drain()

    outer.refresh_from_db()
    assert (inside(outer), outer.status, outer.built_at) == (set(crowd), SegmentStatus.READY, NOON + DAY)


def test_a_circle_is_refused_with_its_path_and_nothing_is_written(organization: Organization) -> None:
    first = services.create_segment(name="First", rule=city("Leeds"))
    second = services.create_segment(name="Second", rule=standing(first))
    third = services.create_segment(name="Third", rule=everyone(city("York"), standing(second, "not_in")))
    versions, entries = SegmentVersion.objects.count(), AuditEntry.objects.count()

    with pytest.raises(Invalid) as caught:
        services.update_segment(first, rule=everyone(city("Leeds"), standing(third)))
    with pytest.raises(Invalid) as own:
        services.update_segment(first, rule=standing(first))

    told = "this would go round in a circle: First → Third → Second → First"
    assert caught.value.details == {"rules[1].segment": told}
    assert own.value.details == {"segment": "this would go round in a circle: First → First"}
    first.refresh_from_db()
    assert (first.rule, first.version_number) == (city("Leeds"), 1)
    assert (SegmentVersion.objects.count(), AuditEntry.objects.count()) == (versions, entries)


def test_a_segment_that_others_refer_to_is_not_deleted(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    inner = vip()
    outer = services.create_segment(name="Outer", rule=everyone(standing(inner), standing(inner, "in")))
    services.create_segment(name="Another", rule=standing(inner, "not_in"))
    drain()

    with pytest.raises(Conflict) as caught:
        services.delete_segment(inner)
    told = "“VIP” is used by segment “Another”, segment “Outer”; take it out there first."
    assert (caught.value.message, caught.value.code) == (told, "in_use")
    assert caught.value.details[f"/admin/segments/segment/{outer.pk}/change/"] == "segment “Outer”"
    assert inside(inner) == {ada.pk}

    services.delete_segment(outer)
    with pytest.raises(Conflict, match="“Another”"):
        services.delete_segment(inner)


def test_a_slug_is_kept_as_an_id(organization: Organization, drain: Drain) -> None:
    inner = vip()
    by_slug = everyone(city("York"), {"segment": "vip", "operator": "in"})
    outer = services.create_segment(name="Outer", rule=by_slug)
    assert outer.rule == everyone(city("York"), standing(inner))
    assert list(SegmentDependency.objects.filter(segment=outer).values_list("field", "needed")) == [
        ("city", None),
        ("", inner.pk),
    ]

    services.update_segment(inner, slug="very-important", name="Very important")
    outer = services.update_segment(outer, rule={**by_slug, "rules": [city("York"), standing(inner)]})
    drain()
    outer.refresh_from_db()
    assert (outer.version_number, outer.status) == (1, SegmentStatus.READY)
    assert rules.describe(outer.rule).endswith("and the contact is in the segment “Very important”")


def test_a_segment_made_later_is_found_by_a_worker_that_runs(organization: Organization, drain: Drain) -> None:
    """The worker keeps what it has read of rules; a rule that speaks of a new segment is read with fresh eyes."""
    services.create_segment(name="Early", rule=standing(vip()))
    drain()
    late = services.create_segment(name="Late")
    outer = services.create_segment(name="Outer", rule=standing(late))
    drain()
    ada = people.contact()
    services.add_contacts(late, [ada.pk])
    drain()

    outer.refresh_from_db()
    assert (inside(outer), outer.status) == ({ada.pk}, SegmentStatus.READY)


# --- consent ------------------------------------------------------------------------------------------------


def test_a_word_of_consent_moves_a_contact(organization: Organization, drain: Drain) -> None:
    ada, bob = people.contact(), people.contact()
    news = Topic.objects.create(name="News", slug="news")
    everything = services.create_segment(name="All", rule={"consent": "email", "operator": "granted"})
    rule = {"consent": "email", "operator": "granted", "topic": "news"}
    topical = services.create_segment(name="News", rule=rule)
    never = services.create_segment(name="Never", rule={"consent": "email", "operator": "not_granted"})
    drain()
    assert (inside(everything), inside(topical), inside(never)) == (set(), set(), {ada.pk, bob.pk})

    audience.grant_consent([ada.pk], "email", None, "form")
    audience.grant_consent([bob.pk], "email", news.pk, "form")
    drain()
    assert (inside(everything), inside(topical), inside(never)) == ({ada.pk}, {ada.pk, bob.pk}, {bob.pk})

    audience.withdraw_consent([ada.pk], "email", news.pk, "link")
    audience.withdraw_consent([bob.pk], "sms", None, "link")
    drain()
    assert (inside(everything), inside(topical)) == ({ada.pk}, {bob.pk})


# --- where people live ----------------------------------------------------------------------------------------


def test_a_day_is_a_day_where_the_contact_lives(organization: Organization, drain: Drain) -> None:
    """Half past eleven in the evening of the 14th in UTC."""
    at = datetime(2026, 6, 14, 23, 30, tzinfo=UTC)
    rows = {
        zone: people.contact(first_seen_at=at, timezone=zone).pk for zone in ("", "Asia/Tokyo", "Mars/Base", "BC")
    }
    segment = services.create_segment(name="The 15th", rule=on("first_seen_at", "on", "2026-06-15"))
    sunday = services.create_segment(name="Sunday", rule=on("first_seen_at", "weekday", ["sunday"]))
    drain()
    assert inside(segment) == {rows["Asia/Tokyo"]}
    assert inside(sunday) == {rows[""], rows["Mars/Base"], rows["BC"]}

    organization.timezone = "Europe/Berlin"
    accounts.change_organization(organization)
    drain()
    assert (inside(segment), inside(sunday)) == (set(rows.values()), set())


def test_a_contact_that_moves_house_is_looked_at(organization: Organization, drain: Drain) -> None:
    ada = people.contact(first_seen_at=datetime(2026, 6, 14, 23, 30, tzinfo=UTC))
    segment = services.create_segment(name="The 15th", rule=on("first_seen_at", "on", "2026-06-15"))
    drain()

    people.change(ada, "timezone", "Asia/Tokyo")
    drain()

    assert inside(segment) == {ada.pk}


def test_an_organisation_keeps_a_zone_that_exists(organization: Organization, drain: Drain) -> None:
    """What an older release may have left in the table does not stop a rule."""
    ada = people.contact(first_seen_at=NOON)
    Organization.objects.filter(pk=organization.pk).update(timezone="Mars/Base")

    assert selectors.matching(on("first_seen_at", "on", "2026-06-15"), [ada.pk]) == {ada.pk}
    with pytest.raises(Invalid, match="time zone"):
        accounts.create_organization("Red", "red", timezone="Mars/Base")
    assert not Organization.objects.filter(slug="red").exists()


def test_a_birthday_begins_and_ends_at_midnight_at_home(organization: Organization, drain: Drain) -> None:
    people.attribute("birthday", "date")
    ada = people.contact(timezone="America/New_York", attributes={"birthday": "1990-06-16"})
    segment = services.create_segment(name="Birthday", rule=on("attributes.birthday", "anniversary"))
    drain()
    begins = datetime(2026, 6, 16, 4, 0, tzinfo=UTC)
    assert FlipCheck.objects.get().flips_at == begins

    for at, found in [
        (begins - TICK, set()),
        (begins, {ada.pk}),
        (begins + DAY - TICK, {ada.pk}),
        (begins + DAY, set()),
    ]:
        with clock.freeze(at):
            drain()
            assert inside(segment) == found
    assert FlipCheck.objects.get().flips_at == datetime(2027, 6, 16, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("born", "today", "is_kept"),
    [
        ("2024-02-29", "2027-02-28", True),
        ("2024-02-29", "2028-02-28", False),
        ("2024-02-29", "2028-02-29", True),
        ("2024-02-29", "2027-03-01", False),
        ("2023-02-28", "2028-02-28", True),
        ("2026-06-15", "2026-06-15", False),
        ("2027-06-15", "2026-06-15", False),
    ],
)
def test_a_leap_day_is_kept_on_the_28th_and_the_first_anniversary_is_a_year_later(
    organization: Organization, born: str, today: str, is_kept: bool
) -> None:
    people.attribute("birthday", "date")
    ada = people.contact(attributes={"birthday": born})
    with clock.freeze(datetime.fromisoformat(f"{today}T12:00:00+00:00")):
        assert bool(selectors.matching(on("attributes.birthday", "anniversary"), [ada.pk])) is is_kept


def test_a_midnight_that_comes_twice_is_its_first(organization: Organization) -> None:
    """In Havana clocks go from one back to midnight on 1 November 2026."""
    people.attribute("birthday", "date")
    ada = people.contact(timezone="America/Havana", attributes={"birthday": "1990-11-01"})

    verdict = selectors.verdicts(rules.parse(on("attributes.birthday", "anniversary")), [ada.pk])[0]

    assert verdict.flips_at == datetime(2026, 11, 1, 4, 0, tzinfo=UTC)


# --- groups, chance, distance, patterns ---------------------------------------------------------------------


def test_at_least_so_many_of_several(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    people.event(ada, "order", NOON - DAY)
    people.event(ada, "visit", NOON - 3 * DAY)
    rule = {"match": "at_least", "count": 2, "rules": [city("Leeds"), did("order", 1, 30), did("visit", 1, 7)]}
    segment = services.create_segment(name="Two of three", rule=rule)
    drain()
    assert inside(segment) == {ada.pk}

    with clock.freeze(NOON + 4 * DAY):
        drain()
        assert inside(segment) == {ada.pk}
    with clock.freeze(NOON + 29 * DAY):
        drain()
        assert inside(segment) == set()


def test_a_random_part_is_the_same_for_ever_and_another_by_another_salt(organization: Organization) -> None:
    crowd = [people.contact().pk for _ in range(200)]

    def drawn(salt: str, first: int, last: int) -> set[int]:
        return selectors.matching({"bucket": {"salt": salt, "from": first, "to": last}}, crowd)

    half, rest = drawn("spring", 0, 49), drawn("spring", 50, 99)
    assert (half & rest, half | rest) == (set(), set(crowd))
    assert half == drawn("spring", 0, 49) != drawn("autumn", 0, 49)
    assert 70 < len(half) < 130


def test_distance_is_measured_on_the_globe(organization: Organization) -> None:
    people.attribute("latitude", "number")
    people.attribute("longitude", "number")
    leeds = people.contact(attributes={"latitude": 53.7997, "longitude": -1.5492}).pk
    broken = people.contact(attributes={"latitude": 1e308, "longitude": "here"}).pk
    london = {"latitude": 51.5072, "longitude": -0.1276}

    def near(kilometers: float, operator: str = "within") -> set[int]:
        return selectors.matching(
            {"near": london | {"kilometers": kilometers}, "operator": operator}, [leeds, broken]
        )

    assert (near(272), near(274)) == (set(), {leeds})
    assert (near(274, "outside"), near(20_100)) == ({broken}, {leeds})


def test_no_pattern_takes_the_database_long(organization: Organization) -> None:
    people.attribute("note", "text")
    ada = people.contact(attributes={"note": "a" * 1000})
    rule = on("attributes.note", "matches", "*".join(["a?"] * 250) + "*b")

    started = time.monotonic()
    assert selectors.matching(rule, [ada.pk]) == set()
    assert time.monotonic() - started < 20


def test_the_page_that_deletes_names_the_segments_in_the_way(admin: Client, organization: Organization) -> None:
    inner = vip()
    services.create_segment(name="Winners of spring", rule=standing(inner))

    answer = admin.post(f"/admin/segments/segment/{inner.pk}/delete/", {"post": "yes"})

    assert Segment.objects.filter(pk=inner.pk).exists()
    assert "“VIP” is in use and cannot be deleted" in answer.content.decode()
    assert ">Winners of spring</a>" in answer.content.decode()
