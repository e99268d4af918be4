"""Sums of conversions and credits over a period, in the organisation's currency and over its revenue goals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import connection

from accounts.models import Organization
from common import tenancy
from common.periods import Period

# What every sum is about. Plan: a range of conversion_by_time, credits by their conversion.
COUNTED = """
conversion.organization_id = %(organization)s AND conversion.happened_at >= %(start)s
AND conversion.happened_at < %(end)s AND conversion.currency = %(currency)s
AND conversion.goal_id IN (SELECT id FROM attribution_goal WHERE organization_id = %(organization)s
                           AND (id = %(goal)s OR (%(goal)s::bigint IS NULL AND counts_as_revenue)))
"""
TOTALS_SQL = f"""
SELECT count(*), coalesce(sum(value_minor - refunded_minor), 0), coalesce(sum(refunded_minor), 0),
       count(*) FILTER (WHERE NOT EXISTS (SELECT 1 FROM attribution_credit AS credit
                                          WHERE credit.conversion_id = conversion.id)),
       coalesce(sum(value_minor - refunded_minor) FILTER (
           WHERE NOT EXISTS (SELECT 1 FROM attribution_credit AS credit
                             WHERE credit.conversion_id = conversion.id)), 0),
       count(*) FILTER (WHERE status = 'pending')
FROM attribution_conversion AS conversion WHERE {COUNTED}
"""
LEFT_OUT_SQL = f"""
SELECT conversion.currency, count(*), sum(value_minor - refunded_minor)
FROM attribution_conversion AS conversion
WHERE {COUNTED.replace("conversion.currency = ", "conversion.currency <> ")} GROUP BY 1 ORDER BY 1
"""
LEFT_OUT_COSTS_SQL = """
SELECT currency, count(*), sum(amount_minor) FROM attribution_cost
WHERE organization_id = %(organization)s AND day BETWEEN %(first_day)s AND %(last_day)s
  AND currency <> %(currency)s GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class LeftOut:
    """What is kept and not in the totals, because it is in another currency. `what`: conversions or costs."""

    what: str
    currency: str
    count: int
    amount_minor: int


@dataclass(frozen=True)
class Totals:
    """Of one period. Money in minor units of `currency`, after refunds."""

    currency: str
    conversions: int
    revenue_minor: int
    refunded_minor: int
    unattributed_conversions: int
    unattributed_minor: int
    pending_conversions: int  # their credits are being drawn; figures by model may still move
    left_out: list[LeftOut]


def parameters(period: Period, goal_id: int | None = None, **more: Any) -> dict[str, Any]:
    """What the statements of this room's selectors bind."""
    return {
        "organization": tenancy.required(),
        "start": period.starts_at,
        "end": period.ends_at,
        "first_day": period.first_day,
        "last_day": period.last_day,
        "currency": organization_currency(),
        "goal": goal_id,
        **more,
    }


def organization_currency() -> str:
    return Organization.objects.values_list("currency", flat=True).get(pk=tenancy.required())


def fetch(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement that names its organisation itself."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())


def totals(period: Period, goal_id: int | None = None) -> Totals:
    """Conversions, revenue and what nobody is credited with; of the revenue goals, or of one goal."""
    values = parameters(period, goal_id)
    conversions, revenue, refunded, unattributed, unattributed_minor, pending = fetch(TOTALS_SQL, values)[0]
    left_out = [
        LeftOut(what, foreign, count, int(amount))
        for what, statement in (("conversions", LEFT_OUT_SQL), ("costs", LEFT_OUT_COSTS_SQL))
        for foreign, count, amount in fetch(statement, values)
    ]
    return Totals(
        currency=values["currency"],
        conversions=conversions,
        revenue_minor=int(revenue),
        refunded_minor=int(refunded),
        unattributed_conversions=unattributed,
        unattributed_minor=int(unattributed_minor),
        pending_conversions=pending,
        left_out=left_out,
    )
