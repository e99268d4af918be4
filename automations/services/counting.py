"""Counts of workflows: many small rows that add up are made one, now and then. See `models.counts`."""

from __future__ import annotations

from django.db import connection, transaction

from common import tenancy

BLOCK = 500  # versions at once
ROWS = 100_000

# Whoever folds at the same moment leaves it to the first. The lock is a statement of its own: what comes after it
# sees all that the one before us folded. What others append meanwhile is not seen and stays.
LOCK_SQL = "SELECT pg_try_advisory_xact_lock(hashtext('automations.counting'))"

# Plan: the index of what is to fold from its start, then the index by automation for each version found. Of step
# counts only days that got something are read again.
FOLD_SQL = """
WITH due AS MATERIALIZED (
    SELECT DISTINCT {places}
      FROM (SELECT {places} FROM {table} WHERE NOT is_folded LIMIT %(rows)s) AS waiting
     LIMIT %(block)s),
gone AS (
    DELETE FROM {table} AS count USING due
     WHERE {same}
    RETURNING count.*),
folded AS (
    INSERT INTO {table} ({keys}, {number}, is_folded)
    SELECT {keys}, sum({number}), true FROM gone GROUP BY {keys} HAVING sum({number}) <> 0)
SELECT count(*) FROM due
"""


def _fold_sql(table: str, places: list[str], keys: list[str], number: str) -> str:
    same = " AND ".join(f"count.{place} = due.{place}" for place in places)
    return FOLD_SQL.format(
        table=table, places=", ".join(places), same=same, keys=", ".join(places + keys), number=number
    )


VERSION = ["organization_id", "automation_id", "version_id"]
STATEMENTS = (
    _fold_sql("automations_runcount", VERSION, ["status", "step_id"], "people"),
    _fold_sql("automations_stepcount", [*VERSION, "day"], ["step_id", "outcome", "way", "slot"], "times"),
)


def fold() -> int:
    """Make one row of those that count the same, in every organisation; returns how many places were folded.

    What is appended meanwhile waits for the next time.
    """
    total = 0
    for statement in STATEMENTS:
        found = BLOCK
        while found == BLOCK:
            found = _fold_block(statement)
            total += found
    return total


def _fold_block(statement: str) -> int:
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        if not cursor.execute(LOCK_SQL).fetchone()[0]:
            return 0
        cursor.execute(statement, {"rows": ROWS, "block": BLOCK})
        return int(cursor.fetchone()[0])
