"""Open pixels and clicks at 500 requests a second, while a worker judges and counts what came in.

Half of the requests are pixels, half clicks, of messages that were sent; each is a row before it is answered.
The schedule does not wait for answers: what comes late is late from the moment at which it was due. Yardstick of the
same run: the same server and requests with a handler that does nothing.
"""

from __future__ import annotations

import random
import time

from benchmarks import campaign, ground, load, report
from benchmarks.load import Result
from benchmarks.report import Figure

RATE = 500
CONNECTIONS = 16
GOAL_MS = 20.0
BROWSER = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36"}


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy
    from delivery.models import EngagementKind

    seconds, people = (1, 100) if smoke else (60, 20_000)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        messages = _sent(organization.pk, people)
    pixels, clicks = _requests(organization.pk, messages, seconds * RATE // 2)
    requests = [request for pair in zip(pixels, clicks, strict=True) for request in pair]
    with ground.web("benchmarks.empty:application"):
        empty = load.run(requests, port=ground.WEB_PORT, connections=CONNECTIONS, rate=RATE)
    with ground.web() as server, ground.worker("river") as worker:
        load.run(requests[:100], port=ground.WEB_PORT, connections=CONNECTIONS, rate=100)
        ours = load.run(requests, port=ground.WEB_PORT, connections=CONNECTIONS, rate=RATE)
        ended = time.monotonic()
        _wait_until_counted(organization.pk)
        behind = time.monotonic() - ended
        memory = {"web": report.child_megabytes(server.pid), "worker": report.child_megabytes(worker.pid)}
    assert ours.statuses == {"200": len(pixels), "302": len(clicks)}, ours.statuses
    counted = _counted(organization.pk)
    assert counted[EngagementKind.OPEN] and counted[EngagementKind.CLICK], counted
    report.publish("tracking", [*_figures(ours, empty), Figure("all counted after the last", behind, "s")], memory)


def _figures(ours: Result, empty: Result) -> list[Figure]:
    middle, slow = (
        [report.percentile(result.latencies, share) * 1000 for result in (ours, empty)] for share in (0.5, 0.95)
    )
    return [
        Figure("answers", ours.per_second, "requests/s"),
        Figure("p50", middle[0], "ms", "empty handler", middle[1]),
        Figure("p95", slow[0], "ms", "empty handler", slow[1], f"≤ {GOAL_MS:.0f} ms", slow[0] <= GOAL_MS),
    ]


def _sent(organization_id: int, people: int) -> list[int]:
    """The ids of messages of a campaign that left an hour ago."""
    from django.db import connection

    from campaigns import services as campaigns
    from common import tenancy

    campaigns.launch(campaign.prepare(organization_id, people))
    while campaigns.work(organization_id):
        pass
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            """UPDATE delivery_message SET status = 'sent', sent_at = now() - interval '1 hour',
                      claimed_at = now() - interval '1 hour' WHERE organization_id = %s RETURNING id""",
            [organization_id],
        )
        ids = [row[0] for row in cursor.fetchall()]
        cursor.execute("ANALYZE delivery_message")
    return ids


def _requests(organization_id: int, messages: list[int], count: int) -> tuple[list[bytes], list[bytes]]:
    from delivery.links import Links, Signer

    chosen, signer = random.Random(7), Signer()
    links = [Links(organization_id, chosen.choice(messages), signer) for _ in range(count)]
    paths = [(each.pixel(), each.click("https://shop.example/spring")) for each in links]
    host = f"http://127.0.0.1:{ground.WEB_PORT}"
    pixels, clicks = (
        [load.request("GET", url.removeprefix(host), b"", BROWSER) for url in kind]
        for kind in zip(*paths, strict=True)
    )
    return pixels, clicks


def _wait_until_counted(organization_id: int) -> None:
    from common import tenancy
    from delivery.models import Visit

    deadline = time.monotonic() + 60
    with tenancy.organization(organization_id):
        while Visit.objects.exists():
            assert time.monotonic() < deadline, f"{Visit.objects.count()} visits were not counted"
            time.sleep(0.1)


def _counted(organization_id: int) -> dict[str, int]:
    from django.db.models import Count

    from common import tenancy
    from delivery.models import Engagement

    with tenancy.organization(organization_id):
        rows = Engagement.objects.values_list("kind").annotate(count=Count("pk"))
        return dict(rows)
