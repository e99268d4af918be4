"""The second half of automations.py: the web server, the workers and Beat as production starts them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from benchmarks import ground, latency, load, report
from benchmarks.report import Figure

RATE = 200
FIRST_STEP_MS = 100.0
WAKE_MS = 1000.0
DRAIN_SECONDS = 20.0
AHEAD = 3


def run(organization_id: int, size: Any, contact_ids: list[int]) -> tuple[list[Figure], dict[str, float]]:
    """Events at 200 a second, then all waits due at one second, twice; figures and memory."""
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from benchmarks.automations import action, workflow

    _, key = accounts.issue_key("bench", ApiKeyKind.WRITE)
    started = workflow("First step", action("add_tag", tag="came"), on="order_completed")
    waiting = _waiting(contact_ids, size.seconds)
    with ground.web(), ground.worker("river") as worker, ground.worker("delivery,default"), ground.beat():
        figures = _events(organization_id, key, started, waiting, contact_ids, size.seconds)
        figures += report.told(_drain("100 000 waits due at one second", size.waits, contact_ids))
        first = report.child_megabytes(worker.pid)
        figures += report.told(_drain("the same once more", size.waits, contact_ids))
        memory = {"worker after the first": first, "worker after the second": report.child_megabytes(worker.pid)}
    return figures, memory


# --- events ------------------------------------------------------------------------------------------


def _waiting(contact_ids: list[int], seconds: int) -> Any:
    """A workflow in which everybody who will pay waits until they have paid."""
    from automations import services
    from automations.services import engine
    from benchmarks.automations import workflow
    from common import tenancy

    paid = {"match": "all", "rules": [{"event": "order_paid", "operator": "did", "within": {"days": 1}}]}
    made = workflow(
        "Until paid",
        {
            "action_type": "wait_until",
            "configuration": {"rule": paid, "timeout": {"days": 3}},
            "branches": {"met": [], "timed_out": []},
        },
    )
    services.start(made, [contact_ids[place] for place in _payers(seconds)])
    engine.run(tenancy.required())
    return made


def _payers(seconds: int) -> range:
    return range(5, seconds * RATE, 10)


def _buyers(seconds: int) -> range:
    return range(0, seconds * RATE, 10)


def _events(
    organization_id: int, key: str, started: Any, waiting: Any, contact_ids: list[int], seconds: int
) -> list[Figure]:
    """One event in ten starts a workflow, one in ten ends somebody's wait; the others are of no interest to any."""
    latency_warm = [_track(key, f"warm-{place}", "page_viewed") for place in range(20)]
    warmed = datetime.now(UTC)
    load.run(latency_warm, port=ground.WEB_PORT, connections=2)
    latency.wait_until_processed(organization_id, len(latency_warm), since=warmed)
    names = dict.fromkeys(_buyers(seconds), "order_completed") | dict.fromkeys(_payers(seconds), "order_paid")
    requests = [_track(key, f"person-{place}", names.get(place, "page_viewed")) for place in range(seconds * RATE)]
    sent = load.run(requests, port=ground.WEB_PORT, connections=4, rate=RATE)
    assert sent.statuses == {"200": len(requests)}, sent.statuses
    asked = {"order_completed": (started, _buyers(seconds)), "order_paid": (waiting, _payers(seconds))}
    waits = {event: _waits(event, made, len(people)) for event, (made, people) in asked.items()}
    return [
        *report.told(_percentiles("event received → first step done", waits["order_completed"], FIRST_STEP_MS)),
        *report.told(_percentiles("event received → wait over", waits["order_paid"], WAKE_MS)),
        Figure("events sent", sent.per_second, "events/s"),
    ]


def _track(key: str, user: str, event: str) -> bytes:
    body = {
        "type": "track", "userId": user, "event": event, "messageId": f"{user}-{event}-{time.time_ns()}",
        "writeKey": key, "properties": {"total": 12.5},
    }  # fmt: skip
    return load.request("POST", "/v1/track", json.dumps(body).encode(), {"Content-Type": "application/json"})


# When the web server had the event, and when the transaction that did its step was committed: by the server's own
# book (track_commit_timestamp), as whoever looks again and again takes time from what is looked at.
TOOK_SQL = """
SELECT extract(epoch FROM max(pg_xact_commit_timestamp(step.xmin)) - min(event.received_at))::float8
  FROM audience_event AS event JOIN audience_eventdefinition AS definition ON definition.id = event.definition_id
  JOIN automations_automationrun AS run ON run.contact_id = event.contact_id AND run.automation_id = %s
  JOIN automations_steprun AS step ON step.run_id = run.id
 WHERE definition.name = %s AND run.status = 'completed' GROUP BY run.id
"""


def _waits(event: str, automation: Any, expected: int) -> list[float]:
    """Seconds from receiving each event until its step was committed; everybody's must be."""
    from django.db import connection

    from automations.models import AutomationRun
    from common import tenancy

    through = AutomationRun.objects.filter(automation=automation, status="completed")
    _wait(lambda: through.count() >= expected)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TOOK_SQL, [automation.pk, event])
        waits = [row[0] for row in cursor.fetchall()]
    assert len(waits) == expected, f"{event}: {len(waits)} steps of {expected} people"
    return waits


def _percentiles(name: str, waits: list[float], most: float) -> list[Figure]:
    middle, slow = report.percentile(waits, 0.5) * 1000, report.percentile(waits, 0.95) * 1000
    return [
        Figure(f"{name}, p50", middle, "ms"),
        Figure(f"{name}, p95", slow, "ms", goal=f"≤ {most:,.0f} ms", is_met=slow <= most),
    ]


# --- waits -------------------------------------------------------------------------------------------


def _drain(name: str, count: int, contact_ids: list[int]) -> list[Figure]:
    """Everybody waits until one second of the clock, then takes one step; from that second to the last of them."""
    from automations.models import AutomationRun
    from benchmarks.automations import action, park, workflow

    made = workflow(name, action("wait", days=1), action("add_tag", tag=f"waited {time.time_ns()}"))
    park([(made.pk, made.current_version.pk)], contact_ids[:count], f"{AHEAD} seconds")
    rows = AutomationRun.objects.filter(automation=made)
    first = rows.earliest("run_at").run_at.timestamp()
    _wait(lambda: not rows.filter(status="running").exists())
    took = time.time() - first
    assert rows.filter(status="completed").count() == count
    return [Figure(name, took, "s", goal=f"≤ {DRAIN_SECONDS:.0f} s", is_met=took <= DRAIN_SECONDS)]


def _wait(is_over: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not is_over():
        if time.monotonic() > deadline:
            raise TimeoutError("the waits did not end")
        time.sleep(0.05)
