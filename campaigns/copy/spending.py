"""What the endpoint may cost in a month: taken in full before a call, settled after it, never above the cap."""

from __future__ import annotations

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from django.db import DatabaseError, connection, transaction

from accounts.models import Organization
from campaigns.models import CopySpend
from common import clock, tenancy

MICRO_PER_MINOR = 10_000  # a cent is 10 000 millionths
LOCK_MS = 200

# One row a month: whoever comes second waits for the first, and sees what it took. Plan: the unique index.
RESERVE_SQL = """
INSERT INTO campaigns_copyspend AS spend (organization_id, month, spent_micro)
SELECT %(organization)s::bigint, %(month)s::date, %(cost)s::bigint WHERE %(cost)s::bigint <= %(cap)s::bigint
ON CONFLICT (organization_id, month) DO UPDATE SET spent_micro = spend.spent_micro + excluded.spent_micro
WHERE spend.spent_micro + excluded.spent_micro <= %(cap)s
RETURNING month"""
SETTLE_SQL = """
UPDATE campaigns_copyspend SET spent_micro = greatest(0, spent_micro + %(difference)s)
WHERE organization_id = %(organization)s AND month = %(month)s"""


def reserve(cost_micro: int, cap_minor: int) -> date | None:
    """Take what a call may cost at most; the month it counts for, or None when the cap would be passed.

    Outside of a transaction it is kept at once: a worker that dies in the call has counted it.
    """
    values: dict[str, Any] = {
        "organization": tenancy.required(), "month": _month(), "cost": cost_micro,
        "cap": cap_minor * MICRO_PER_MINOR,
    }  # fmt: skip
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Inside of a caller's transaction the row may be held as long as another call lasts.
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [f"{LOCK_MS}ms"])
            cursor.execute(RESERVE_SQL, values)
            row = cursor.fetchone()
            cursor.execute("SET LOCAL lock_timeout TO DEFAULT")
    except DatabaseError as error:
        if getattr(error.__cause__, "sqlstate", "") == "55P03":  # lock_not_available
            return None
        raise
    return row[0] if row else None


def settle(month: date, reserved_micro: int, cost_micro: int) -> None:
    """Give back what the call did not cost."""
    if reserved_micro == cost_micro:
        return
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "month": month,
        "difference": cost_micro - reserved_micro,
    }
    with connection.cursor() as cursor:
        cursor.execute(SETTLE_SQL, values)


def spent_micro() -> int:
    """What this month has cost so far."""
    return CopySpend.objects.filter(month=_month()).values_list("spent_micro", flat=True).first() or 0


def _month() -> date:
    """The first day of the month in the organisation's zone."""
    zone = Organization.objects.values_list("timezone", flat=True).get(pk=tenancy.required())
    return clock.now().astimezone(ZoneInfo(zone)).date().replace(day=1)
