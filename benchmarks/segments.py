"""(d) Full build of segments over 1 M contacts and 10 M events, beside hand-written SQL on the same tables.

All sides write into equal tables that keep the rows of the runs before. Ours builds through the service: members,
the moments at which time alone changes them, counts, notices. One yardstick is a hand-written INSERT … SELECT of
the members alone, which is out of date a moment later; the other is hand-written too and also keeps the moments.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

from benchmarks import report
from benchmarks.report import Figure

MOST_RATIO = 1.5


@dataclass(frozen=True)
class Case:
    """A rule; SQL of its members; SQL of (id, is_member, changes_at), empty when time changes nothing."""

    name: str
    rule: dict[str, Any]
    members: str
    moments: str = ""


CASES = (
    Case(
        "attribute: city equals",
        {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]},
        "SELECT id FROM audience_contact WHERE organization_id = %(organization)s AND merged_into_id IS NULL"
        " AND city = 'Leeds'",
    ),
    Case(
        "two behaviours: bought twice in 30 days, did not view in 7",
        {
            "match": "all",
            "rules": [
                {"event": "order_completed", "operator": "did", "count": 2, "within": {"days": 30}},
                {"event": "page_viewed", "operator": "did_not", "within": {"days": 7}},
            ],
        },
        """SELECT c.id FROM audience_contact c
           JOIN (SELECT contact_id FROM audience_event WHERE organization_id = %(organization)s
                 AND definition_id = %(order)s AND happened_at > %(month)s
                 GROUP BY contact_id HAVING count(*) >= 2) AS bought ON bought.contact_id = c.id
           LEFT JOIN (SELECT DISTINCT contact_id FROM audience_event WHERE organization_id = %(organization)s
                 AND definition_id = %(page)s AND happened_at > %(week)s) AS viewed ON viewed.contact_id = c.id
           WHERE c.organization_id = %(organization)s AND c.merged_into_id IS NULL AND viewed.contact_id IS NULL""",
        """SELECT c.id, viewed.contact_id IS NULL,
                  coalesce(viewed.last_at + interval '7 days', bought.first_at + interval '30 days')
           FROM audience_contact c
           JOIN (SELECT contact_id, min(happened_at) AS first_at FROM audience_event
                 WHERE organization_id = %(organization)s AND definition_id = %(order)s AND happened_at > %(month)s
                 GROUP BY contact_id HAVING count(*) >= 2) AS bought ON bought.contact_id = c.id
           LEFT JOIN (SELECT contact_id, max(happened_at) AS last_at FROM audience_event
                 WHERE organization_id = %(organization)s AND definition_id = %(page)s AND happened_at > %(week)s
                 GROUP BY contact_id) AS viewed ON viewed.contact_id = c.id
           WHERE c.organization_id = %(organization)s AND c.merged_into_id IS NULL""",
    ),
    Case(
        "mixed: Leeds or London, and spent over 50 once in 60 days",
        {
            "match": "all",
            "rules": [
                {"field": "city", "operator": "in", "value": ["Leeds", "London"]},
                {
                    "event": "order_completed",
                    "operator": "did",
                    "count": 1,
                    "within": {"days": 60},
                    "where": [{"property": "total", "operator": "greater", "value": 50}],
                },
            ],
        },
        """SELECT c.id FROM audience_contact c
           WHERE c.organization_id = %(organization)s AND c.merged_into_id IS NULL AND c.city IN ('Leeds', 'London')
             AND c.id IN (SELECT contact_id FROM audience_event WHERE organization_id = %(organization)s
                          AND definition_id = %(order)s AND happened_at > %(two_months)s
                          AND (properties->>'total')::numeric > 50)""",
        """SELECT c.id, true, max(e.happened_at) + interval '60 days' FROM audience_contact c
           JOIN audience_event e ON e.contact_id = c.id
           WHERE c.organization_id = %(organization)s AND c.merged_into_id IS NULL AND c.city IN ('Leeds', 'London')
             AND e.organization_id = %(organization)s AND e.definition_id = %(order)s
             AND e.happened_at > %(two_months)s AND (e.properties->>'total')::numeric > 50
           GROUP BY c.id""",
    ),
)

TABLES = """
CREATE TABLE by_hand (LIKE segments_membership INCLUDING ALL);
CREATE TABLE by_hand_timed (LIKE segments_membership INCLUDING ALL);
CREATE TABLE moments_by_hand (LIKE segments_flipcheck INCLUDING ALL)"""
MEMBERS_SQL = """
INSERT INTO by_hand (organization_id, segment_id, contact_id, entered_at)
SELECT %(organization)s, %(segment)s, id, %(now)s FROM ({select}) AS members(id)"""
# One pass finds both, so its result is kept for the two tables.
MOMENTS_SQL = """
WITH found(id, is_member, changes_at) AS MATERIALIZED ({select}), members AS (
  INSERT INTO by_hand_timed (organization_id, segment_id, contact_id, entered_at)
  SELECT %(organization)s, %(segment)s, id, %(now)s FROM found WHERE is_member)
INSERT INTO moments_by_hand (organization_id, segment_id, contact_id, flips_at)
SELECT %(organization)s, %(segment)s, id, changes_at FROM found WHERE changes_at IS NOT NULL"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, events = (500, 5_000) if smoke else (1_000_000, 10_000_000)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        parameters = fill(organization.pk, contacts, events)
        figures = [figure for case in CASES for figure in build_and_compare(case, parameters)]
    report.publish("segments", figures, {"python": report.peak_megabytes()})


