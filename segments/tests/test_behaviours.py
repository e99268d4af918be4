"""Each behaviour by rows of whom it finds, and at random against the oracle on a dense grid of moments."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Contact
from common import clock
from segments import selectors
from segments.rules.behaviours import BEHAVIOURS
from segments.tests import oracle, people, random_behaviours, test_oracle
from segments.tests.oracle import Happening, Person
from segments.tests.people import DAY, NOON

CASES = int(os.environ.get("SEGMENT_CASES", "12"))
TICK = timedelta(microseconds=1)
HOUR = timedelta(hours=1)

# Who ordered how many days ago, for how much; who visited how many days ago.
ORDERS: dict[str, list[tuple[float, Any]]] = {
    "weekly": [(1, 10), (8, 20), (15, 30), (22, 40)],
    "lost": [(40, 99.5), (50, 99.5), (60, "99 EUR")],
    "back": [(2, 5), (50, 5)],
    "new": [(3, 10**6)],
    "ahead": [(-1, 7)],
}
VISITS = {"weekly": [0.5, 30], "lost": [39, 39.5], "new": [20], "ahead": [1]}


def order(operator: str, **inputs: Any) -> dict[str, Any]:
    return {"event": "order", "operator": operator} | inputs


def worth(operator: str, compare: str, value: Any, **inputs: Any) -> dict[str, Any]:
    return order(operator, property="total", compare=compare, value=value, **inputs)


VISIT, MONTH = {"event": "visit"}, {"days": 30}
ROWS: list[tuple[dict[str, Any], str]] = [
    (order("did", count=2), "weekly lost back"),
    (order("did", within={"from": "2026-04-16", "to": "2026-05-06"}), "lost back"),
    (order("did", within={"from": "2026-06-13T12:00:00Z"}), "weekly back"),
    (order("did", within={"to": "2026-04-26T12:00:00Z"}), "lost"),
    (order("did", within={"to": "2026-04-26"}), "lost back"),
    (order("did_not", count=2), "new ahead none"),
    (order("did_exactly", count=2), "back"),
    (order("did_exactly", within=MONTH), "back new"),
    (order("did_exactly", count=3, within={"from": "2026-05-20"}), ""),
    (order("did_at_most", count=2), "back new ahead none"),
    (order("did_at_most", within=MONTH), "lost back new ahead none"),
    (order("first_time", within={"days": 7}), "new"),
    (order("first_time", within={"from": "2026-05-24", "to": "2026-05-24"}), "weekly"),
    (order("last_time", more_than={"days": 2}), "lost back new"),
    (order("last_time", more_than=MONTH), "lost"),
    (order("last_time", more_than={"days": 2}, within={"days": 39}), "back new"),
    (worth("sum", "greater", 100), "lost new"),
    (worth("sum", "equals", 199), "lost"),
    (worth("sum", "less", 10, within=MONTH), "lost back ahead none"),
    (worth("sum", "between", [30, 100]), "weekly"),
    (worth("average", "greater_or_equal", 25), "weekly lost new"),
    (worth("average", "less", 25), "back"),
    (worth("smallest", "less_or_equal", 10), "weekly back"),
    (worth("largest", "greater", 50), "lost new"),
    (worth("largest", "equals", 40, within={"from": "2026-05-24", "to": "2026-06-01T12:00:00Z"}), "weekly"),
    (order("distinct", property="total", compare="equals", value=1), "back new"),
    (order("distinct", property="total", compare="less_or_equal", value=1, within=MONTH), "lost back new ahead none"),
    (order("then", then=VISIT, gap={"days": 1}), "weekly lost"),
    (order("then", then=VISIT, gap={"days": 1}, within=MONTH), "weekly"),
    (order("then", then=VISIT, gap={"hours": 11}), ""),
    (order("then", then={"event": "order"}, gap={"days": 7}), "weekly"),
    (order("then", then={"event": "never seen"}, gap={"days": 7}), ""),
    (order("then_not", then=VISIT, gap={"days": 1}), "weekly lost back new"),
    (order("then_not", then=VISIT, gap={"days": 3}, within={"days": 5}), "new"),
    (order("then_not", then=VISIT, gap={"days": 1}, within={"from": "2026-06-14"}), ""),
    (order("regularly", periods=4, unit="week", at_least=4), "weekly"),
    (order("regularly", periods=2, unit="month", at_least=1), "weekly lost back new"),
    (order("stopped", count=3, within=MONTH), "lost"),
    (order("stopped", within={"days": 2}), "lost back new"),
    (order("stopped", within={"from": "2026-05-01", "to": "2026-05-31"}), "back"),
    (order("restarted", pause={"days": 48}), "back"),
    (order("restarted", pause={"days": 7}, within=MONTH), "weekly back"),
    (order("restarted", pause={"days": 49}), ""),
    (order("overdue"), "lost"),
    (order("overdue", count=3, times=4), "lost"),
    (order("overdue", count=3, times=5), ""),
    (order("overdue", count=4, times=1), ""),
]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def crowd(organization: Organization) -> dict[int, str]:
    rows = {name: people.contact(name=name) for name in ("weekly", "lost", "back", "new", "ahead", "none")}
    for name, orders in ORDERS.items():
        people.events([(rows[name].pk, "order", NOON - days * DAY, {"total": total}) for days, total in orders])
    for name, visits in VISITS.items():
        people.events([(rows[name].pk, "visit", NOON - days * DAY, {}) for days in visits])
    return {row.pk: name for name, row in rows.items()}


@pytest.mark.parametrize(("rule", "found"), ROWS, ids=[f"{n}-{row[0]['operator']}" for n, row in enumerate(ROWS)])
def test_each_behaviour_finds_the_right_people(crowd: dict[int, str], rule: Any, found: str) -> None:
    assert {crowd[contact_id] for contact_id in selectors.matching(rule, list(crowd))} == set(found.split())


def test_every_behaviour_has_a_row_and_is_drawn_at_random() -> None:
    assert {rule["operator"] for rule, _ in ROWS} == BEHAVIOURS.keys()
    assert random_behaviours.by_operator(test_oracle.FILTER).keys() == BEHAVIOURS.keys()


def test_the_merged_are_found_no_more(crowd: dict[int, str]) -> None:
    weekly, back = (next(pk for pk, name in crowd.items() if name == wanted) for wanted in ("weekly", "back"))
    Contact.objects.filter(pk=weekly).update(merged_into=back)

    assert selectors.matching(order("regularly", periods=4, unit="week", at_least=4), list(crowd)) == set()


GRID = [timedelta(days=days, hours=hours) for days in (-30, -14, -8, -7, -2, -1, 0, 1) for hours in (-1, 0, 0, 1)]


@pytest.fixture
def dense(organization: Organization) -> dict[int, Person]:
    """People whose events stand on a grid, so that windows, gaps and pauses often end just there."""
    Organization.objects.filter(pk=organization.pk).update(timezone=oracle.HOME.key)
    draw = random.Random(5)
    for name in random_behaviours.EVENTS:
        people.definition(name, total="number", sku="text", gift="boolean")
    population = {}
    for _ in range(40):
        names = [draw.choice(random_behaviours.EVENTS[:2]) for _ in range(draw.randint(1, 9))]
        happenings = [Happening(name, NOON + draw.choice(GRID), test_oracle._properties(draw)) for name in names]
        row = people.contact()
        people.events([(row.pk, item.name, item.at, item.properties) for item in happenings])
        population[row.pk] = Person({}, {}, happenings)
    return population


MOMENT = st.sampled_from([0, 0, 1, 24, 25, 24 * 6, 24 * 7, 24 * 23, 24 * 30]).flatmap(
    lambda hours: st.sampled_from([timedelta(), -TICK]).map(lambda tick: NOON + HOUR * hours + tick)
)
RULES = random_behaviours.by_operator(test_oracle.FILTER)


@pytest.mark.parametrize("operator", BEHAVIOURS)
def test_each_behaviour_agrees_with_the_oracle(dense: dict[int, Person], operator: str) -> None:
    @settings(max_examples=CASES, deadline=None, database=None, derandomize=True)
    @given(rule=RULES[operator].filter(_is_plain), now=MOMENT)
    def agree(rule: dict[str, Any], now: datetime) -> None:
        with clock.freeze(now), transaction.atomic():
            test_oracle._compare(rule, now, dense)

    agree()


def _is_plain(rule: dict[str, Any]) -> bool:
    """Filters and unknown events are for the random trees; here every case should have something to find."""
    names = {rule["event"], rule.get("then", rule)["event"]}
    filters = [*rule.get("where", []), *rule.get("then", {}).get("where", [])]
    return names <= set(random_behaviours.EVENTS[:2]) and not filters
