"""Partitions of the event table: by month since 2020, by year before, made ahead of need.

A new partition is attached, not created in place: ATTACH takes a lock that readers and writers do not feel.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from django.conf import settings
from django.db import connection, transaction

from common import clock, tenancy

MONTHLY_SINCE = 2020
MONTHS_AHEAD = 3
LOCK = "audience_event partitions"

EXISTING_SQL = """
SELECT child.relname FROM pg_inherits
  JOIN pg_class AS child ON child.oid = pg_inherits.inhrelid
 WHERE pg_inherits.inhparent = 'audience_event'::regclass
"""
CREATE_SQL = """
CREATE TABLE {name} (LIKE audience_event INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING INDEXES);
ALTER TABLE {name} ENABLE ROW LEVEL SECURITY;
CREATE POLICY {policy} ON {name} USING (organization_id = {current});
GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {role};
ALTER TABLE audience_event ATTACH PARTITION {name} FOR VALUES FROM ('{start}') TO ('{end}');
"""

_known: set[str] = set()


def name_and_range(moment: datetime) -> tuple[str, date, date]:
    """The partition a moment falls into: its name, first day and the day after its last (UTC)."""
    day = moment.astimezone(UTC)
    if day.year < MONTHLY_SINCE:
        return f"audience_event_{day.year}", date(day.year, 1, 1), date(day.year + 1, 1, 1)
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return f"audience_event_{day.year}_{day.month:02d}", date(day.year, day.month, 1), following


def ensure_months(moments: Iterable[datetime]) -> None:
    """Make the partitions these moments need, within the caller's transaction if there is one. Idempotent."""
    months = {(moment.year, moment.month) for moment in moments}
    wanted = {
        name: (start, end)
        for name, start, end in (name_and_range(datetime(*month, 1, tzinfo=UTC)) for month in months)
    }
    if wanted.keys() <= _known:
        return
    with tenancy.engine(), transaction.atomic(), connection.cursor() as cursor:
        missing = wanted.keys() - _existing(cursor)
        if missing:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [LOCK])
            missing -= _existing(cursor)
        for name in sorted(missing):
            _create(cursor, name, *wanted[name])
    # Only what is committed may be remembered: a rolled-back block takes its partitions with it.
    transaction.on_commit(lambda: _known.update(wanted))


def _existing(cursor: object) -> set[str]:
    cursor.execute(EXISTING_SQL)  # type: ignore[attr-defined]
    return {row[0] for row in cursor.fetchall()}  # type: ignore[attr-defined]


def _create(cursor: object, name: str, start: date, end: date) -> None:
    cursor.execute(  # type: ignore[attr-defined]
        CREATE_SQL.format(
            name=name,
            start=f"{start} 00:00+00",
            end=f"{end} 00:00+00",
            policy=tenancy.POLICY,
            current=tenancy.CURRENT_SQL,
            role=settings.APPLICATION_ROLE,
        )
    )


def ensure_ahead() -> None:
    """Make this month's and the next months' partitions, so that no block has to."""
    now = clock.now()
    months = [now.month - 1 + ahead for ahead in range(MONTHS_AHEAD + 1)]
    moments = [datetime(now.year + month // 12, month % 12 + 1, 1, tzinfo=UTC) for month in months]
    ensure_months(moments)
