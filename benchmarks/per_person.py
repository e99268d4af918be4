"""The field's usual shape, as a yardstick: one Celery task for each person and step, which loads the person, does the
step, writes what it did and sends the task of the next step.

Runs in a worker of its own (`python -m benchmarks.per_person`). The effects are our own services, called for one.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator, Sequence

import django
from celery import Celery

PROCESSES = 2
QUEUE = "per_person"
STEPS = ("add_tag", "update_status", "branch", "create_task", "add_tag")

app = Celery("per_person", broker=os.environ.get("REDIS_URL", "").replace("unix://", "redis+socket://", 1))
app.conf.update(task_default_queue=QUEUE, task_ignore_result=True, worker_prefetch_multiplier=8)


@app.task(name="per_person.step")
def step(organization_id: int, run_id: int, number: int) -> None:
    """Do one step for one person in a transaction, and send the next."""
    from django.db import transaction

    from common import tenancy

    with tenancy.organization(organization_id), transaction.atomic():
        goes_on = _do(run_id, number)
    if goes_on:
        step.delay(organization_id, run_id, number + 1)


def _do(run_id: int, number: int) -> bool:
    from automations.models import AutomationRun, StepRun
    from common import clock

    run = AutomationRun.objects.select_for_update(of=("self",)).select_related("contact").get(pk=run_id)
    _effect(STEPS[number], run.contact_id, f"per-person:{run_id}:{number}")
    StepRun.objects.create(
        run=run, automation_id=run.automation_id, version_id=run.version_id, number=number + 1,
        step_id=f"step_{number}", outcome="done",
    )  # fmt: skip
    is_last = number + 1 == len(STEPS)
    run.step_id, run.step_count = "" if is_last else f"step_{number + 1}", number + 1
    if is_last:
        run.status, run.finished_at = "completed", clock.now()
    run.save()
    return not is_last


def _effect(kind: str, contact_id: int, key: str) -> None:
    from audience import services as audience
    from automations.models import Task
    from benchmarks.automations import RULE
    from segments import selectors as segments

    match kind:
        case "add_tag":
            audience.add_tags([contact_id], f"met-{key[-1]}")
        case "update_status":
            audience.update_contacts([contact_id], {"status": "qualified"})
        case "branch":
            segments.matching(RULE, [contact_id])
        case _:
            Task.objects.create(contact_id=contact_id, title="Call", source_key=key)


def steps_per_second(organization_id: int, run_ids: Sequence[int]) -> float:
    """Steps a second of real Celery workers (`PROCESSES`) over these runs, from the first message to the last row."""
    from automations.models import StepRun

    with _workers():
        step.delay(organization_id, run_ids[0], 0)  # the workers are up when the first is through
        _wait_for(StepRun.objects.filter(run_id=run_ids[0]).count, len(STEPS))
        started = time.perf_counter()
        for run_id in run_ids[1:]:
            step.delay(organization_id, run_id, 0)
        wanted = (len(run_ids) - 1) * len(STEPS)
        _wait_for(StepRun.objects.filter(run_id__in=run_ids[1:]).count, wanted)
        return wanted / (time.perf_counter() - started)


@contextlib.contextmanager
def _workers() -> Iterator[None]:
    from benchmarks import ground

    with ground.child(sys.executable, "-m", "benchmarks.per_person"):
        yield


def _wait_for(count: object, wanted: int) -> None:
    deadline = time.monotonic() + 120
    while count() < wanted:  # type: ignore[operator]
        if time.monotonic() > deadline:
            raise TimeoutError("the per-person workers did not get through")
        time.sleep(0.05)


def main() -> None:
    """Start the workers."""
    django.setup()
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    app.worker_main(["-q", "worker", "-Q", QUEUE, "--concurrency", str(PROCESSES), *quiet])


if __name__ == "__main__":
    from benchmarks.per_person import main as start  # the module by its own name, so that the task has one home

    start()
