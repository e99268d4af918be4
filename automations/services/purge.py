"""Step records past their use: an organisation says how long it keeps them. Counts and funnels outlive them."""

from __future__ import annotations

from django.db import connection

from common import clock, tenancy

BLOCK = 5_000

# Plan: for each workflow of those who set a span, the old end of step_runs_by_automation. People who are inside keep
# their records: the page of their run tells the whole way.
PURGE_SQL = """
DELETE FROM automations_steprun AS record USING (
    SELECT old.id FROM automations_watchsettings AS kept
      JOIN automations_automation AS automation ON automation.organization_id = kept.organization_id
     CROSS JOIN LATERAL (
           SELECT step.id FROM automations_steprun AS step
             JOIN automations_automationrun AS run ON run.id = step.run_id AND run.finished_at IS NOT NULL
            WHERE step.automation_id = automation.id
              AND step.happened_at < %(now)s - make_interval(days => kept.keep_days)
            ORDER BY step.happened_at LIMIT %(block)s) AS old
     WHERE kept.keep_days IS NOT NULL LIMIT %(block)s) AS gone
 WHERE record.id = gone.id
"""


def purge_records() -> int:
    """Delete old step records of people who are through, block by block, in every organisation; returns how many."""
    deleted, gone = 0, BLOCK
    while gone == BLOCK:
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(PURGE_SQL, {"now": clock.now(), "block": BLOCK})
            gone = cursor.rowcount
        deleted += gone
    return deleted
