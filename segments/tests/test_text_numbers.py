"""Numbers that clients send as text: a plain decimal number counts, anything else is none; nothing is an error."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organization
from common import clock, tenancy
from common.errors import Invalid
from segments import rules, selectors
from segments.rules import compiler
from segments.rules.explain import explain
from segments.tests import people
from segments.tests.people import DAY, NOON

SENT = {
    "till": ["19.99", "5", "-3.5"],
    "app": [19.99, 5, -3.5],
    "odd": [
        "1,000",
        "1e3",
        " 5",
        "5 ",
        "5\n",
        "5-",
        "--5",
        "1-2",
        "-",
        ".",
        "-.",
        "1.2.3",
        "+5",
        "٥",
        "",
        "NaN",
        "Infinity",
        "0x1F",
        "1_0",
        "9" * 31,
        "9" * 5_000,
    ],
    "long": ["9" * 30, "." + "3" * 29, "-0." + "3" * 27, "8."],
    "none": [None, True, ["5"], {"a": "5"}],
}


@pytest.fixture
def shoppers(organization: Organization) -> dict[str, int]:
    people.definition("order", total="text")
    ids = {name: people.contact(name=name).pk for name in SENT}
    people.events([(ids[name], "order", NOON - DAY, {"total": raw}) for name, sent in SENT.items() for raw in sent])
    return ids


def _found(rule: dict[str, Any], ids: dict[str, int]) -> set[str]:
    """Whom the rule finds, in both shapes of the compiler."""
    with clock.freeze(NOON):
        few = selectors.matching(rule, list(ids.values()))
        query = compiler.everybody(rules.parse(rule), tenancy.required(), NOON)
        rows = selectors._fetch(f"SELECT contact_id FROM ({query.sql}) verdict WHERE truth", query.parameters)
    assert {row[0] for row in rows} == few
    return {name for name, pk in ids.items() if pk in few}


def _amount(operator: str, compare: str, value: float) -> dict[str, Any]:
    return {"event": "order", "operator": operator, "property": "total", "compare": compare, "value": value}


def _with(operator: str, *value: Any) -> dict[str, Any]:
    where = {"property": "total", "operator": operator} | ({"value": value[0]} if value else {})
    return {"event": "order", "operator": "did", "where": [where]}


@pytest.mark.parametrize(
    ("rule", "names"),
    [
        (_amount("sum", "equals", 21.49), {"till", "app"}),
        (_amount("sum", "equals", 0), {"odd", "none"}),
        (_amount("sum", "greater", 10**29), {"long"}),
        (_amount("average", "less_or_equal", 7.17), {"till", "app"}),
        (_amount("smallest", "equals", -3.5), {"till", "app"}),
        (_amount("largest", "equals", 19.99), {"till", "app"}),
        (_with("greater", 19.98), {"till", "app", "long"}),
        (_with("between", [4, 6]), {"till", "app"}),
        (_with("equals", 5), {"till", "app"}),
        (_with("in", [5, 7]), {"till", "app"}),
        # With a text in the rule it is compared as text, as ever.
        (_with("equals", "5"), {"till", "app"}),
        (_with("starts_with", "1"), {"till", "app", "odd"}),
    ],
)
def test_plain_numbers_in_text_count(shoppers: dict[str, int], rule: dict[str, Any], names: set[str]) -> None:
    assert _found(rule, shoppers) == names


def test_a_rule_says_what_it_reads(shoppers: dict[str, int]) -> None:
    assert rules.describe(_with("greater", 19.98)) == "Contacts where order happened with total is more than 19.98"
    with pytest.raises(Invalid, match="greater does not work on text"):
        rules.parse(_with("greater", "many"))


def test_the_explanation_counts_the_same(shoppers: dict[str, int]) -> None:
    found = explain(rules.parse(_amount("sum", "equals", 21.49)), shoppers["till"], NOON)

    assert found is not None
    assert found.evidence is not None
    assert (found.is_true, float(found.evidence.value)) == (True, 21.49)
