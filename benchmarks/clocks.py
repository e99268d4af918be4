"""Workflows that the clock starts: what a look costs while ten thousand wait, and how long a schedule over a million
contacts takes to let everybody in, in one statement; and the pages that watch a workflow (benchmarks/watching.py).

The yardstick of entering is the same runs written by the quickest INSERT that knows no entry rule.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from benchmarks import report, watching
from benchmarks.crowd import contact, execute, people
from benchmarks.report import Figure

LOOKS = 100
RULE = {"match": "all", "rules": [{"field": "country", "operator": "equals", "value": "GB"}]}
WORKFLOWS_SQL = """
INSERT INTO automations_automation SELECT (jsonb_populate_record(one, jsonb_build_object(
       'id', nextval('automations_automation_id_seq'), 'slug', 'clock-' || number))).*
  FROM automations_automation AS one, generate_series(1, %(count)s) AS number WHERE one.id = %(like)s
"""
TURNS_SQL = """
INSERT INTO automations_triggerturn (organization_id, automation_id, trigger, turn_at, run_at, looked_at)
SELECT turn.organization_id, automation.id, turn.trigger, turn.turn_at, turn.run_at, turn.looked_at
  FROM automations_triggerturn AS turn, automations_automation AS automation
 WHERE turn.automation_id = %(like)s AND automation.id <> %(like)s
"""
PLAIN_SQL = """
INSERT INTO automations_automationrun (organization_id, automation_id, version_id, contact_id, entry_key, step_id,
                                       run_at, facts, entered_at)
SELECT organization_id, %(automation)s, %(version)s, id, 'plain', '', now(), '{}', now() FROM audience_contact
 WHERE organization_id = %(organization)s AND country = 'GB'
"""


@dataclass(frozen=True)
class Size:
    workflows: int = 10_000
    people: int = 1_000_000


SMOKE = Size(workflows=100, people=2_000)


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    size = SMOKE if smoke else Size()
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        daily = _daily()
        people(size.people - 1, like=contact())
        figures = report.told([_entering(size, daily)])
        execute(WORKFLOWS_SQL, count=size.workflows, like=daily.pk)
        execute(TURNS_SQL, like=daily.pk)
        figures += report.told(_looking(size))
        figures += watching.figures(smoke=smoke)
    report.publish("clocks", figures, {"this process": report.peak_megabytes()})


def _daily() -> Any:
    from automations import services

    return services.create_automation(
        {
            "name": "Daily", "is_active": True, "trigger_type": "schedule", "entry_rule": "again",
            "trigger_configuration": {"cron": "0 9 * * *", "filter": RULE},
            "actions": [{"action_type": "add_tag", "configuration": {"tag": "daily"}}],
        }
    )  # fmt: skip


def _entering(size: Size, daily: Any) -> Figure:
    """The turn of tomorrow, and beside it the bare INSERT, which is taken back."""
    from automations.models import AutomationRun
    from automations.services import turns
    from common import clock, tenancy

    with clock.travel(timedelta(days=1)):
        began = time.perf_counter()
        turns.run(tenancy.required())
        ours = time.perf_counter() - began
    entered = AutomationRun.objects.filter(automation=daily).count()
    if entered != size.people:
        raise SystemExit(f"{entered:,} of {size.people:,} people entered")
    bare = _bare(daily)
    name = f"a schedule lets {size.people:,} people in"
    return Figure(name, size.people / ours, "people/s", "bare INSERT", size.people / bare)


def _bare(daily: Any) -> float:
    from django.db import transaction

    from common import tenancy

    with transaction.atomic():
        execute("DELETE FROM automations_automationrun WHERE automation_id = %(automation)s", automation=daily.pk)
        began = time.perf_counter()
        execute(PLAIN_SQL, automation=daily.pk, version=daily.current_version_id, organization=tenancy.required())
        seconds = time.perf_counter() - began
        transaction.set_rollback(True)
    return seconds


def _looking(size: Size) -> list[Figure]:
    """What each second of the sweep asks, and what serving one turn costs that starts nobody."""
    from automations.models import TriggerTurn
    from automations.selectors import due
    from automations.services import turns
    from common import clock, tenancy

    spans = []
    for _ in range(LOOKS):
        began = time.perf_counter()
        if due.turns():
            raise SystemExit("something is due that should wait")
        spans.append(1000 * (time.perf_counter() - began))
    waiting = TriggerTurn.objects.count()
    few = min(waiting, 200)
    ids = list(TriggerTurn.objects.exclude(automation__slug="daily").values_list("pk", flat=True)[:few])
    TriggerTurn.objects.filter(pk__in=ids).update(
        run_at=clock.now(), trigger={"type": "schedule", "configuration": {"cron": "0 9 * * *", "filter": NOBODY}}
    )
    began = time.perf_counter()
    served = turns.run(tenancy.required())
    each = 1000 * (time.perf_counter() - began) / served
    return [
        Figure(f"a look while {waiting:,} clock triggers wait", statistics.median(spans), "ms"),
        Figure("one turn that starts nobody", each, "ms"),
    ]


NOBODY = {"match": "all", "rules": [{"field": "country", "operator": "equals", "value": "Nowhere"}]}
