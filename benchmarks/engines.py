"""Engines in processes of their own, as workers have them.

`python -m benchmarks.engines ORGANIZATION` is one, until it is killed.
"""

from __future__ import annotations

import contextlib
import sys
import time
from typing import Any

import django

AHEAD = 8  # seconds in which all have started


def steps_per_second(organization_id: int, automation: Any, contact_ids: list[int], engines: int) -> float:
    """Everybody is due at one moment; steps from then until the last of them is through."""
    from django.db import connection

    from automations import services
    from automations.models import AutomationRun, StepRun
    from benchmarks import ground
    from common import tenancy

    for first in range(0, len(contact_ids), 10_000):
        services.start(automation, contact_ids[first : first + 10_000])
    rows = AutomationRun.objects.filter(automation=automation)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE automations_automationrun SET run_at = clock_timestamp() + make_interval(secs => %s)"
            " WHERE automation_id = %s",
            [AHEAD, automation.pk],
        )
    due = rows.earliest("run_at").run_at.timestamp()
    with contextlib.ExitStack() as together:
        for _ in range(engines):
            together.enter_context(ground.child(sys.executable, "-m", "benchmarks.engines", str(organization_id)))
        while rows.filter(status="running").exists():
            assert time.time() < due + 120, "the engines did not get through"
            time.sleep(0.05)
        took = time.time() - due
    return StepRun.objects.filter(automation=automation).count() / took


def main(organization_id: int) -> None:
    """Be an engine."""
    django.setup()
    from automations.services import engine
    from common import commits

    with commits.unhurried():
        while True:
            engine.run(organization_id)
            time.sleep(0.02)


if __name__ == "__main__":
    main(int(sys.argv[1]))
