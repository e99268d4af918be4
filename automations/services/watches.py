"""What wakes people inside a workflow before their time: the keys of its rules, one row each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connection

from automations import configuration, keys
from automations.domain import tree
from automations.models import AutomationVersion, AutomationWatch
from automations.steps import STEPS
from common import clock, tenancy
from segments import rules

LONGEST_KEY = 300


def write(version: AutomationVersion) -> None:
    """The rows of a new version: of its goal and exit for everybody, of its waits for who stands on them."""
    document = version.document
    endings = [rules.parse_stored(document[name]) for name in ("goal", "exit") if document.get(name) is not None]
    wanted = {("", key) for rule in endings for key in keys.of_rule(rule)}
    for step in tree.walk(tree.read_steps(document["steps"])):
        wanted |= {(step.id, key) for key in _of_step(step)}
    AutomationWatch.objects.bulk_create(
        [AutomationWatch(version=version, step_id=step_id, key=key[:LONGEST_KEY]) for step_id, key in sorted(wanted)]
    )


def _of_step(step: tree.Step) -> Iterator[str]:
    kind = STEPS.get(step.type)
    if kind is not None and kind.wakes is not None:
        yield from kind.wakes(configuration.read(kind.configuration, step.configuration))


# Whoever is served at this moment is waited for, and looked at as the engine leaves them: an engine that read the
# rule before the event was there has gone to sleep by then, and is woken. Plan: watches_by_key, then per contact
# one range of runs_by_contact.
LOCK_SQL = """
SELECT run.id FROM automations_automationrun AS run
 WHERE run.organization_id = %(organization)s AND run.contact_id = ANY(%(contacts)s)
   AND run.status IN ('running', 'held')
   AND run.version_id IN (SELECT watch.version_id FROM automations_automationwatch AS watch
                           WHERE watch.organization_id = %(organization)s AND watch.key = ANY(%(keys)s))
 ORDER BY run.id FOR UPDATE OF run
"""
WAKE_SQL = """
UPDATE automations_automationrun AS run SET run_at = %(now)s
  FROM unnest(%(moved)s::bigint[], %(by)s::text[]) AS woken(contact_id, key)
 WHERE run.organization_id = %(organization)s AND run.id = ANY(%(runs)s) AND run.contact_id = woken.contact_id
   AND run.status IN ('running', 'held') AND run.run_at > %(now)s AND woken.key = ANY(run.wakes_on)
"""


def heard(wanted: Iterable[str]) -> set[str]:
    """Which of these keys somebody's version watches."""
    rows = AutomationWatch.objects.filter(key__in=sorted(wanted)).order_by()
    return set(rows.values_list("key", flat=True).distinct())


def wake(moved: Mapping[str, set[int]]) -> int:
    """Let those who wait for these keys be looked at now (`moved`: key → contacts); returns how many.

    Nothing but one look when nobody watches. The caller rings the engine.
    """
    heard_keys = heard(moved)
    pairs = sorted({(contact_id, key) for key in heard_keys for contact_id in moved[key]})
    if not pairs:
        return 0
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "now": clock.now(),
        "keys": sorted(heard_keys),
        "contacts": sorted({contact_id for contact_id, _ in pairs}),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(LOCK_SQL, parameters)
        runs = [row[0] for row in cursor.fetchall()]
        if not runs:
            return 0
        pairs_by_column = {"moved": [pair[0] for pair in pairs], "by": [pair[1] for pair in pairs]}
        cursor.execute(WAKE_SQL, parameters | pairs_by_column | {"runs": runs})
        return int(cursor.rowcount)
