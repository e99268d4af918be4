"""Rules: deep, huge, cyclic, wrong in every way, or bombs for a pattern matcher."""

from __future__ import annotations

import time
from typing import Any

import pytest

from audience.models import Contact
from tests.hostile.conftest import Attacker, refusal
from tests.hostile.snapshot import unchanged
from tests.hostile.town import RULE, Town

BRANCH = {"action_type": "branch", "action_order": 0, "branches": {"yes": [], "no": []}}


def _deep(levels: int) -> dict[str, Any]:
    rule: dict[str, Any] = RULE
    for _ in range(levels):
        rule = {"match": "all", "rules": [rule]}
    return rule


def _event(**more: Any) -> dict[str, Any]:
    return {"event": "order_completed", "operator": "did", "count": 1, **more}


RULES: dict[str, Any] = {
    "nothing": {},
    "a list": [RULE],
    "text": "everybody",
    "a number": 1,
    "an empty group": {"match": "all", "rules": []},
    "an unknown match": {"match": "some", "rules": [RULE]},
    "a match that is an object": {"match": {"$gt": 1}, "rules": [RULE]},
    "rules that are an object": {"match": "all", "rules": {"0": RULE}},
    "a rule in itself twice": {"match": "all", "rules": [{"match": "any", "rules": [None, [], 1]}]},
    "twenty-one levels": _deep(21),
    "501 conditions": {"match": "any", "rules": [RULE] * 501},
    "both kinds at once": {**RULE, "event": "e"},
    "an unknown key": {**RULE, "sql": "1=1"},
    "an unknown field": {"field": "password", "operator": "equals", "value": "x"},
    "SQL as a field": {"field": "city; DROP TABLE audience_contact", "operator": "equals", "value": "x"},
    "SQL as an attribute": {"field": "attributes.x' OR '1'='1", "operator": "equals", "value": "x"},
    "organization_id": {"field": "organization_id", "operator": "greater", "value": 0},
    "an unknown operator": {"field": "city", "operator": "regex", "value": "(a+)+$"},
    "SQL as an operator": {"field": "city", "operator": "= '' OR 1=1 --", "value": "x"},
    "a value that is an object": {"field": "city", "operator": "equals", "value": {"$ne": 1}},
    "a list for one": {"field": "city", "operator": "equals", "value": ["Leeds"]},
    "one for a list": {"field": "city", "operator": "in", "value": "Leeds"},
    "1,001 values": {"field": "city", "operator": "in", "value": ["Leeds"] * 1001},
    "a long value": {"field": "city", "operator": "contains", "value": "x" * 10_000},
    "no value": {"field": "city", "operator": "equals"},
    "an empty value": {"field": "city", "operator": "equals", "value": ""},
    "a date that is none": {"field": "created_at", "operator": "greater", "value": "2026-02-30"},
    "infinity": {"field": "created_at", "operator": "greater", "value": "infinity"},
    "a huge number": {"field": "value_minor", "operator": "greater", "value": 10**40},
    "a huge count": _event(count=10**9),
    "a negative count": _event(count=-1),
    "a count that is true": _event(count=True),
    "a window of a million years": _event(within={"days": 365_000_000}),
    "a negative window": _event(within={"days": -1}),
    "an unknown unit": _event(within={"fortnights": 1}),
    "SQL as a window": _event(within="1 day'; DROP TABLE audience_event; --"),
    "a filter that is text": _event(where="1=1"),
    "many filters": _event(where=[{"property": "a", "operator": "equals", "value": 1}] * 21),
    "a long event": _event(event="e" * 300),
    "another segment": {"segment": 1},
    "itself": {"match": "all", "rules": [{"segment": "home"}]},
}


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_that_does_not_hold_is_refused_with_its_place(attacker: Attacker, home: Town, rule: Any) -> None:
    branch = {
        "action_type": "branch",
        "action_order": 0,
        "configuration": {"rule": rule},
        "branches": {"yes": [], "no": []},
    }
    with unchanged():
        made = attacker.ask("post", "segments/", {"name": "New", "rule": rule})
        changed = attacker.ask("patch", f"segments/{home.segment}/", {"rule": rule})
        tried = attacker.ask("post", f"segments/{home.segment}/evaluate/", {"rule": rule})
        within = attacker.ask(
            "post", "automations/", {"name": "New", "trigger_type": "lead_created", "actions": [branch]}
        )

    for answer in (made, changed, tried, within):
        assert refusal(answer)["details"]


BOMBS = ["(a+)+$", "%" * 500, "_" * 500, "\\" * 500, "%_\\%" * 100, "a" * 1000, "^(([a-z])+.)+[A-Z]([a-z])+$"]


@pytest.mark.parametrize("value", BOMBS)
def test_patterns_are_plain_text_and_cost_nothing(attacker: Attacker, home: Town, value: str) -> None:
    Contact.objects.bulk_create(Contact(name="a" * 300, city="a" * 100) for _ in range(2_000))
    Contact.objects.create(name="the one", city="x", status="new", attributes={}, source=value[:100])
    started = time.monotonic()

    for operator in ("equals", "contains", "not_contains", "starts_with", "ends_with"):
        rule = {"field": "source", "operator": operator, "value": value[:100]}
        answer = attacker.ask("post", f"segments/{home.segment}/evaluate/", {"rule": rule})
        assert answer.status_code == 200
        found = answer.json()["size"]
        assert found == (2_001 if operator == "not_contains" else 1), operator

    assert time.monotonic() - started < 30


def test_a_cycle_of_workflows_cannot_be_written(attacker: Attacker, home: Town) -> None:
    """Steps are a tree: there is no goto, and a branch that holds itself is only deep."""
    step: dict[str, Any] = {"action_type": "exit", "action_order": 0, "configuration": {}}
    for _ in range(12):
        inner = {"action_type": "branch", "action_order": 0, "configuration": {"rule": RULE}}
        step = {**inner, "branches": {"then": [step], "yes": [step], "no": []}}
    body = {"name": "New", "trigger_type": "lead_created", "actions": [step]}
    many = {
        "name": "New",
        "trigger_type": "lead_created",
        "actions": [{"action_type": "exit", "configuration": {}}] * 5000,
    }
    goto = {"action_type": "goto", "action_order": 0, "configuration": {"step": "a"}}
    with unchanged():
        for bad in (body, many, {**body, "actions": [goto]}, {**body, "actions": "all"}, {**body, "actions": [1]}):
            refusal(attacker.ask("post", "automations/", bad))
