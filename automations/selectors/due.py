"""Which organisations have work due: one indexed look per organisation, however many people wait."""

from __future__ import annotations

from django.db import connection

from common import clock, tenancy

# Plan: per organisation the first entry of the partial index running_runs (or scheduled_tasks_waiting).
DUE_SQL = """
SELECT organization.id FROM accounts_organization AS organization
 CROSS JOIN LATERAL (SELECT 1 FROM {table} AS row
                      WHERE row.organization_id = organization.id AND {condition} AND row.run_at <= %s
                      ORDER BY row.run_at LIMIT 1) AS due
"""
RUNS_SQL = DUE_SQL.format(table="automations_automationrun", condition="row.status = 'running'")
TASKS_SQL = DUE_SQL.format(
    table="automations_scheduledtask",
    condition="row.status IN ('pending', 'retry_scheduled') AND row.is_active",
)


def runs() -> list[int]:
    """Organisations with runs that are due."""
    return _ask(RUNS_SQL)


def scheduled_tasks() -> list[int]:
    """Organisations with scheduled tasks that are due."""
    return _ask(TASKS_SQL)


def _ask(statement: str) -> list[int]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, [clock.now()])
        return [row[0] for row in cursor.fetchall()]
