"""The language endpoint tells every word a rule may use, so that forms never know one by heart."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from accounts.models import Organization
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import STANDARD_FIELDS
from segments.rules.operators import OPERATORS
from segments.rules.tree import Match
from segments.tests import people

URL = "/api/v1/segments/language/"
TYPES = {
    "text", "number", "whole", "boolean", "date", "span", "list", "choice", "property", "event", "filters", "pair",
    "segment", "window",
}  # fmt: skip


def named(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in rows}


def test_every_word_of_the_tables_is_told(api: APIClient, organization: Organization) -> None:
    people.attribute("plan", "text")
    people.definition("order_completed", total="number", lines="mixed")

    told = api.get(URL).json()

    assert named(told["operators"]).keys() == OPERATORS.keys()
    assert named(told["behaviours"]).keys() == BEHAVIOURS.keys()
    assert named(told["matches"]).keys() == set(Match)
    assert named(told["fields"]).keys() == STANDARD_FIELDS.keys() | {"attributes.plan"}
    assert named(told["fields"])["attributes.plan"] == {
        "name": "attributes.plan", "label": "plan", "kind": "text", "group": "Attributes",
    }  # fmt: skip
    assert told["events"] == [{"name": "order_completed", "properties": [{"name": "total", "kind": "number"}]}]


def test_everything_has_a_label_and_known_inputs(api: APIClient, organization: Organization) -> None:
    told = api.get(URL).json()

    for row in [*told["matches"], *told["operators"], *told["behaviours"], *told["leaves"]]:
        assert row["label"]
        for given in row["inputs"]:
            assert given["label"]
            assert given["type"] in TYPES


def test_an_operator_says_what_it_takes(api: APIClient, organization: Organization) -> None:
    told = named(api.get(URL).json()["operators"])

    assert told["in"] == {
        "name": "in",
        "label": "is one of",
        "labels": {},
        "kinds": ["number", "text"],
        "inputs": [{"name": "value", "type": "list", "label": "Values", "required": True, "kind": "same"}],
        "works_on_properties": True,
    }
    assert told["in_last"]["inputs"] == [{"name": "value", "type": "span", "label": "Span", "required": True}]
    assert told["in_last"]["works_on_properties"] is False


def test_strangers_are_sent_away(organization: Organization) -> None:
    assert APIClient().get(URL).status_code == 401
