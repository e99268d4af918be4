"""How invitations spread: the coefficient K and what it is made of (VIR-4)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse

from common import tenancy
from common.periods import Period

STEPS = ("invited", "clicked", "signed_up", "qualified", "rewarded")

# Who invited in a period: somebody of whose invitations anything happened in it.
# Plan: referral_by_creation and referral_by_qualification; the rest of an organisation's referrals is few.
ACTIVE = """
referral.organization_id = %(organization)s
AND (%(program)s::bigint IS NULL OR referral.program_id = %(program)s)
"""
MOMENTS = """
(VALUES (referral.created_at), (referral.clicked_at), (referral.signed_up_at), (referral.qualified_at))
    AS moment(happened_at)
"""
COEFFICIENT_SQL = f"""
SELECT (SELECT count(DISTINCT referral.inviter_id) FROM viral_referral AS referral, LATERAL {MOMENTS}
        WHERE {ACTIVE} AND referral.status <> 'rejected'
          AND moment.happened_at >= %(start)s AND moment.happened_at < %(end)s),
       count(*) FILTER (WHERE referral.qualified_at >= %(start)s AND referral.qualified_at < %(end)s
                          AND referral.status IN ('qualified', 'rewarded')),
       count(*) FILTER (WHERE referral.signed_up_at >= %(start)s AND referral.signed_up_at < %(end)s
                          AND referral.status IN ('signed_up', 'qualified', 'rewarded')),
       count(*) FILTER (WHERE created AND status <> 'rejected'),
       count(*) FILTER (WHERE created AND status <> 'rejected'
                          AND (clicked_at IS NOT NULL OR signed_up_at IS NOT NULL)),
       count(*) FILTER (WHERE created AND status IN ('signed_up', 'qualified', 'rewarded')),
       count(*) FILTER (WHERE created AND status IN ('qualified', 'rewarded')),
       count(*) FILTER (WHERE created AND status = 'rewarded'),
       count(*) FILTER (WHERE created AND status = 'rejected'),
       percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM referral.qualified_at - referral.created_at))
           FILTER (WHERE referral.qualified_at >= %(start)s AND referral.qualified_at < %(end)s
                     AND referral.status IN ('qualified', 'rewarded')),
       coalesce(sum(referral.value_minor) FILTER (
           WHERE referral.qualified_at >= %(start)s AND referral.qualified_at < %(end)s
             AND referral.status IN ('qualified', 'rewarded')
             AND (referral.currency = '' OR referral.currency = (SELECT currency FROM accounts_organization
                                                                 WHERE id = %(organization)s))), 0)
FROM viral_referral AS referral
CROSS JOIN LATERAL (SELECT referral.created_at >= %(start)s AND referral.created_at < %(end)s AS created) AS period
WHERE {ACTIVE}
"""
TREND_SQL = f"""
SELECT date_trunc('week', moment.happened_at, 'UTC') AS week, count(DISTINCT referral.inviter_id),
       count(DISTINCT referral.id) FILTER (WHERE moment.kind = 'qualified'
                                             AND referral.status IN ('qualified', 'rewarded'))
FROM viral_referral AS referral
CROSS JOIN LATERAL (VALUES ('created', referral.created_at), ('clicked', referral.clicked_at),
                           ('signed_up', referral.signed_up_at), ('qualified', referral.qualified_at))
     AS moment(kind, happened_at)
WHERE {ACTIVE} AND referral.status <> 'rejected'
  AND moment.happened_at >= %(start)s AND moment.happened_at < %(end)s
GROUP BY 1 ORDER BY 1
"""


@dataclass(frozen=True)
class Step:
    """A step of the way. `rate`: share of the step before that came so far, 0 … 1; None of nobody."""

    name: str
    count: int
    rate: float | None


@dataclass(frozen=True)
class Week:
    """A calendar week (UTC, from Monday): who invited, who converted, K."""

    starts_at: datetime
    inviters: int
    conversions: int
    coefficient: float | None


@dataclass(frozen=True)
class Coefficient:
    """K of a period. `coefficient` = conversions ÷ distinct inviters; None when nobody invited.

    `conversions`: invitees who qualified in the period; `sign_ups`: who signed up in it. `steps` follows the
    invitations made in the period as far as they have come by now. `revenue_minor`: worth of the qualifying
    events, in the organisation's currency. `rows` are addresses of the lists behind the figures.
    """

    coefficient: float | None
    sign_up_coefficient: float | None
    conversions: int
    sign_ups: int
    inviters: int
    invitations: int
    invitations_per_inviter: float | None
    rejected: int
    median_days_to_qualify: float | None
    revenue_minor: int
    steps: list[Step]
    weeks: list[Week]
    rows: dict[str, str] = field(default_factory=dict, compare=False)


def coefficient(period: Period, program_id: int | None = None) -> Coefficient:
    """K and its parts, of all programmes or of one: two queries."""
    values = {
        "organization": tenancy.required(),
        "program": program_id,
        "start": period.starts_at,
        "end": period.ends_at,
    }
    row = _fetch(COEFFICIENT_SQL, values)[0]
    inviters, conversions, sign_ups, *steps, rejected, seconds, revenue = row
    return Coefficient(
        coefficient=_ratio(conversions, inviters),
        sign_up_coefficient=_ratio(sign_ups, inviters),
        conversions=conversions,
        sign_ups=sign_ups,
        inviters=inviters,
        invitations=steps[0],
        invitations_per_inviter=_ratio(steps[0], inviters),
        rejected=rejected,
        median_days_to_qualify=None if seconds is None else float(seconds) / timedelta(days=1).total_seconds(),
        revenue_minor=int(revenue),
        steps=_steps(steps),
        weeks=[Week(week[0], week[1], week[2], _ratio(week[2], week[1])) for week in _fetch(TREND_SQL, values)],
        rows=_rows(period, program_id),
    )


def _steps(counts: list[int]) -> list[Step]:
    before = [None, *counts]
    return [
        Step(name, count, _ratio(count, previous) if previous is not None else None)
        for name, count, previous in zip(STEPS, counts, before, strict=False)
    ]


def _rows(period: Period, program_id: int | None) -> dict[str, str]:
    """The referrals behind the figures, as lists of the admin."""
    address = reverse("admin:viral_referral_changelist")
    program = {"program__id__exact": program_id} if program_id is not None else {}
    start, end = period.starts_at.isoformat(), period.ends_at.isoformat()
    words = {
        "conversions": {
            "qualified_at__gte": start,
            "qualified_at__lt": end,
            "status__in": "qualified,rewarded",
        },
        "sign_ups": {
            "signed_up_at__gte": start,
            "signed_up_at__lt": end,
            "status__in": "signed_up,qualified,rewarded",
        },
        "invitations": {"created_at__gte": start, "created_at__lt": end},
        "rejected": {"created_at__gte": start, "created_at__lt": end, "status__exact": "rejected"},
    }
    return {name: f"{address}?{urlencode({**filters, **program})}" for name, filters in words.items()}


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _fetch(statement: str, values: dict[str, Any]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        return list(cursor.fetchall())
