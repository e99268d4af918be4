"""The next block of messages of a run: how far it reaches, and where it leaves the run. For one run or for many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from campaigns.domain import pacing
from campaigns.models import CampaignRun
from common import tenancy

# Without a pace, messages with a moment of their own are written so long before it.
AHEAD = timedelta(minutes=10)
EVERYBODY = 2**63 - 1
FIELDS = ["queued_through_id", "queued_count", "run_at", "test_ends_at", "is_queued", "attempts", "error"]

# What of each run's next block is due by now. Targets' ids follow their moments, so those that are due come first.
# Plan: for each run a range of one block of target_by_run (organization_id, run_id, id).
ENDS_SQL = """
SELECT run.id, block.*
FROM unnest(%(runs)s::bigint[], %(after)s::bigint[], %(most)s::bigint[], %(sizes)s::int[],
            %(horizons)s::timestamptz[]) AS run(id, after, most, size, horizon)
CROSS JOIN LATERAL (
    SELECT max(id) FILTER (WHERE is_due), count(*) FILTER (WHERE is_due), count(*),
           min(send_at) FILTER (WHERE NOT is_due)
    FROM (
        SELECT id, send_at, coalesce(send_at <= run.horizon, true) AS is_due FROM campaigns_target
        WHERE organization_id = %(organization)s AND run_id = run.id AND id > run.after AND id <= run.most
        ORDER BY id LIMIT run.size) AS target) AS block
"""


@dataclass(frozen=True)
class Block:
    """Of a run's next targets, at most `size`: how many are there, how many are due and `through` which id."""

    size: int
    through: int | None
    due: int
    found: int
    next_send_at: datetime | None

    @property
    def is_last(self) -> bool:
        """Whether nobody is left behind it."""
        return self.next_send_at is None and self.found < self.size


def ends(runs: Sequence[CampaignRun], rooms: Mapping[int, int | None], now: datetime) -> dict[int, Block]:
    """The next block of each run, by run; no larger than what the budgets pay for (`rooms`, by campaign)."""
    sizes = [_size(run, rooms.get(run.campaign_id)) for run in runs]
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "runs": [run.pk for run in runs],
        "after": [run.queued_through_id for run in runs],
        "most": [run.test_through_id if run.is_testing else EVERYBODY for run in runs],
        "sizes": sizes,
        "horizons": [now + _ahead(run) for run in runs],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ENDS_SQL, parameters)
        found = {run_id: rest for run_id, *rest in cursor.fetchall()}
    return {run.pk: Block(size, *found[run.pk]) for run, size in zip(runs, sizes, strict=True)}


def move(run: CampaignRun, block: Block, count: int, now: datetime) -> None:
    """The block was written, `count` messages: move the cursor, and say when the next one follows."""
    run.attempts, run.error = 0, ""
    if block.through is not None:
        pace = pacing.block(run.campaign.messages_per_minute)
        run.queued_count += count
        run.queued_through_id = block.through
        run.run_at = pacing.next_at(run.run_at, now, pace.seconds * block.due / pace.size)
    if block.next_send_at is not None:
        run.run_at = max(run.run_at, block.next_send_at - _ahead(run))


def _size(run: CampaignRun, room: int | None) -> int:
    size = pacing.block(run.campaign.messages_per_minute).size
    return size if room is None else max(1, min(size, room))


def _ahead(run: CampaignRun) -> timedelta:
    return timedelta() if run.campaign.messages_per_minute else AHEAD
