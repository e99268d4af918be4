"""Sums are exact whatever the order of events, and a count of everybody ends in the same ones."""

from __future__ import annotations

import random
from typing import Any

import pytest

from accounts.models import Organization
from common import clock
from experiments import services, subscribers
from experiments.models import Assignment, Experiment, MetricDaily, Outcome, Problem, Touched
from experiments.tests.making import NOON, REVENUE, did, later, notice, people, running, sums


def _count(made: Experiment) -> int:
    return services.work(made.organization_id)


def test_a_person_counts_from_their_exposure_to_the_end_of_the_window(organization: Organization) -> None:
    ada, bob = people(2)
    made = running()
    with clock.freeze(NOON):
        services.assign(made.pk, [ada.pk], is_exposed=True)
    arm = made.assignments.get().arm.key
    did(ada, "Order Completed", later(-1), 300)  # before: a companion
    did(ada, "order_completed", later(-40), 999)  # too long before
    did(ada, "order_completed", later(1), 500)
    did(ada, "Order Completed", later(13.9), 700)
    did(ada, "Order Completed", later(14), 9_999)  # too late
    did(bob, "Order Completed", later(1), 9_999)  # not in it

    assert _count(made) == 1

    assert sums(made, "") == {arm: (1, 1, 1, 0, 0, 0)}
    assert sums(made, "ordered") == {arm: (1, 1, 1, 0, 0, 0)}
    assert sums(made, "revenue") == {arm: (1, 1200, 1_440_000, 300, 90_000, 360_000)}
    assert {row.day for row in MetricDaily.objects.all()} == {NOON.date()}
    assert _count(made) == 0


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ({"kind": "count"}, (3, 0)),
        ({"kind": "count", "cap": 2}, (2, 0)),
        ({"kind": "count", "where": [{"property": "sku", "operator": "equals", "value": "s1"}]}, (2, 0)),
        ({"kind": "sum", "property": "items"}, (7, 0)),
        ({"kind": "sum", "cap": 1000}, (1000, 0)),
        ({"kind": "mean"}, (1600, 2)),
        ({"kind": "mean", "property": "items"}, (7, 2)),
        ({"kind": "ratio", "per_event": "visit"}, (3, 4)),
        ({"kind": "ratio", "per_event": "visit", "property": "items"}, (7, 4)),
        ({"kind": "conversion", "event": "never"}, (0, 0)),
    ],
)
def test_each_kind_of_metric(organization: Organization, metric: dict[str, Any], expected: tuple[int, int]) -> None:
    (ada,) = people(1)
    did(ada, "order", later(1), 1000, sku="s1", items=3)
    did(ada, "order", later(2), 600, sku="s1", items=4)
    did(ada, "order", later(3), None, sku="s2")
    for day in range(4):
        did(ada, "visit", later(day))
    made = running(metrics=[{"key": "m", "name": "M", "event": "order", **metric}])
    with clock.freeze(NOON):
        services.assign(made.pk, [ada.pk], is_exposed=True)
    _count(made)

    y, x = expected
    assert list(sums(made, "m").values()) == [(1, y, y * y, x, x * x, x * y)]


def test_numbers_that_cannot_be_true_stop_nobody(organization: Organization) -> None:
    (ada,) = people(1)
    did(ada, "order", later(1), items=1e300)
    did(ada, "order", later(1), items="many")
    made = running(metrics=[{"key": "m", "name": "M", "event": "order", "kind": "sum", "property": "items"}])
    with clock.freeze(NOON):
        services.assign(made.pk, [ada.pk], is_exposed=True)
    _count(made)

    assert list(sums(made, "m").values()) == [(1, 10**12, 10**24, 0, 0, 0)]


def test_late_repeated_and_unordered_news_end_in_the_sums_of_a_full_count(organization: Organization) -> None:
    who = people(12)
    made = running()
    draw = random.Random(7)
    for _ in range(40):
        step = draw.random()
        contact = draw.choice(who)
        with clock.freeze(later(draw.uniform(0, 5))):
            if step < 0.4:
                services.assign(made.pk, [contact.pk], is_exposed=draw.random() < 0.7)
            else:
                event = did(contact, "Order Completed", later(draw.uniform(-3, 20)), draw.randrange(1, 5000))
                subscribers.on_events(notice(event))
                subscribers.on_events(notice(event))
        if step > 0.7:
            _count(made)
    _count(made)
    kept = {metric: sums(made, metric) for metric in ("", "ordered", "revenue")}
    outcomes = list(Outcome.objects.order_by("contact_id").values("contact_id", "arm_id", "day", "figures"))
    assert sum(values[0] for values in kept["revenue"].values()) == made.assignments.exclude(exposed_at=None).count()

    services.count_anew(made)
    _count(made)

    assert {metric: sums(made, metric) for metric in kept} == kept
    assert list(Outcome.objects.order_by("contact_id").values("contact_id", "arm_id", "day", "figures")) == outcomes


def test_who_is_not_counted_any_more_leaves_nothing_behind(organization: Organization) -> None:
    who = people(3)
    made = running()
    with clock.freeze(NOON):
        services.assign(made.pk, [contact.pk for contact in who], is_exposed=True)
    did(who[0], "Order Completed", later(1), 500)
    _count(made)

    made.assignments.filter(contact=who[0]).update(problem=Problem.BOTH)
    Assignment.objects.filter(contact=who[1]).delete()
    services.touch(made.pk, [who[0].pk, who[1].pk])
    _count(made)

    assert sum(values[0] for values in sums(made, "revenue").values()) == 1
    assert sum(values[1] for values in sums(made, "revenue").values()) == 0
    assert Outcome.objects.get().contact_id == who[2].pk


def test_other_metrics_count_everybody_anew(organization: Organization) -> None:
    who = people(2)
    made = running(metrics=[])
    with clock.freeze(NOON):
        services.assign(made.pk, [contact.pk for contact in who], is_exposed=True)
    did(who[0], "Order Completed", later(1), 500)
    _count(made)
    assert sums(made, "revenue") == {}

    changed = services.update_experiment(made, {"metrics": [REVENUE]})
    assert changed.listens_to == ["order_completed"]
    assert Touched.objects.count() == 2
    _count(made)
    assert sum(values[1] for values in sums(made, "revenue").values()) == 500


def test_only_events_that_a_metric_counts_are_heard(organization: Organization) -> None:
    (ada,) = people(1)
    made = running()
    with clock.freeze(NOON):
        services.assign(made.pk, [ada.pk], is_exposed=True)
    _count(made)
    order, visit = did(ada, "Order Completed", later(1), 5), did(ada, "visit", later(1))

    assert subscribers.hears_events([notice(visit), notice(visit, order)]) == [False, True]
    subscribers.on_events(notice(visit))
    assert not Touched.objects.exists()
    subscribers.on_events(notice(visit, order))
    assert Touched.objects.get().contact_id == ada.pk
    services.archive(services.stop(made))
    assert subscribers.hears_events([notice(order)]) == [False]
