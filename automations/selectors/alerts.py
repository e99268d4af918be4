"""What is wrong with workflows at this moment: one statement for each kind of trouble, all workflows at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from automations.models import AlertKind, WatchSettings
from common import clock, tenancy
from delivery.models import Weight

MOST_COUNTED = 10_000

# Plan: failed_runs for who failed lately, step_counts_by_automation for who came to an end in these days.
FAILING_SQL = """
SELECT failed.automation_id, failed.people, coalesce(ended.people, 0)
  FROM (SELECT automation_id, count(*) AS people FROM automations_automationrun
         WHERE organization_id = %(organization)s AND status = 'failed' AND run_at > %(now)s - interval '2 days'
         GROUP BY 1) AS failed
  LEFT JOIN LATERAL (
       SELECT sum(times) AS people FROM automations_stepcount AS count
        WHERE count.automation_id = failed.automation_id AND count.step_id = ''
          AND count.outcome IN ('completed', 'exited') AND count.day > (%(now)s - interval '2 days')::date - 1
       ) AS ended ON true
 WHERE failed.people * 100.0 > %(percent)s * (failed.people + coalesce(ended.people, 0))
"""
# Plan: for each lane the due end of running_runs.
STUCK_SQL = """
SELECT late.automation_id, count(*), min(late.run_at)
  FROM unnest(%(weights)s::int[]) AS lane(weight)
 CROSS JOIN LATERAL (
       SELECT run.automation_id, run.run_at FROM automations_automationrun AS run
        WHERE run.organization_id = %(organization)s AND run.status = 'running' AND run.weight = lane.weight
          AND run.run_at < %(now)s - make_interval(secs => %(seconds)s)
        ORDER BY run.run_at LIMIT %(most)s) AS late
 GROUP BY 1
"""
# Plan: failed_runs.
LOOPING_SQL = """
SELECT automation_id, count(*) FROM automations_automationrun
 WHERE organization_id = %(organization)s AND status = 'failed' AND error LIKE 'Loop guard%%'
 GROUP BY 1
"""
# Plan: one range of step_counts_by_automation for each workflow that is on.
SILENT_SQL = """
SELECT automation.id, before.people
  FROM automations_automation AS automation
 CROSS JOIN LATERAL (
       SELECT coalesce(sum(times) FILTER (WHERE day > (%(now)s)::date - %(days)s), 0) AS lately,
              coalesce(sum(times) FILTER (WHERE day <= (%(now)s)::date - %(days)s), 0) AS people
         FROM automations_stepcount AS count
        WHERE count.automation_id = automation.id AND count.step_id = '' AND count.outcome = 'entered'
          AND count.day > (%(now)s)::date - 2 * %(days)s) AS before
 WHERE automation.organization_id = %(organization)s AND automation.is_active
   AND before.lately = 0 AND before.people > 0
"""


@dataclass(frozen=True)
class Finding:
    """A trouble of one workflow, in words."""

    automation_id: int
    kind: AlertKind
    sentence: str


def findings(settings: WatchSettings) -> list[Finding]:
    """Every trouble of the current organisation at this moment."""
    names: dict[str, Any] = {
        "organization": tenancy.required(),
        "now": clock.now(),
        "percent": settings.failing_percent,
        "seconds": settings.stuck_seconds,
        "days": settings.silent_days,
        "weights": sorted(Weight.values),
        "most": MOST_COUNTED,
    }
    found: list[Finding] = []
    with tenancy.engine(), connection.cursor() as cursor:
        for kind, (statement, told) in TOLD.items():
            cursor.execute(statement, names)
            found += [Finding(row[0], kind, told(row, settings)) for row in cursor.fetchall()]
    return found


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,}{'' if count < MOST_COUNTED else ' or more'} people"


def _failing(row: tuple[Any, ...], settings: WatchSettings) -> str:
    share = row[1] / (row[1] + row[2])
    return f"{_people(row[1])} failed within two days, {share:.0%} of those who came to an end"


def _stuck(row: tuple[Any, ...], settings: WatchSettings) -> str:
    return (
        f"{_people(row[1])} due for more than {settings.stuck_seconds:,} seconds and not moved; is a worker running?"
    )


def _looping(row: tuple[Any, ...], settings: WatchSettings) -> str:
    return f"The loop guard stopped {_people(row[1])}; does this workflow start itself?"


def _silent(row: tuple[Any, ...], settings: WatchSettings) -> str:
    days = settings.silent_days
    return f"Nobody entered for {days} days; {_people(row[1])} did in the {days} days before"


TOLD: dict[AlertKind, tuple[str, Callable[[tuple[Any, ...], WatchSettings], str]]] = {
    AlertKind.FAILING: (FAILING_SQL, _failing),
    AlertKind.STUCK: (STUCK_SQL, _stuck),
    AlertKind.LOOPING: (LOOPING_SQL, _looping),
    AlertKind.SILENT: (SILENT_SQL, _silent),
}
