"""Which organisations have work due: one indexed look per organisation, however many people wait."""

from __future__ import annotations

from django.db import connection

from common import clock, tenancy
from delivery.models import Weight

# Plan: per organisation the first entry of the partial index scheduled_tasks_waiting, or for each weight the first of
# running_runs.
DUE_SQL = """
SELECT organization.id FROM accounts_organization AS organization
 CROSS JOIN LATERAL (SELECT 1 FROM {table} AS row
                      WHERE row.organization_id = organization.id AND {condition} AND row.run_at <= %s
                      ORDER BY row.run_at LIMIT 1) AS due
"""
RUNS_SQL = """
SELECT organization.id FROM accounts_organization AS organization
 WHERE EXISTS (SELECT 1 FROM unnest(%s::int[]) AS lane(weight) CROSS JOIN LATERAL (
                 SELECT 1 FROM automations_automationrun AS run
                  WHERE run.organization_id = organization.id AND run.status = 'running'
                    AND run.weight = lane.weight AND run.run_at <= %s
                  ORDER BY run.run_at LIMIT 1) AS due)
"""
TASKS_SQL = DUE_SQL.format(
    table="automations_scheduledtask",
    condition="row.status IN ('pending', 'retry_scheduled') AND row.is_active",
)
# Plan: the first entry of turns_by_time, however many workflows wait for the clock.
TURNS_SQL = DUE_SQL.format(table="automations_triggerturn", condition="true")


def runs() -> list[int]:
    """Organisations with runs that are due."""
    return _ask(RUNS_SQL, list(Weight.values))


def scheduled_tasks() -> list[int]:
    """Organisations with scheduled tasks that are due."""
    return _ask(TASKS_SQL)


def turns() -> list[int]:
    """Organisations with workflows that the clock starts now."""
    return _ask(TURNS_SQL)


def _ask(statement: str, *parameters: list[int]) -> list[int]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, [*parameters, clock.now()])
        return [row[0] for row in cursor.fetchall()]
