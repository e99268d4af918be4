"""(b) Accepted → fully processed: HTTP load, web server, worker and PostgreSQL together on this machine.

The clock runs from the first request to the moment no batch is left. Yardstick: one connection that COPYs
the very same rows, with the same indexes, while nothing else runs.
"""

from __future__ import annotations

import time

from benchmarks import ground, load, report, sample
from benchmarks.report import Figure

BATCH = 100
GOAL_PER_SECOND = 8000


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from common import tenancy

    count = 20 if smoke else 2500
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, key = accounts.issue_key("bench", ApiKeyKind.WRITE)
    headers = {"Content-Type": "application/json"}
    bodies = sample.batches(count, BATCH, 20_000, key)
    requests = [load.request("POST", "/v1/batch", body, headers) for body in bodies]
    with ground.web() as server, ground.worker("river") as worker:
        load.run(requests[:1], port=ground.WEB_PORT, connections=1)
        _wait_for(organization.pk, BATCH)
        started = time.perf_counter()
        accepted = load.run(requests[1:], port=ground.WEB_PORT, connections=4)
        _wait_for(organization.pk, count * BATCH)
        seconds = time.perf_counter() - started
        memory = {"web": report.child_megabytes(server.pid), "worker": report.child_megabytes(worker.pid)}
    assert accepted.statuses == {"200": count - 1}, accepted.statuses
    ours = (count - 1) * BATCH / seconds
    copied = _copy_rate(organization.pk)
    report.publish(
        "process",
        [
            Figure("accepted → fully processed", ours, "events/s", "COPY of the same rows", copied,
                   f"≥ {GOAL_PER_SECOND:,}/s", ours >= GOAL_PER_SECOND),
            Figure("accepted over HTTP meanwhile", accepted.per_second * BATCH, "events/s"),
        ],
        memory,
    )  # fmt: skip


def _wait_for(organization_id: int, events: int, seconds: float = 600) -> None:
    from audience.models import Event
    from common import tenancy

    deadline = time.monotonic() + seconds
    with tenancy.organization(organization_id):
        while time.monotonic() < deadline:
            if Event.objects.count() >= events:
                return
            time.sleep(0.2)
    raise TimeoutError(f"{events} events were not processed within {seconds} s")


def _copy_rate(organization_id: int) -> float:
    """Rows a second that one connection COPYs into an equal, indexed, partitioned table, keys included."""
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE copied (LIKE audience_event INCLUDING ALL) PARTITION BY RANGE (happened_at);"
            "CREATE TABLE copied_all PARTITION OF copied DEFAULT"
        )
        with cursor.copy("COPY (SELECT * FROM audience_event) TO STDOUT") as source:
            rows = b"".join(bytes(part) for part in source)
        cursor.execute("SELECT count(*) FROM audience_event WHERE organization_id = %s", [organization_id])
        total = cursor.fetchone()[0]
        started = time.perf_counter()
        with cursor.copy("COPY copied FROM STDIN") as target:
            for start in range(0, len(rows), 1 << 20):
                target.write(rows[start : start + (1 << 20)])
        return total / (time.perf_counter() - started)
