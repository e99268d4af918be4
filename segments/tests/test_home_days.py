"""Whole days in a window are days where the organisation is, long and short ones too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.models import Organization
from common import clock, tenancy
from common.errors import Invalid
from segments import rules, selectors, services
from segments.models import SegmentDependency
from segments.rules import compiler, zones
from segments.tests import people
from segments.tests.people import everyone

TICK = timedelta(microseconds=1)
NOW = datetime(2026, 12, 1, tzinfo=UTC)


def _lives_in(organization: Organization, zone: str) -> None:
    Organization.objects.filter(pk=organization.pk).update(timezone=zone)


def _found(rule: dict[str, Any], contact_ids: list[int]) -> set[int]:
    """Whom the rule finds, in both shapes of the compiler."""
    with clock.freeze(NOW):
        few = selectors.matching(rule, contact_ids)
        query = compiler.everybody(rules.parse(rule), tenancy.required(), NOW)
    rows = selectors._fetch(f"SELECT contact_id FROM ({query.sql}) verdict WHERE truth", query.parameters)
    assert {row[0] for row in rows} & set(contact_ids) == few
    return few


def _did(since: str | None = None, until: str | None = None, **more: Any) -> dict[str, Any]:
    within = {name: end for name, end in (("from", since), ("to", until)) if end}
    return {"event": "order", "operator": "did", "within": within} | more


# Day, zone, first moment, end: an ordinary day; one of 23 and one of 25 hours; one that begins at 01:00; and one of
# a zone far in the east, most of which is the day before in UTC.
DAYS = [
    ("2026-01-15", "UTC", "2026-01-15T00:00", "2026-01-16T00:00"),
    ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00", "2026-03-29T22:00"),
    ("2026-10-25", "Europe/Berlin", "2026-10-24T22:00", "2026-10-25T23:00"),
    ("2026-09-06", "America/Santiago", "2026-09-06T04:00", "2026-09-07T03:00"),
    ("2026-07-04", "Pacific/Kiritimati", "2026-07-03T10:00", "2026-07-04T10:00"),
    ("2026-07-04", "Mars/Base", "2026-07-04T00:00", "2026-07-05T00:00"),
]


@pytest.mark.parametrize(("day", "zone", "first", "end"), DAYS)
def test_a_day_in_a_window_is_a_day_at_home(
    organization: Organization, day: str, zone: str, first: str, end: str
) -> None:
    _lives_in(organization, zone)
    begins_at, ends_at = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (first, end))
    moments = [begins_at - TICK, begins_at, ends_at - TICK, ends_at]
    # Where a contact lives does not matter.
    ids = [people.contact(name=str(place), timezone="Pacific/Auckland").pk for place in range(4)]
    people.events([(pk, "order", moment, {}) for pk, moment in zip(ids, moments, strict=True)])

    assert _found(_did(day, day), ids) == {ids[1], ids[2]}
    assert _found(_did(day), ids) == {ids[1], ids[2], ids[3]}
    assert _found(_did(None, day), ids) == {ids[0], ids[1], ids[2]}
    assert _found(_did(day, day, operator="did_not"), ids) == {ids[0], ids[3]}
    assert _found(_did(day, day, operator="first_time"), ids) == {ids[1], ids[2]}
    assert _found(_did(day, day, operator="stopped"), ids) == {ids[0]}


def test_what_stopped_within_a_day_happened_before_it(organization: Organization) -> None:
    _lives_in(organization, "Europe/Berlin")
    before, after = (people.contact(name=name).pk for name in ("before", "after"))
    people.events([(before, "order", datetime(2026, 1, 1, 22, tzinfo=UTC), {}),
                   (after, "order", datetime(2026, 1, 2, 15, tzinfo=UTC), {})])  # fmt: skip

    rule = _did("2026-01-02", "2026-01-02T10:00Z", operator="stopped")

    assert _found(rule, [before, after]) == {before}


def test_days_at_the_end_of_time_are_no_error(organization: Organization) -> None:
    _lives_in(organization, "Pacific/Kiritimati")
    ada = people.contact().pk
    people.event(ada, "order", datetime(2026, 5, 1, tzinfo=UTC))

    assert _found(_did("0001-01-01", "9999-12-31"), [ada]) == {ada}
    _lives_in(organization, "Pacific/Niue")
    assert _found(_did("0001-01-01", "9999-12-31"), [ada]) == {ada}
    assert _found(_did("9999-12-31"), [ada]) == set()
    assert _found(_did("0001-01-01", "0001-01-01T00:00:00+05:00"), [ada]) == set()


def test_the_sentence_says_the_zone_where_it_matters(organization: Organization) -> None:
    rule = _did("2026-01-01", "2026-01-31")
    plain = "Contacts where order happened from 1 Jan 2026 to 31 Jan 2026"
    people.definition("order")

    assert rules.describe(rule) == plain
    _lives_in(organization, "Europe/Berlin")
    assert rules.describe(rule) == f"{plain} (days of Europe/Berlin)"
    assert (
        rules.describe(_did("2026-01-01")) == "Contacts where order happened since 1 Jan 2026 (days of Europe/Berlin)"
    )
    moments = _did("2026-01-01T08:00Z", "2026-01-31T08:00Z")
    assert rules.describe(moments) == "Contacts where order happened from 1 Jan 2026 08:00 to 31 Jan 2026 08:00"


def test_the_zone_is_asked_for_once(organization: Organization) -> None:
    people.definition("order")
    zones.known_zones()
    days = [_did(f"2026-01-0{number}", f"2026-02-0{number}", count=number) for number in range(1, 6)]
    rule = rules.parse(everyone(*days))

    with CaptureQueriesContext(
        connection,
    ) as queries:
        compiler.everybody(rule, tenancy.required(), NOW)

    assert len([query for query in queries if "accounts_organization" in query["sql"]]) == 1


def test_a_day_beside_a_moment_is_not_refused_where_it_may_hold(organization: Organization) -> None:
    _lives_in(organization, "Pacific/Kiritimati")
    ada = people.contact().pk
    people.event(ada, "order", datetime(2026, 1, 1, 15, tzinfo=UTC))

    assert _found(_did("2026-01-02", "2026-01-01T20:00Z"), [ada]) == {ada}
    with pytest.raises(Invalid, match="ends before it begins"):
        rules.parse(_did("2026-01-03", "2026-01-01T20:00Z"))
    with pytest.raises(Invalid, match="ends before it begins"):
        rules.parse(_did("2026-01-02", "2026-01-01"))


def test_another_zone_moves_its_days(organization: Organization, drain: Any) -> None:
    ada = people.contact()
    people.event(ada, "order", datetime(2026, 1, 1, 23, 30, tzinfo=UTC))
    with clock.freeze(NOW):
        days = services.create_segment(name="Days", rule=_did("2026-01-02", "2026-01-02"))
        moments = services.create_segment(name="Moments", rule=_did("2026-01-02T00:00Z"))
        drain()
        assert selectors.member_ids(days.pk) == []

        organization.timezone = "Europe/Berlin"
        accounts.change_organization(organization)
        drain()

        assert selectors.member_ids(days.pk) == [ada.pk]
        organization.timezone = "America/New_York"
        accounts.change_organization(organization)
        drain()
        assert selectors.member_ids(days.pk) == []
    fields = SegmentDependency.objects.exclude(field="").values_list("segment", "field")
    assert list(fields) == [(days.pk, "organization.timezone")]
    assert moments.dependencies.count() == 1


def test_the_first_moment_of_every_day_of_some_zones() -> None:
    for zone in ("Europe/Berlin", "America/Santiago", "Asia/Beirut", "Pacific/Apia", "Africa/Cairo"):
        for number in range(0, 365 * 20):
            day = date(2008, 1, 1) + timedelta(days=number)
            found = zones.first_moment(day, zone)
            assert found is not None
            assert found.astimezone(zones.ZoneInfo(zone)).date() >= day
            assert (found - TICK).astimezone(zones.ZoneInfo(zone)).date() < day
