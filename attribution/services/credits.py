"""Draws the credits of conversions that are marked, in blocks. WORK "credits"."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any

from django.db import connection

from attribution.domain import models as rules
from attribution.domain import paths
from attribution.services import goals
from attribution.services.writing import writing
from common import clock, doorbell, tenancy

BLOCK = 500
MOST_TOUCHES = 500  # the newest before a conversion; a flood of visits must not become a flood of credits

DUE_SQL = """
SELECT id FROM attribution_conversion
WHERE organization_id = %(organization)s AND status = 'pending' ORDER BY id LIMIT %(limit)s
"""
# Plan: per conversion one backward range of touchpoint_path, cut at MOST_TOUCHES.
PATHS_SQL = """
SELECT conversion.id, conversion.value_minor - conversion.refunded_minor, conversion.happened_at,
       touch.id, touch.happened_at, touch.campaign_id, touch.channel, touch.source, touch.campaign_name
FROM attribution_conversion AS conversion
JOIN attribution_goal AS goal ON goal.id = conversion.goal_id
CROSS JOIN LATERAL (
    SELECT * FROM attribution_touchpoint AS touchpoint
    WHERE touchpoint.organization_id = %(organization)s AND touchpoint.contact_id = conversion.contact_id
      AND touchpoint.happened_at <= conversion.happened_at
      AND touchpoint.happened_at > conversion.happened_at - make_interval(days => goal.look_back_days)
    ORDER BY touchpoint.happened_at DESC, touchpoint.event_id DESC NULLS LAST, touchpoint.id DESC
    LIMIT %(most)s) AS touch
WHERE conversion.organization_id = %(organization)s AND conversion.id = ANY(%(ids)s)
ORDER BY conversion.id, touch.happened_at, touch.event_id NULLS FIRST, touch.id
"""
ERASE_SQL = """
DELETE FROM attribution_credit WHERE organization_id = %(organization)s AND conversion_id = ANY(%(ids)s)
"""
INSERT_SQL = """
INSERT INTO attribution_credit (organization_id, conversion_id, touchpoint_id, model, amount_minor, share)
SELECT %(organization)s, row.*
FROM unnest(%(conversion_id)s::bigint[], %(touchpoint_id)s::bigint[], %(model)s::text[], %(amount_minor)s::bigint[],
            %(share)s::float8[]) AS row
"""
DONE_SQL = """
UPDATE attribution_conversion SET status = 'done', credited_at = %(now)s
WHERE organization_id = %(organization)s AND id = ANY(%(ids)s)
"""


@dataclass(frozen=True)
class Drawn:
    """A row of credit to write."""

    conversion_id: int
    touchpoint_id: int
    model: str
    amount_minor: int
    share: float


def work(organization_id: int) -> int:
    """Count the past of new goals, then credit every marked conversion; returns how many rows were worked."""
    with tenancy.organization(organization_id):
        worked = goals.scan_due()
        while credited := _credit_block():
            worked += credited
        return worked


def organizations_due() -> list[int]:
    """Organisations with marked conversions or goals that do not know the past."""
    marked = doorbell.organizations_with("attribution_conversion", "status = 'pending'")
    new = doorbell.organizations_with("attribution_goal", "is_active AND NOT is_scanned")
    return sorted({*marked, *new})


def _credit_block() -> int:
    """Credit the next marked conversions in one transaction: five statements, whatever their number."""
    parameters: dict[str, Any] = {"organization": tenancy.required(), "limit": BLOCK, "most": MOST_TOUCHES}
    with writing(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DUE_SQL, parameters)
        ids = [row[0] for row in cursor.fetchall()]
        if not ids:
            return 0
        parameters |= {"ids": ids, "now": clock.now()}
        cursor.execute(PATHS_SQL, parameters)
        drawn = list(_draw(cursor.fetchall()))
        cursor.execute(ERASE_SQL, parameters)
        columns = {name: [getattr(row, name) for row in drawn] for name in Drawn.__dataclass_fields__}
        cursor.execute(INSERT_SQL, parameters | columns)
        cursor.execute(DONE_SQL, parameters)
    return len(ids)


def _draw(rows: list[tuple[Any, ...]]) -> Iterator[Drawn]:
    for (conversion_id, net_minor, happened_at), touches in groupby(rows, key=lambda row: row[:3]):
        path = paths.collapse(
            [
                paths.Touch(touchpoint_id, moment, paths.signature(campaign_id, channel, source, name))
                for *_, touchpoint_id, moment, campaign_id, channel, source, name in touches
            ]
        )
        ages = [_days(happened_at, touch.happened_at) for touch in path]
        for name, model in rules.attribution_models.items():
            for touch, part in zip(path, rules.divide(model, net_minor, ages), strict=True):
                if part.share > 0:
                    yield Drawn(conversion_id, touch.touchpoint_id, name, part.amount_minor, part.share)


def _days(later: datetime, earlier: datetime) -> float:
    return (later - earlier) / timedelta(days=1)
