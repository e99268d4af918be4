"""The rule language as data: what a form can offer, told from the same tables that parse, compile and speak."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS, Catalogue, label
from segments.rules.conditions import CONDITIONS
from segments.rules.conditions.base import Condition
from segments.rules.inputs import Input, described
from segments.rules.operators import OPERATORS, Operator, inputs_of
from segments.rules.tree import Kind, Match

MATCHES: dict[Match, str] = {
    Match.ALL: "All of these",
    Match.ANY: "Any of these",
    Match.NONE: "None of these",
    Match.AT_LEAST: "At least some of these",
}
COUNT = Input("count", "whole", "How many", default=2)


def describe(known: Catalogue) -> dict[str, Any]:
    """Groups, fields, events, operators, behaviours and other conditions, each with its label and inputs.

    The JSON of a condition is `{"<key>": …, "operator": name, <input name>: value…}`; a dot in the name of an input
    steps into an object (`near.latitude`), and a condition without operators has none in its JSON.
    """
    return {
        "matches": [
            {"name": str(match), "label": words, "inputs": _inputs([COUNT] if match is Match.AT_LEAST else [])}
            for match, words in MATCHES.items()
        ],
        "fields": _fields(known),
        "events": [
            {"name": name, "properties": [_typed(key, kind) for key, kind in sorted(event.properties.items())]}
            for name, event in sorted(known.events.items())
        ],
        "operators": [_operator(name, operator) for name, operator in OPERATORS.items()],
        "behaviours": [
            {"name": name, "label": behaviour.label, "inputs": _inputs(behaviour.inputs)}
            for name, behaviour in BEHAVIOURS.items()
        ],
        "leaves": [_leaf(key, condition, known) for key, condition in CONDITIONS.items()],
    }


def _fields(known: Catalogue) -> list[dict[str, Any]]:
    standard = [
        {"name": name, "label": field.label, "kind": str(field.kind), "group": "Contact"}
        for name, field in STANDARD_FIELDS.items()
    ]
    custom = [
        {"name": f"{CUSTOM}{name}", "label": label(f"{CUSTOM}{name}"), "kind": str(kind), "group": "Attributes"}
        for name, kind in sorted(known.attributes.items())
    ]
    return standard + custom


def _operator(name: str, operator: Operator) -> dict[str, Any]:
    return {
        "name": name,
        "label": operator.label(),
        "labels": {str(Kind.DATE): operator.label(Kind.DATE)} if operator.words_of_dates else {},
        "kinds": sorted(str(kind) for kind in operator.kinds),
        "inputs": _inputs(inputs_of(operator)),
        "works_on_properties": operator.flips is None,
    }


def _leaf(key: str, condition: Condition[Any], known: Catalogue) -> dict[str, Any]:
    return {
        "key": key,
        "label": condition.label,
        "operators": [
            {"name": name, "label": words, "inputs": _inputs(condition.operator_inputs.get(name, ()))}
            for name, words in condition.operators.items()
        ],
        "inputs": _inputs(condition.inputs(known)),
    }


def _typed(name: str, kind: Kind) -> dict[str, str]:
    return {"name": name, "kind": str(kind)}


def _inputs(given: Sequence[Input]) -> list[dict[str, Any]]:
    return [described(item) for item in given]
