"""Who starts: from happenings to runs, by one statement however many people and workflows."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import connection, transaction

from automations import configuration
from automations.models import Automation, AutomationWatch
from automations.selectors import event_filters
from automations.services import depth, inside_keys
from automations.services.engine import BATCH
from automations.triggers import TRIGGERS
from automations.triggers.base import Happening, TriggerKind
from automations.triggers.clock import Selected
from automations.triggers.event import Configuration
from common import clock, doorbell, tenancy
from common.errors import Invalid
from segments import selectors as segments

logger = logging.getLogger(__name__)

WORK = "automation_runs"
# Loop guard: a workflow that feeds itself starts at most this often for one contact within a day.
MOST_ENTRIES_PER_DAY = 20
LOOP_GUARD = f"Loop guard: this contact entered more than {MOST_ENTRIES_PER_DAY} times within a day."

# An entry happens once: the unique indexes one_run_per_entry and one_run_inside drop the second.
# The automations are locked against being switched off meanwhile, so nobody starts in one that is off.
# Plan: one probe per entry into automation, version, contact; guard and days count on one_run_per_entry's prefix.
ENTER_TEMPLATE = """
WITH open AS (
    SELECT id, current_version_id, entry_rule, entry_days, weight FROM automations_automation
     WHERE organization_id = %(organization)s AND id = ANY(%(automations)s) AND is_active
       AND current_version_id IS NOT NULL
     ORDER BY id FOR SHARE
), entry AS (
    SELECT DISTINCT ON (open.id, coalesce(contact.merged_into_id, contact.id), wanted.inside_key, wanted.cause)
           open.id AS automation_id, open.current_version_id AS version_id, open.weight,
           coalesce(contact.merged_into_id, contact.id) AS contact_id,
           CASE open.entry_rule WHEN 'once' THEN 'once' ELSE wanted.cause END AS entry_key,
           CASE open.entry_rule WHEN 'concurrent' THEN wanted.inside_key ELSE '' END AS inside_key,
           CASE open.entry_rule WHEN 'after_days' THEN open.entry_days END AS days,
           open.entry_rule = 'concurrent' AS is_concurrent, wanted.facts
      FROM {wanted}
      JOIN open ON open.id = wanted.automation_id
      JOIN audience_contact AS contact
        ON contact.id = wanted.contact_id AND contact.organization_id = %(organization)s
     ORDER BY 1
), counted AS (
    SELECT entry.*, earlier.count >= %(most)s OR %(depth)s > %(deepest)s AS is_looping
      FROM entry CROSS JOIN LATERAL (
           SELECT count(*) FILTER (WHERE run.entered_at > %(now)s - interval '1 day') AS count,
                  max(run.finished_at) AS left_at,
                  coalesce(bool_or(run.status IN ('running', 'held', 'failed')), false) AS is_inside
             FROM automations_automationrun AS run
            WHERE run.automation_id = entry.automation_id AND run.contact_id = entry.contact_id) AS earlier
     WHERE (entry.is_concurrent OR NOT earlier.is_inside)
       AND (entry.days IS NULL OR earlier.left_at IS NULL
            OR earlier.left_at <= %(now)s - make_interval(days => entry.days))
)
INSERT INTO automations_automationrun
       (organization_id, automation_id, version_id, contact_id, entry_key, inside_key, depth, weight, status, step_id,
        run_at, facts, error, entered_at)
