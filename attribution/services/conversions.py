"""Events → conversions and refunds, by goal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from accounts.models import Organization
from attribution.domain import goals as rules
from attribution.domain import refunds
from attribution.models import Conversion, Goal, Refund
from audience.domain import event_names
from common import clock, doorbell, tenancy

# Where the events come from: these (one probe of the primary key each), or all of some definitions
# (a range of event_by_definition).
THESE = """unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS wanted(id, happened_at)
JOIN audience_event AS event ON event.id = wanted.id AND event.happened_at = wanted.happened_at"""
ALL = "audience_event AS event"

CONVERSIONS_SQL = """
INSERT INTO attribution_conversion (organization_id, goal_id, contact_id, event_id, value_minor, currency, order_id,
                                    happened_at, run_at)
SELECT %(organization)s, %(goal)s, event.contact_id, event.id, coalesce(event.value_minor, 0),
       coalesce(event.currency, %(currency)s), left(coalesce(event.properties ->> 'order_id', ''), 200),
       event.happened_at, %(now)s
FROM {events}
WHERE event.organization_id = %(organization)s AND event.definition_id = ANY(%(definitions)s)
  AND coalesce(event.value_minor, 0) >= 0 {where}
ON CONFLICT (organization_id, goal_id, event_id) DO NOTHING
RETURNING contact_id
"""
# A negative order takes money back as a refund event does.
REFUNDS_SQL = """
INSERT INTO attribution_refund (organization_id, goal_id, contact_id, event_id, value_minor, currency, order_id,
                                happened_at)
SELECT %(organization)s, %(goal)s, event.contact_id, event.id, abs(event.value_minor),
       coalesce(event.currency, %(currency)s), left(coalesce(event.properties ->> 'order_id', ''), 200),
       event.happened_at
FROM {events}
WHERE event.organization_id = %(organization)s
  AND (event.definition_id = ANY(%(refund_definitions)s)
       OR (event.definition_id = ANY(%(definitions)s) AND event.value_minor < 0 {where}))
ON CONFLICT (organization_id, goal_id, event_id) DO NOTHING
RETURNING contact_id
"""
SETTLE_SQL = """
UPDATE attribution_conversion AS conversion
SET refunded_minor = settled.refunded, status = 'pending', run_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(refunded)s::bigint[]) AS settled(id, refunded)
WHERE conversion.id = settled.id AND conversion.organization_id = %(organization)s
  AND conversion.refunded_minor <> settled.refunded
"""


def record(goals: Sequence[Goal], names: dict[int, str], events: Sequence[tuple[int, datetime]] | None) -> None:
    """Write the conversions and refunds of these events (id, moment), or of all events when None.

    `names` says what the definitions at hand are called. A few statements per goal, whatever the number of
    events. Call it inside `writing()`.
    """
    touched: set[int] = set()
    for goal in goals:
        touched |= _record_goal(goal, names, events)
    if touched:
        settle_refunds(touched)
        doorbell.ring("credits")


def _record_goal(goal: Goal, names: dict[int, str], events: Sequence[tuple[int, datetime]] | None) -> set[int]:
    keys = {pk: event_names.key(name) for pk, name in names.items()}
    definitions = [pk for pk, key in keys.items() if key == event_names.key(goal.event_name)]
    refund_key = event_names.key(goal.refund_event_name)
    refund_definitions = [pk for pk, key in keys.items() if refund_key and key == refund_key]
    if not definitions and not refund_definitions:
        return set()
    where, parameters = conditions_sql(rules.parse_where(goal.where))
    parameters |= {
        "organization": tenancy.required(),
        "goal": goal.pk,
        "currency": currency(),
        "now": clock.now(),
        "definitions": definitions,
        "refund_definitions": refund_definitions,
        "ids": [event_id for event_id, _ in events or []],
        "moments": [moment for _, moment in events or []],
    }
    touched: set[int] = set()
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in (CONVERSIONS_SQL, REFUNDS_SQL):
            cursor.execute(statement.format(events=ALL if events is None else THESE, where=where), parameters)
            touched |= {row[0] for row in cursor.fetchall()}
    return touched


def currency() -> str:
    """The organisation's currency: totals are in it alone."""
    return Organization.objects.values_list("currency", flat=True).get(pk=tenancy.required())


def conditions_sql(conditions: Sequence[rules.Condition]) -> tuple[str, dict[str, Any]]:
    """Conditions on an event's properties as SQL over `event`; names and values are bound."""
    texts: list[str] = []
    parameters: dict[str, Any] = {}
    for index, condition in enumerate(conditions):
        name, value = f"property_{index}", f"value_{index}"
        held = f"(event.properties -> %({name})s)"
        parameters[name] = condition.property
        if condition.operator in ("greater", "less"):
            sign = ">" if condition.operator == "greater" else "<"
            # CASE keeps the cast away from text that is no number.
            texts.append(
                f"CASE WHEN jsonb_typeof{held} = 'number' THEN {held}::numeric {sign} %({value})s::numeric"
                " ELSE false END"
            )
            parameters[value] = condition.value
        elif condition.operator == "is_set":
            texts.append(f"coalesce({held}, 'null') <> 'null'")
        else:
            listed = condition.value if condition.operator == "in" else [condition.value]
            negation = "NOT " if condition.operator == "not_equals" else ""
            texts.append(f"{negation}coalesce({held}, 'null') = ANY(%({value})s::jsonb[])")
            parameters[value] = [msgspec.json.encode(item).decode() for item in listed]
    return "".join(f" AND {text}" for text in texts), parameters


def settle_refunds(contact_ids: set[int]) -> None:
    """Take these contacts' refunds from their purchases; purchases that change are credited again."""
    given: dict[int, list[refunds.Refund]] = {}
    for row in Refund.objects.filter(contact_id__in=contact_ids):
        given.setdefault(row.contact_id, []).append(
            refunds.Refund(row.event_id, row.goal_id, row.order_id, row.currency, row.value_minor, row.happened_at)
        )
    if not given:
        return
    purchases: dict[int, list[refunds.Purchase]] = {}
    for made in Conversion.objects.filter(contact_id__in=given):
        purchases.setdefault(made.contact_id, []).append(
            refunds.Purchase(
                made.pk,
                made.event_id,
                made.goal_id,
                made.order_id,
                made.currency,
                made.value_minor,
                made.happened_at,
            )
        )
    settled: dict[int, int] = {}
    for contact_id, back in given.items():
        settled |= refunds.settle(purchases.get(contact_id, []), back)
    _write_refunded(settled)


def _write_refunded(settled: dict[int, int]) -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            SETTLE_SQL,
            {
                "organization": tenancy.required(),
                "now": clock.now(),
                "ids": list(settled),
                "refunded": list(settled.values()),
            },
        )
