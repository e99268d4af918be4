"""Experiments at size: drawing a million contacts, counting people, and a read-out over ten million exposures.

The ten million are written by SQL, with the sums that counting them would have left; what counting costs is measured
on people with events of their own. Their events are 2 a person.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

from benchmarks import report
from benchmarks.report import Figure

GOAL_MS = 200.0
DAYS = 28
METRICS = [
    {"key": "ordered", "name": "Ordered", "kind": "conversion", "event": "order", "role": "primary"},
    {"key": "revenue", "name": "Revenue", "kind": "sum", "event": "order", "cuped_days": 28},
    {"key": "basket", "name": "Basket", "kind": "mean", "event": "order"},
    {"key": "left", "name": "Left", "kind": "conversion", "event": "left", "role": "guardrail", "direction": "down"},
]
CONTACTS_SQL = """
INSERT INTO audience_contact (organization_id, name, user_id, first_seen_at, last_seen_at, created_at, updated_at,
                              status)
SELECT %(organization)s, 'C' || number, 'u' || number, %(now)s, %(now)s, %(now)s, %(now)s, 'new'
  FROM generate_series(1, %(contacts)s) AS number"""
EVENTS_SQL = """
INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at, received_at,
                            value_minor, currency)
SELECT %(organization)s, contact.id, %(definition)s, gen_random_uuid(), %(now)s + side * interval '1 hour', %(now)s,
       100 + contact.id %% 900, 'USD'
  FROM audience_contact AS contact CROSS JOIN unnest(ARRAY[-1, 1]) AS side
 WHERE contact.organization_id = %(organization)s ORDER BY contact.id LIMIT 2 * %(counted)s"""
EXPOSURES_SQL = """
INSERT INTO experiments_assignment (organization_id, experiment_id, contact_id, arm_id, propensity, epoch,
                                    assigned_at, exposed_at, problem, reported)
SELECT %(organization)s, %(experiment)s, 1000000000 + number, (%(arms)s::bigint[])[1 + number %% 2], 0.5, 0,
       %(now)s, %(now)s + (number %% %(days)s) * interval '1 day', '', ''
  FROM generate_series(1, %(exposures)s) AS number"""
SUMS_SQL = """
INSERT INTO experiments_metricdaily (organization_id, experiment_id, arm_id, metric, epoch, day, n, y, yy, x, xx, xy)
SELECT %(organization)s, %(experiment)s, arm_id, metric, 0, drawn.day, count(*),
       sum(y), sum(y * y), sum(x), sum(x * x), sum(x * y)
  FROM experiments_assignment
 CROSS JOIN LATERAL (SELECT contact_id %% 97 AS a, contact_id %% 89 AS b,
                            (exposed_at AT TIME ZONE 'UTC')::date AS day) AS drawn
 CROSS JOIN LATERAL (VALUES ('', 1::numeric, 0::numeric), ('ordered', (a < 10)::int, 0),
                            ('revenue', a * 7, a * 5 + b),
                            ('basket', a * 7, 1 + b %% 3), ('left', (b < 2)::int, 0)) AS figure(metric, y, x)
 WHERE organization_id = %(organization)s AND experiment_id = %(experiment)s
 GROUP BY arm_id, metric, drawn.day"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, counted, exposures = (500, 100, 2_000) if smoke else (1_000_000, 50_000, 10_000_000)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        figures = [*_drawing(organization.pk, contacts, counted), *_reading(organization.pk, exposures)]
    report.publish("read_out", figures, {"this process": report.peak_megabytes()})


def _drawing(organization_id: int, contacts: int, counted: int) -> list[Figure]:
    """A snapshot's draw of everybody, and the count of those who then bought."""
    from audience.models import EventDefinition
    from audience.services import partitions
    from common import clock
    from experiments import services

    now = clock.now()
    partitions.ensure_months([now])
    definition = EventDefinition.objects.create(name="order")
    values = {"organization": organization_id, "contacts": contacts, "counted": counted, "now": now}
    _execute(CONTACTS_SQL, values)
    _execute(EVENTS_SQL, values | {"definition": definition.pk})
    _execute("ANALYZE audience_contact, audience_event", {})
    made = _experiment("Everybody")
    select = "SELECT id FROM audience_contact WHERE organization_id = %(organization)s"
    seconds = _timed(lambda: services.assign_selected(made, select, {}))
    some = f"{select} ORDER BY id LIMIT {counted}"
    counting = _experiment("Some")
    services.assign_selected(counting, some, {}, is_exposed=True)
    per_count = _timed(lambda: services.work(organization_id))
    drawn = contacts / seconds
    return [
        Figure("arms drawn and written down", drawn, "people/s"),
        Figure("people counted, 4 metrics", counted / per_count, "people/s"),
    ]  # fmt: skip


def _reading(organization_id: int, exposures: int) -> list[Figure]:
    """The read-out, with its curve, and the first page of an arm's people."""
    from common import clock
    from experiments import selectors
    from experiments.models import Assignment

    made = _experiment("Large")
    arms = list(made.arms.values_list("pk", flat=True))
    values = {
        "organization": organization_id, "experiment": made.pk, "arms": arms, "exposures": exposures,
        "now": clock.now(), "days": DAYS,
    }  # fmt: skip
    _execute(EXPOSURES_SQL, values)
    _execute(SUMS_SQL, values)
    _execute("ANALYZE experiments_assignment, experiments_metricdaily", {})
    assert sum(selectors.read_out(made).people) == exposures
    page = Assignment.objects.filter(arm=arms[0], exposed_at__isnull=False).order_by("-pk")[:50]
    read = _median(lambda: selectors.read_out(made))
    found = selectors.read_out(made)
    curve = _median(lambda: selectors.lift_over_time(found, found.metrics[0].metric, 1))
    return [
        Figure(
            f"read-out of {exposures:,} exposures", read, "ms", goal=f"≤ {GOAL_MS:.0f} ms", is_met=read <= GOAL_MS
        ),
        Figure("its lift over time", curve, "ms"),
        Figure("first page of an arm's people", _median(lambda: list(page.all())), "ms"),
    ]


def _experiment(name: str):  # type: ignore[no-untyped-def]
    from experiments import services

    arms = [services.ArmDraft("a"), services.ArmDraft("b")]
    return services.start(services.create_experiment({"name": name, "metrics": METRICS}, arms))


def _execute(text: str, values: dict[str, object]) -> None:
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(text, values)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _median(work: Callable[[], object], rounds: int = 15) -> float:
    """Milliseconds."""
    return 1000 * statistics.median(_timed(work) for _ in range(rounds))
