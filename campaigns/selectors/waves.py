"""How a campaign's people are spread: over the hours of local and best times, over arms, over its sends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from campaigns.models import Campaign, CampaignRun, RunStatus, Timing
from common import tenancy

MOST_WAVES = 48
MOST_RUNS = 12

# Plan: the targets of one run by target_by_run, once; a page asks when it is opened, not every two seconds.
WAVES_SQL = f"""
SELECT date_trunc('hour', send_at), count(*) FROM campaigns_target
WHERE organization_id = %(organization)s AND run_id = %(run)s AND send_at IS NOT NULL AND NOT is_held_out
GROUP BY 1 ORDER BY 1 LIMIT {MOST_WAVES}
"""
# Plan: target_by_arm, an index-only range for each arm.
ARMS_SQL = """
SELECT arm.name, (SELECT count(*) FROM campaigns_target target
                   WHERE target.organization_id = %(organization)s AND target.arm_id = arm.id
                     AND target.campaign_id = %(campaign)s)
  FROM experiments_arm arm
 WHERE arm.organization_id = %(organization)s AND arm.experiment_id = %(experiment)s ORDER BY arm.position
"""


@dataclass(frozen=True)
class Wave:
    """People whose message goes within the hour from `at`."""

    at: datetime
    people: int


@dataclass(frozen=True)
class Spread:
    """`runs` of a recurring campaign, the newest first; `test` is the run whose people wait for a winner, if any."""

    waves: list[Wave]
    arms: list[tuple[str, int]]
    runs: list[CampaignRun]
    test: CampaignRun | None


def spread(campaign: Campaign) -> Spread:
    """Where the campaign's people are; two statements for those that have waves or arms."""
    begun = campaign.runs.exclude(status=RunStatus.CANCELLED).exclude(snapshot_at=None).order_by("-pk")
    newest = begun.select_related("winner").first()
    timed = campaign.timing in (Timing.LOCAL, Timing.BEST) or (newest is not None and bool(newest.timed_by))
    return Spread(
        _waves(newest) if newest is not None and timed else [],
        _arms(campaign) if campaign.experiment_id is not None else [],
        list(begun[:MOST_RUNS]) if campaign.timing == Timing.RECURRING else [],
        newest if newest is not None and newest.test_through_id else None,
    )


def _waves(run: CampaignRun) -> list[Wave]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(WAVES_SQL, {"organization": tenancy.required(), "run": run.pk})
        return [Wave(*row) for row in cursor.fetchall()]


def _arms(campaign: Campaign) -> list[tuple[str, int]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            ARMS_SQL,
            {"organization": tenancy.required(), "campaign": campaign.pk, "experiment": campaign.experiment_id},
        )
        return [(name, count) for name, count in cursor.fetchall()]
