"""The nightly analysis: a real shop's year, every count proved by plain Python over the raw file, and 1 M contacts
with 90 days of transactions beside the loop over contacts that one would write first.

Without ../shared/data/retail (see benchmarks/retail.py) the first part is left out, and it says so.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from benchmarks import report, retail
from benchmarks.report import Figure

NIGHTS = [datetime(2011, month, 1, 2, tzinfo=UTC) for month in (3, 5, 7, 9, 11, 12)]
MOST_SECONDS = 60
FILL_CONTACTS = """
INSERT INTO audience_contact
       (organization_id, name, user_id, city, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, 'Person ' || n, 'user-' || n, 'Leeds', %(now)s, %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(contacts)s) AS n"""
# Some buy often: the square of a share falls on few people.
FILL_EVENTS = """
INSERT INTO audience_event
       (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
SELECT %(organization)s, %(first)s + floor(%(contacts)s * share * share)::bigint, %(order)s, gen_random_uuid(),
       moment, moment, jsonb_build_object(
         'total', 5 + n %% 700, 'currency', 'GBP', 'order_id', n,
         'store', (ARRAY['North','South','East','West'])[1 + n %% 4],
         'category', (ARRAY['Tea','Coffee','Cups','Books','Toys','Tools'])[1 + n %% 6])
FROM (SELECT n, (hashint8(n) & 2147483647) / 2147483648.0 AS share,
             %(now)s::timestamptz - interval '90 days' * ((hashint8(n * 7) & 2147483647) / 2147483648.0) AS moment
      FROM generate_series(1, %(events)s) AS n) AS drawn
ORDER BY moment"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts

    contacts, events = (1_000, 4_000) if smoke else (1_000_000, 4_000_000)
    figures = real_year(accounts.create_organization("Retail", "retail").pk, smoke=smoke)
    figures += many(accounts.create_organization("Bench", "bench").pk, contacts, events)
    report.publish("analysis", figures, {"python": report.peak_megabytes()})


def real_year(organization_id: int, *, smoke: bool) -> list[Figure]:
    """Campaigns a cycle makes and how long it takes; raises where a count is not what the raw file says."""
    from accounts.models import Organization
    from common import clock, tenancy

    if not retail.FILE.exists():
        print(f"There is no {retail.FILE}: the real year was left out.", file=sys.stderr)
        return []
    history = retail.orders(keep=5 if smoke else None)
    figures: list[Figure] = []
    with tenancy.organization(organization_id):
        Organization.objects.update(currency=retail.CURRENCY)
        retail.load(history)
        for night in NIGHTS[-2:] if smoke else NIGHTS:
            with clock.freeze(night):
                seconds, counts, made = _cycle()
            wanted = {kind: len(who) for kind, who in retail.expected(history, night).items()}
            assert counts == wanted, f"{night}: found {counts}, the raw file says {wanted}"
            told = f"{night:%-d %B %Y}: campaigns made ({sum(counts.values()):,} people found in {seconds:.2f} s)"
            figures.append(Figure(told, made, "campaigns", goal="3 to 7", is_met=smoke or 3 <= made <= 7))
    return figures


def _cycle() -> tuple[float, dict[str, int], int]:
    """A whole cycle: seconds, people found by preset, campaigns made."""
    from campaigns.auto import cycles
    from campaigns.models import AutoFinding
    from common import tenancy

    began = time.perf_counter()
    cycle = cycles.request()
    cycles.work(tenancy.required())
    seconds = time.perf_counter() - began
    cycle.refresh_from_db()
    assert cycle.status == "done", cycle.error
    rows = AutoFinding.objects.filter(cycle=cycle).select_related("preset")
    return (
        seconds,
        {row.preset.kind: row.found_count for row in rows},
        sum(row.campaign_id is not None for row in rows),
    )


def many(organization_id: int, contacts: int, events: int) -> list[Figure]:
    """The analysis alone, and with the proposals and their targets, beside a loop over a sample of contacts."""
    from campaigns.auto import cycles
    from campaigns.models import Target
    from common import clock, tenancy

    with tenancy.organization(organization_id):
        values = _fill(contacts, events)
        with clock.freeze(values["now"]):
            began = time.perf_counter()
            _, found = cycles.look()
            looked = time.perf_counter() - began
            looped = _loop(values, sample=min(contacts, 1_000)) * contacts / min(contacts, 1_000)
            seconds, counts, made = _cycle()
        assert counts == {row.preset.kind: row.people for row in found}
        targets = Target.objects.count()
    name = f"{contacts:,} contacts, {events:,} transactions"
    return [
        Figure(f"{name}: analysed", looked, "s", "a loop over contacts", looped, f"≤ {MOST_SECONDS} s",
               looked <= MOST_SECONDS),
        Figure(f"… with {made} proposals and their {targets:,} targets", seconds, "s", goal=f"≤ {MOST_SECONDS} s",
               is_met=seconds <= MOST_SECONDS),
    ]  # fmt: skip


def _fill(contacts: int, events: int) -> dict[str, Any]:
    from django.db import connection

    from audience.models import EventDefinition
    from audience.services import partitions
    from common import clock, tenancy

    now = clock.now()
    kinds = {"total": "number", "currency": "text", "store": "text", "category": "text"}
    order = EventDefinition.objects.create(name="order_completed", properties=kinds)
    partitions.ensure_months([now - timedelta(days=days) for days in range(0, 120, 10)])
    values = {
        "organization": tenancy.required(),
        "contacts": contacts,
        "events": events,
        "now": now,
        "order": order.pk,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL_CONTACTS, values)
        cursor.execute("SELECT min(id) FROM audience_contact WHERE organization_id = %(organization)s", values)
        values["first"] = cursor.fetchone()[0]
        cursor.execute(FILL_EVENTS, values)
        for table in ("audience_contact", "audience_event"):
            cursor.execute(f"VACUUM ANALYZE {table}")
    return values


def _loop(values: dict[str, Any], sample: int) -> float:
    """What one would write first: the transactions of each contact, added up in Python. Seconds for the sample."""
    from django.db import connection

    from common import tenancy

    began = time.perf_counter()
    with tenancy.engine(), connection.cursor() as cursor:
        for contact_id in range(values["first"], values["first"] + sample):
            cursor.execute(
                "SELECT happened_at, properties ->> 'total', properties ->> 'store', properties ->> 'category' "
                "FROM audience_event WHERE organization_id = %s AND contact_id = %s AND definition_id = %s "
                "AND happened_at > %s",
                [values["organization"], contact_id, values["order"], values["now"] - timedelta(days=90)],
            )
            rows = cursor.fetchall()
            (
                sum(Decimal(row[1]) for row in rows),
                len({row[2] for row in rows}),
                max((row[0] for row in rows), default=0),
            )
    return time.perf_counter() - began