def fill(organization_id: int, contacts: int, events: int) -> dict[str, Any]:
    """People in ten cities and ninety days of events, five page views in six."""
    from django.db import connection

    from audience.models import EventDefinition
    from audience.services import partitions
    from common import clock, tenancy

    now = clock.now()
    kinds = {name: EventDefinition.objects.create(name=name).pk for name in ("page_viewed", "order_completed")}
    partitions.ensure_months([now - timedelta(days=days) for days in range(0, 120, 10)])
    values = {
        "organization": organization_id,
        "contacts": contacts,
        "events": events,
        "now": now,
        "page": kinds["page_viewed"],
        "order": kinds["order_completed"],
        "week": now - timedelta(days=7),
        "month": now - timedelta(days=30),
        "two_months": now - timedelta(days=60),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL_CONTACTS, values)
        cursor.execute("SELECT min(id) FROM audience_contact WHERE organization_id = %(organization)s", values)
        values["first"] = cursor.fetchone()[0]
        cursor.execute(FILL_EVENTS, values)
        cursor.execute(TABLES)
        connection.connection.autocommit = True
        cursor.execute("VACUUM ANALYZE audience_contact")
        cursor.execute("VACUUM ANALYZE audience_event")
    return values


FILL_CONTACTS = """
INSERT INTO audience_contact (organization_id, name, email, city, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, 'Person ' || n, 'person-' || n || '@shop.example',
       (ARRAY['Leeds','London','Paris','Lyon','Berlin','Bonn','Rome','Turin','Porto','Lisbon'])[1 + n %% 10],
       %(now)s, %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(contacts)s) AS n
"""
FILL_EVENTS = """
INSERT INTO audience_event
       (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
SELECT %(organization)s, %(first)s + (hashint8(n) & 2147483647) %% %(contacts)s,
       CASE WHEN n %% 6 = 0 THEN %(order)s ELSE %(page)s END, gen_random_uuid(), moment, moment,
       CASE WHEN n %% 6 = 0 THEN jsonb_build_object('total', 5 + n %% 200) ELSE '{"path": "/shop"}'::jsonb END
FROM (SELECT n, %(now)s::timestamptz - interval '90 days' * ((hashint8(n * 7) & 2147483647) / 2147483648.0) AS moment
      FROM generate_series(1, %(events)s) AS n) AS drawn
ORDER BY moment
"""


NUMBERS = count(1)


def build_and_compare(case: Case, parameters: dict[str, Any], most_ratio: float = MOST_RATIO) -> list[Figure]:
    """Best of three on each side, taken in turns; every run fills a segment of its own from nothing."""
    from common import clock

    sides = {"ours": _build, "hand-written": _members_by_hand}
    if case.moments:
        sides["hand-written with the moments of change"] = _moments_by_hand
    # All sides judge the same moment, whenever they run.
    with clock.freeze(parameters["now"]):
        turns = [{side: work(case, parameters) for side, work in sides.items()} for _ in range(3)]
    best = {side: min(turn[side].seconds for turn in turns) for side in sides}
    sizes = {run.members for turn in turns for run in turn.values()}
    moments = {run.moments for turn in turns for run in turn.values()} - {None}
    assert len(sizes) == len(moments) == 1, f"{case.name}: ours and hand-written SQL disagree: {turns}"
    name, ours = f"{case.name} ({sizes.pop():,} members)", best.pop("ours")
    return [
        Figure(name, ours, "s", side, seconds, f"≤ {most_ratio} ×", ours <= most_ratio * seconds)
        for side, seconds in best.items()
    ]


@dataclass(frozen=True)
class Run:
    """Seconds it took, and how many members and moments it wrote (None: does not keep moments)."""

    seconds: float
    members: int
    moments: int | None


def _build(case: Case, parameters: dict[str, Any]) -> Run:
    from segments import services as segments

    segment = segments.create_segment(name=f"{case.name} {next(NUMBERS)}", rule=case.rule)
    started = time.perf_counter()
    segments.rebuild(segment.pk)
    seconds = time.perf_counter() - started
    return Run(seconds, _rows("segments_membership", segment.pk), _rows("segments_flipcheck", segment.pk))


def _members_by_hand(case: Case, parameters: dict[str, Any]) -> Run:
    number = next(NUMBERS)
    seconds = _timed(MEMBERS_SQL.format(select=case.members), parameters | {"segment": number})
    return Run(seconds, _rows("by_hand", number), None)


def _moments_by_hand(case: Case, parameters: dict[str, Any]) -> Run:
    number = next(NUMBERS)
    seconds = _timed(MOMENTS_SQL.format(select=case.moments), parameters | {"segment": number})
    return Run(seconds, _rows("by_hand_timed", number), _rows("moments_by_hand", number))


def _timed(sql: str, parameters: dict[str, Any]) -> float:
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        started = time.perf_counter()
        cursor.execute(sql, parameters)
        return time.perf_counter() - started


def _rows(table: str, segment_id: int) -> int:
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table} WHERE segment_id = %s", [segment_id])
        return int(cursor.fetchone()[0])