SELECT %(organization)s, counted.automation_id, counted.version_id, counted.contact_id, counted.entry_key,
       counted.inside_key, %(depth)s, counted.weight, CASE WHEN counted.is_looping THEN 'failed' ELSE 'running' END,
       version.first_step_id, %(now)s, counted.facts, CASE WHEN counted.is_looping THEN %(guard)s ELSE '' END, %(now)s
  FROM counted JOIN automations_automationversion AS version ON version.id = counted.version_id
 ORDER BY counted.automation_id, counted.contact_id
    ON CONFLICT DO NOTHING
{returning}"""
NAMED = """unnest(%(automation_ids)s::bigint[], %(contact_ids)s::bigint[], %(causes)s::text[],
                  %(inside_keys)s::text[], %(facts)s::jsonb[])
           AS wanted(automation_id, contact_id, cause, inside_key, facts)"""
ENTER_SQL = ENTER_TEMPLATE.format(wanted=NAMED, returning="RETURNING id, automation_id, contact_id\n")
# A million people of a schedule never leave the database. Plan: the selection once, then as above.
SELECTED = """(SELECT %(automation)s::bigint AS automation_id, chosen.contact_id, %(cause)s::text AS cause,
                   %(inside_key)s::text AS inside_key, %(facts)s::jsonb AS facts
              FROM ({chosen}) AS chosen) AS wanted"""


@dataclass(frozen=True)
class Entry:
    """A contact that shall start in an automation; `cause` as in Happening."""

    automation_id: int
    contact_id: int
    cause: str
    facts: dict[str, Any]


@dataclass(frozen=True)
class Entered:
    """A run that came of an entry."""

    run_id: int
    automation_id: int
    contact_id: int


@dataclass(frozen=True)
class Listener:
    """An active workflow and what it listens to."""

    automation_id: int
    key: str
    kind: TriggerKind[Any]
    settings: Any
    run_immediately: bool


def heard(keys: Collection[str]) -> set[str]:
    """Which of these keys an active workflow listens to: one query, for who would rather not build happenings."""
    rows = Automation.objects.filter(is_active=True, trigger_key__in=sorted(keys))
    return set(rows.order_by().values_list("trigger_key", flat=True).distinct())


def heard_or_watched(keys: Collection[str]) -> set[str]:
    """Which of these keys start somebody in an active workflow, or wake somebody inside one: one query.

    Plan: listening_automations and watches_by_key.
    """
    starting = Automation.objects.filter(is_active=True, trigger_key__in=sorted(keys)).order_by()
    waking = AutomationWatch.objects.filter(key__in=sorted(keys)).order_by()
    return set(starting.values_list("trigger_key", flat=True).union(waking.values_list("key", flat=True)))


def listeners(keys: Collection[str]) -> list[Listener]:
    """Active automations that listen to any of these keys: one query on listening_automations."""
    rows = Automation.objects.filter(is_active=True, trigger_key__in=sorted(keys)).order_by("pk")
    return [listener for row in rows if (listener := _listener(row)) is not None]


def admit(happenings: Sequence[Happening], listening: Sequence[Listener] | None = None) -> int:
    """Start every active workflow that listens to these happenings; returns how many runs came of it.

    Who asked for the `listeners` already hands them in.
    """
    if not happenings:
        return 0
    found = listeners({happening.key for happening in happenings}) if listening is None else listening
    if not found:
        return 0
    by_key: dict[str, list[Happening]] = defaultdict(list)
    for happening in happenings:
        by_key[happening.key].append(happening)
    entries = [
        Entry(listener.automation_id, happening.contact_id, happening.cause, happening.facts)
        for listener, admitted in _admitted(found, by_key)
        for happening in admitted
    ]
    immediate = {listener.automation_id for listener in found if listener.run_immediately}
    return len(enter(entries, immediate=immediate))


def enter(entries: Sequence[Entry], *, immediate: Collection[int] = ()) -> list[Entered]:
    """Write the runs of these entries: those that are not there yet, in workflows that are active.

    Rings the engine when a workflow in `immediate` got somebody; the others start with the next sweep.
    """
    entered: list[Entered] = []
    for start in range(0, len(entries), 10 * BATCH):
        entered += _enter_block(entries[start : start + 10 * BATCH])
    if any(one.automation_id in immediate for one in entered):
        doorbell.ring(WORK)
    return entered


def enter_selected(automation_id: int, chosen: Selected, *, immediate: bool) -> int:
    """Start everybody whom a query names, in one statement; returns how many runs came of it."""
    alike = Entry(automation_id, 0, chosen.cause, chosen.facts)
    own: dict[str, Any] = {
        **_limits([automation_id]),
        "automation": automation_id,
        "cause": chosen.cause,
        "inside_key": inside_keys.of([alike])[0],
        "facts": msgspec.json.encode(chosen.facts).decode(),
    }
    wanted = SELECTED.format(chosen=chosen.sql)
    statement = ENTER_TEMPLATE.format(wanted=wanted, returning="")
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL jit = off")  # compiling takes longer than most schedules
        cursor.execute(statement, {**chosen.parameters, **own})
        count = int(cursor.rowcount)
    if immediate and count:
        doorbell.ring(WORK)
    return count


def _limits(automation_ids: Collection[int]) -> dict[str, Any]:
    """What every entry is held to."""
    deep = depth.current()
    return {
        "organization": tenancy.required(),
        "automations": sorted(automation_ids),
        "now": clock.now(),
        "most": MOST_ENTRIES_PER_DAY,
        "depth": deep,
        "deepest": depth.MOST,
        "guard": depth.GUARD if deep > depth.MOST else LOOP_GUARD,
    }


def _enter_block(entries: Sequence[Entry]) -> list[Entered]:
    parameters: dict[str, Any] = {
        **_limits({entry.automation_id for entry in entries}),
        "automation_ids": [entry.automation_id for entry in entries],
        "contact_ids": [entry.contact_id for entry in entries],
        "causes": [entry.cause for entry in entries],
        "inside_keys": inside_keys.of(entries),
        "facts": [msgspec.json.encode(entry.facts).decode() for entry in entries],
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ENTER_SQL, parameters)
        return [Entered(*row) for row in cursor.fetchall()]


def _listener(row: Automation) -> Listener | None:
    try:
        kind = TRIGGERS.find(row.trigger_type)
        settings = configuration.read(kind.configuration, row.trigger_configuration)
    except Invalid as mistake:
        logger.error("Automation %s starts nobody: its trigger does not fit any more (%s)", row.pk, mistake)
        return None
    return Listener(row.pk, row.trigger_key, kind, settings, row.run_immediately)


def _admitted(
    listeners: Sequence[Listener], by_key: dict[str, list[Happening]]
) -> Iterable[tuple[Listener, list[Happening]]]:
    """Narrow down what each listener hears: in memory, by event properties, by segment rule."""
    heard = [
        (one, [happening for happening in by_key[one.key] if one.kind.admits(one.settings, happening)])
        for one in listeners
    ]
    where = {
        one.automation_id: Configuration(one.settings.name, filters)
        for one, _ in heard
        if (filters := one.kind.where(one.settings))
    }
    fitting = event_filters.fitting(where, [happening for happenings in by_key.values() for happening in happenings])
    for one, happenings in heard:
        if one.automation_id in where:
            happenings = [each for each in happenings if each.cause in fitting[one.automation_id]]
        if happenings and one.settings.filter is not None:
            inside = segments.matching(one.settings.filter, sorted({each.contact_id for each in happenings}))
            happenings = [each for each in happenings if each.contact_id in inside]
        yield one, happenings
