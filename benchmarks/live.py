"""Segments at full size: 1 M contacts, 20 M events, 200 live segments, 200 events a second on the same machine.

Builds stand beside hand-written SQL and beside the way batch-rebuilding tools do it (a batch at a time, whoever
is not in the list yet); live entering and leaving are seen by somebody who looks into the table every 20 ms.
"""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from benchmarks import ground, latency, load, report
from benchmarks.report import Figure
from benchmarks.segments import CASES, Case, build_and_compare, fill

RATIO = 1.3
RATE = 200
SEGMENTS = 200
WINDOW = timedelta(seconds=60)
LOOK_SECONDS = 0.02
BATCH = 10_000  # what such tools take at a time; their defaults are smaller, and slower

BATCH_SQL = """
INSERT INTO by_batches (segment_id, contact_id)
SELECT %(segment)s, found.id FROM ({select}) AS found(id)
WHERE found.id NOT IN (SELECT contact_id FROM by_batches WHERE segment_id = %(segment)s)
LIMIT %(batch)s"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from common import tenancy

    contacts, events, seconds = (500, 5_000, 2) if smoke else (1_000_000, 20_000_000, 40)
    age = WINDOW * 0.85 if smoke else timedelta()  # a smoke does not wait out the whole window
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, write_key = accounts.issue_key("bench", ApiKeyKind.WRITE)
        parameters = fill(organization.pk, contacts, events)
        figures = [figure for case in CASES for figure in report.told(_builds(case, parameters))]
        figures += report.told(_estimates())
        figures += report.told(_refreshes(contacts, leaves=10 if smoke else 100))
        figures += report.told(_by_hand())
        segment_id = _stage(5 if smoke else SEGMENTS)
        found, memory = _live(organization.pk, write_key, segment_id, seconds, age)
    report.publish("live", [*figures, *found], {"this process": report.peak_megabytes(), **memory})


# --- builds ------------------------------------------------------------------------------------------


def _builds(case: Case, parameters: dict[str, Any]) -> list[Figure]:
    figures = build_and_compare(case, parameters, most_ratio=RATIO)
    seconds = _by_batches(case, parameters)
    return [*figures, Figure(figures[0].name, figures[0].ours, "s", f"batches of {BATCH:,}, NOT IN", seconds)]


def _by_batches(case: Case, parameters: dict[str, Any]) -> float:
    """The same members by the statement shape of batch-rebuilding tools, batch after batch until none is left."""
    from django.db import connection

    from common import tenancy

    values = parameters | {"segment": 1, "batch": BATCH}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS by_batches")
        cursor.execute(
            "CREATE TABLE by_batches (segment_id bigint, contact_id bigint, PRIMARY KEY (segment_id, contact_id))"
        )
        started = time.perf_counter()
        while True:
            cursor.execute(BATCH_SQL.format(select=case.members), values)
            if not cursor.rowcount:
                return time.perf_counter() - started


# --- while editing -----------------------------------------------------------------------------------


def _estimates() -> list[Figure]:
    """The slowest of five looks at each rule, the sample drawn anew for the first."""
    from segments import estimates, rules

    figures = []
    for case in CASES:
        rule, times = rules.parse(case.rule), []
        for _ in range(5):
            started = time.perf_counter()
            estimates.look(rule)
            times.append(time.perf_counter() - started)
        slow = max(times) * 1000
        figures.append(Figure(f"estimate: {case.name}", slow, "ms", goal="≤ 300 ms", is_met=slow <= 300))
    return figures


# --- many leaves at once -----------------------------------------------------------------------------


def _rule(number: int) -> dict[str, Any]:
    """Windows of many lengths over two events; no two leaves ask the same."""
    event, count = ("order_completed", 1) if number % 2 == 0 else ("page_viewed", 2 + number % 7)
    return {
        "match": "all",
        "rules": [{"event": event, "operator": "did", "count": count, "within": {"hours": 5 + number}}],
    }


def _refreshes(contacts: int, leaves: int) -> list[Figure]:
    """1 000 contacts in so many segments of one behavioural leaf: evaluated and written; and once more, unchanged."""
    from audience.models import Contact
    from segments import services
    from segments.models import Segment
    from segments.services import refresh

    made = [services.create_segment(name=f"Leaf {number}", rule=_rule(number)).pk for number in range(leaves)]
    Segment.objects.filter(pk__in=made).update(status="ready")  # nobody is in them yet
    few = min(1_000, contacts)
    step = max(1, contacts // few)
    first = Contact.objects.order_by("pk").values_list("pk", flat=True)[0]
    pairs = [(segment_id, first + place * step) for segment_id in made for place in range(few)]
    times = []
    for _ in range(3):
        started = time.perf_counter()
        refresh.refresh(pairs)
        times.append(time.perf_counter() - started)
    Segment.objects.filter(pk__in=made).update(is_active=False)
    return [
        Figure(f"{few:,} contacts × {leaves} leaves, all new", times[0], "s", goal="≤ 1 s", is_met=times[0] <= 1),
        Figure(
            f"{few:,} contacts × {leaves} leaves, unchanged",
            min(times[1:]),
            "s",
            goal="≤ 1 s",
            is_met=min(times[1:]) <= 1,
        ),
    ]


# --- by hand -----------------------------------------------------------------------------------------


def _by_hand() -> list[Figure]:
    """Everybody's id in a file put into a static segment, and the segment deleted; beside a COPY of the same rows."""
    from django.db import connection

    from audience.models import Contact
    from common import tenancy
    from segments import services

    ids = list(Contact.objects.order_by("pk").values_list("pk", flat=True))
    segment = services.create_segment(name="From a file")
    started = time.perf_counter()
    uploaded = services.upload_contacts(segment, ["id\n", *(f"{pk}\n" for pk in ids)])
    took = time.perf_counter() - started
    assert uploaded.entered == len(ids)
    started = time.perf_counter()
    services.delete_segment(segment)
    deleted = time.perf_counter() - started
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE by_copy (LIKE segments_membership INCLUDING ALL)")
        started = time.perf_counter()
        with cursor.copy("COPY by_copy (organization_id, segment_id, contact_id, entered_at) FROM STDIN") as copy:
            for pk in ids:
                copy.write_row((1, 1, pk, "2026-01-01"))
        copied = time.perf_counter() - started
    return [
        Figure(f"file of {len(ids):,} ids into a static segment", took, "s", "COPY of the rows", copied),
        Figure(f"static segment of {len(ids):,} deleted", deleted, "s"),
    ]


