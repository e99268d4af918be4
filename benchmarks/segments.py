"""(d) Full build of segments over 1 M contacts and 10 M events, beside hand-written SQL on the same tables.

Both sides write their members: ours through the service (memberships, flips, counts, notices), the yardstick
by one hand-written INSERT … SELECT into an equal table.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from benchmarks import report
from benchmarks.report import Figure

MOST_RATIO = 1.5
RULES: dict[str, tuple[dict[str, Any], str]] = {
    "attribute: city equals": (
        {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]},
        "SELECT id FROM audience_contact WHERE organization_id = %(organization)s AND merged_into_id IS NULL"
        " AND city = 'Leeds'",
    ),
    "two behaviours: bought twice in 30 days, did not view in 7": (
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
    ),
    "mixed: Leeds or London, and spent over 50 once in 60 days": (
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
    ),
}


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, events = (2_000, 20_000) if smoke else (1_000_000, 10_000_000)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        parameters = _fill(organization.pk, contacts, events)
        figures = [_compare(name, rule, sql, parameters) for name, (rule, sql) in RULES.items()]
    report.publish("segments", figures, {"python": report.peak_megabytes()})


def _fill(organization_id: int, contacts: int, events: int) -> dict[str, Any]:
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
        cursor.execute("CREATE TABLE yardstick (LIKE segments_membership INCLUDING ALL)")
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


def _compare(name: str, rule: dict[str, Any], by_hand: str, parameters: dict[str, Any]) -> Figure:
    """Best of three on each side, taken in turns; each build starts from an empty segment."""
    from common import clock

    ours: list[float] = []
    yardstick: list[float] = []
    sizes: set[int] = set()
    # Both sides judge the same moment, whenever they run.
    with clock.freeze(parameters["now"]):
        for attempt in range(3):
            ours.append(_timed(partial(_build, f"{name} {attempt}", rule), sizes))
            yardstick.append(_timed(partial(_insert_by_hand, by_hand, parameters), sizes))
    assert len(sizes) == 1, f"{name}: ours and hand-written SQL disagree: {sizes}"
    best, best_by_hand = min(ours), min(yardstick)
    return Figure(
        f"{name} ({sizes.pop():,} members)", best, "s", "hand-written", best_by_hand,
        f"≤ {MOST_RATIO} ×", best <= MOST_RATIO * best_by_hand,
    )  # fmt: skip


def _timed(work: Callable[[], int], sizes: set[int]) -> float:
    started = time.perf_counter()
    sizes.add(work())
    return time.perf_counter() - started


def _build(name: str, rule: dict[str, Any]) -> int:
    from segments import services as segments
    from segments.models import Membership

    segment = segments.create_segment(name=name, rule=rule)
    segments.rebuild(segment.pk)
    return Membership.objects.filter(segment=segment, left_at=None).count()


def _insert_by_hand(sql: str, parameters: dict[str, Any]) -> int:
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("TRUNCATE yardstick")
        cursor.execute(
            "INSERT INTO yardstick (organization_id, segment_id, contact_id, entered_at) "
            f"SELECT %(organization)s, 1, id, %(now)s FROM ({sql}) AS members(id)",
            parameters,
        )
        return int(cursor.rowcount)
