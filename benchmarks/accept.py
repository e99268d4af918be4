"""(a) How fast batches of 100 events are accepted over HTTP, beside the same server with an empty handler.

Accepted means: authenticated, checked, written durably to the table of raw batches, answered with 200.
"""

from __future__ import annotations

from benchmarks import ground, load, report, sample
from benchmarks.report import Figure

BATCH = 100
CONNECTIONS = 8


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from audience.models import IngestBatch
    from common import tenancy

    count = 30 if smoke else 4000
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, key = accounts.issue_key("bench", ApiKeyKind.WRITE)
    headers = {"Content-Type": "application/json"}
    requests = [
        load.request("POST", "/v1/batch", body, headers) for body in sample.batches(count, BATCH, 10_000, key)
    ]
    with ground.web("benchmarks.empty:application"):
        empty = load.run(requests, port=ground.WEB_PORT, connections=CONNECTIONS)
    with ground.web() as server:
        load.run(requests[:20], port=ground.WEB_PORT, connections=CONNECTIONS)  # warm caches and connections
        ours = load.run(requests, port=ground.WEB_PORT, connections=CONNECTIONS)
        memory = report.child_megabytes(server.pid)
    assert ours.statuses == {"200": count}, ours.statuses
    with tenancy.organization(organization.pk):
        kept = IngestBatch.objects.count()
    assert kept == count + 20, kept
    report.publish(
        "accept",
        [
            Figure("batches of 100 accepted", ours.per_second, "requests/s", "empty handler", empty.per_second),
            Figure("events accepted durably", ours.per_second * BATCH, "events/s"),
            Figure("p95 of one request", report.percentile(ours.latencies, 0.95) * 1000, "ms",
                   "empty handler", report.percentile(empty.latencies, 0.95) * 1000),
        ],
        {"web": memory},
    )  # fmt: skip
