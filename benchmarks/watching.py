"""The pages that watch a workflow with a million step records: funnel, numbers per step, and pages of the log.

The yardstick of each is the same answer counted from the step records themselves.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import report
from benchmarks.crowd import contact, execute, people
from benchmarks.report import Figure

LOOKS = 20
STEPS = ("tag", "wait", "split", "mail", "last")
RUNS_SQL = """
INSERT INTO automations_automationrun (organization_id, automation_id, version_id, contact_id, entry_key, status,
                                       step_id, run_at, facts, entered_at, finished_at)
SELECT organization_id, %(automation)s, %(version)s, id, 'once', 'completed', '', now(), '{}',
       now() - interval '1 day', now()
  FROM audience_contact WHERE organization_id = %(organization)s
"""
RECORDS_SQL = """
INSERT INTO automations_steprun (organization_id, run_id, automation_id, version_id, seconds, number, step_id,
                                 outcome, detail, happened_at)
SELECT run.organization_id, run.id, run.automation_id, run.version_id, 60 * step.number, step.number, step.id,
       CASE step.id WHEN 'split' THEN 'branched' ELSE 'done' END,
       CASE step.id WHEN 'split' THEN jsonb_build_object('branch', CASE run.id %% 2 WHEN 0 THEN 'A' ELSE 'B' END)
                    ELSE '{}'::jsonb END, run.entered_at + make_interval(secs => 60 * step.number + run.id %% 50000)
  FROM automations_automationrun AS run, unnest(%(steps)s::text[]) WITH ORDINALITY AS step(id, number)
 WHERE run.automation_id = %(automation)s
"""
COUNTED_SQL = """
SELECT step_id, outcome, detail ->> 'branch', count(*), percentile_disc(0.5) WITHIN GROUP (ORDER BY seconds)
  FROM automations_steprun WHERE automation_id = %(automation)s GROUP BY 1, 2, 3
"""


@dataclass(frozen=True)
class Size:
    people: int = 200_000  # each has five records


SMOKE = Size(people=400)


def figures(*, smoke: bool) -> list[Figure]:
    """In the current organisation."""
    size, automation = SMOKE if smoke else Size(), _automation()
    _fill(size, automation)
    return report.told(_pages(size, automation))


def _automation() -> Any:
    from automations import services

    tag = {"action_type": "add_tag", "configuration": {"tag": "met"}}
    split = {
        "id": "split", "action_type": "random_split", "branches": {"A": [], "B": []},
        "configuration": {"ways": [{"name": "A"}, {"name": "B"}]},
    }  # fmt: skip
    steps = [split if name == "split" else {"id": name, **tag} for name in STEPS]
    return services.create_automation(
        {"name": "Watched", "is_active": True, "trigger_type": "manual", "actions": steps}
    )


def _fill(size: Size, automation: Any) -> None:
    from automations.services import counting
    from common import tenancy

    organization_id = tenancy.required()
    people(size.people - 1, like=contact())
    values = {"automation": automation.pk, "version": automation.current_version_id}
    execute(RUNS_SQL, organization=organization_id, **values)
    execute(RECORDS_SQL, steps=list(STEPS), automation=automation.pk)
    for table in ("automations_automationrun", "automations_steprun"):
        execute(f"ANALYZE {table}")
    counting.fold()


def _pages(size: Size, automation: Any) -> list[Figure]:
    from automations import selectors
    from automations.selectors import funnel, log

    version = automation.current_version
    counted = _median(lambda: execute(COUNTED_SQL, automation=automation.pk), looks=3)
    first = log.page(automation, log.Wanted())
    records = f"{size.people * len(STEPS):,} step records"
    return [
        Figure(f"funnel over {records}", _median(lambda: funnel.funnel(version)), "ms", "counted", counted),
        Figure("numbers per step", _median(lambda: selectors.step_counts(version)), "ms", "counted", counted),
        Figure("first page of the log", _median(lambda: log.page(automation, log.Wanted())), "ms"),
        Figure("next page of the log", _median(lambda: log.page(automation, log.Wanted(), first.older)), "ms"),
    ]


def _median(look: Callable[[], Any], looks: int = LOOKS) -> float:
    spans = []
    for _ in range(looks):
        began = time.perf_counter()
        look()
        spans.append(1000 * (time.perf_counter() - began))
    return statistics.median(spans)