# --- live --------------------------------------------------------------------------------------------


def _stage(segments: int) -> int:
    """Live segments; the first is entered by buying and left by itself when its window lapses. Returns its id.

    Somebody buys before: the first purchase of an organisation makes its goal, which counts every earlier one.
    """
    from audience import services as audience
    from audience.models import Contact
    from common import clock, doorbell, tenancy
    from segments import services

    rule = {"event": "order_completed", "operator": "did", "within": {"minutes": WINDOW.seconds // 60}, "where": [
        {"property": "source", "operator": "equals", "value": "live"}]}  # fmt: skip
    first = services.create_segment(name="Just bought", rule={"match": "all", "rules": [rule]})
    for number in range(1, segments):
        services.create_segment(name=f"Live {number}", rule=_rule(number))
    buyer = Contact.objects.order_by("pk")[0].pk
    first_order = audience.InternalEvent(buyer, "order_completed", clock.now(), "first-of-all", {"total": 5})
    audience.record([first_order])
    doorbell.drain(tenancy.required())
    return first.pk


def _requests(key: str, seconds: int, age: timedelta) -> tuple[list[bytes], dict[str, int]]:
    """Prepared requests and, by user id, the place of each buyer's request in the row: one in ten.

    The events happened `age` before they are sent.
    """
    requests, buyers, first = [], {}, datetime.now(UTC) - age
    for place in range(seconds * RATE):
        buys = place % 10 == 0
        user = f"buyer-{place}" if buys else f"visitor-{place % 500}"
        if buys:
            buyers[user] = place
        happened = first + timedelta(seconds=place / RATE)
        requests.append(_track(key, user, "order_completed" if buys else "page_viewed", happened))
    return requests, buyers


def _track(key: str, user: str, event: str, happened: datetime) -> bytes:
    body = {
        "type": "track", "userId": user, "event": event, "messageId": f"{user}-{time.time_ns()}", "writeKey": key,
        "properties": {"total": 12.5, "source": "live"}, "timestamp": happened.isoformat(),
    }  # fmt: skip
    return load.request("POST", "/v1/track", json.dumps(body).encode(), {"Content-Type": "application/json"})


class _Watcher(threading.Thread):
    """Looks into the table of memberships again and again; notes when each entering and leaving is first seen."""

    def __init__(self, organization_id: int, segment_id: int, expected: int) -> None:
        super().__init__(daemon=True)
        self.organization_id, self.segment_id, self.expected = organization_id, segment_id, expected
        self.entered: dict[int, float] = {}
        self.left: dict[int, float] = {}
        self.stop = threading.Event()

    def run(self) -> None:
        from django.db import connection

        from common import tenancy

        with tenancy.organization(self.organization_id), tenancy.engine(), connection.cursor() as cursor:
            while not self.stop.is_set() and len(self.left) < self.expected:
                cursor.execute(
                    "SELECT contact_id, left_at IS NOT NULL FROM segments_membership WHERE segment_id = %s",
                    [self.segment_id],
                )
                seen = time.time()
                for contact_id, has_left in cursor.fetchall():
                    self.entered.setdefault(contact_id, seen)
                    if has_left:
                        self.left.setdefault(contact_id, seen)
                time.sleep(LOOK_SECONDS)
        connection.close()


def _live(
    organization_id: int, key: str, segment_id: int, seconds: int, age: timedelta
) -> tuple[list[Figure], dict[str, float]]:
    with ground.web() as server, ground.worker("river") as worker, ground.worker("delivery,default"), ground.beat():
        warmed = datetime.now(UTC)
        warm = [_track(key, f"warm-{place}", "page_viewed", datetime.now(UTC)) for place in range(20)]
        load.run(warm, port=ground.WEB_PORT, connections=2)
        latency.wait_until_processed(organization_id, len(warm), since=warmed)
        requests, buyers = _requests(key, seconds, age)
        watcher = _Watcher(organization_id, segment_id, len(buyers))
        watcher.start()
        sent = load.run(requests, port=ground.WEB_PORT, connections=4, rate=RATE)
        watcher.join(WINDOW.total_seconds() + 60)
        watcher.stop.set()
        watcher.join(10)
        memory = {"web": report.child_megabytes(server.pid), "worker": report.child_megabytes(worker.pid)}
    assert sent.statuses == {"200": len(requests)}, sent.statuses
    received = _received(buyers)
    assert watcher.left.keys() >= received.keys(), f"{len(watcher.left)} of {len(received)} left"
    enter = [watcher.entered[contact] - moment for contact, moment in received.items()]
    leave = [
        watcher.left[contact] - (moment + WINDOW.total_seconds()) for contact, moment in _happened(buyers).items()
    ]
    return [
        *_percentiles("event accepted → in the segment", enter, 1.0),
        *_percentiles("window lapsed → out of the segment", leave, 5.0),
        Figure("events sent", sent.per_second, "events/s"),
    ], memory


def _percentiles(name: str, waits: list[float], most: float) -> list[Figure]:
    middle, slow = report.percentile(waits, 0.5) * 1000, report.percentile(waits, 0.95) * 1000
    goal = f"≤ {most * 1000:,.0f} ms"
    return [
        Figure(f"{name}, p50", middle, "ms"),
        Figure(f"{name}, p95", slow, "ms", goal=goal, is_met=slow <= most * 1000),
    ]


def _received(buyers: dict[str, int]) -> dict[int, float]:
    """Contact → when its request was accepted."""
    from audience.models import Event

    rows = Event.objects.filter(contact__user_id__in=list(buyers)).values_list("contact_id", "received_at")
    return {contact_id: moment.timestamp() for contact_id, moment in rows}


def _happened(buyers: dict[str, int]) -> dict[int, float]:
    from audience.models import Event

    rows = Event.objects.filter(contact__user_id__in=list(buyers)).values_list("contact_id", "happened_at")
    return {contact_id: moment.timestamp() for contact_id, moment in rows}
