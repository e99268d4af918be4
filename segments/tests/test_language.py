"""The language endpoint tells every word a rule may use, so that forms never know one by heart."""

from __future__ import annotations

from typing import Any

from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import Topic
from segments.models import Segment
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import STANDARD_FIELDS
from segments.rules.conditions import CONDITIONS
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


def test_other_conditions_are_told_with_what_they_may_name(api: APIClient, organization: Organization) -> None:
    Topic.objects.create(name="News", slug="news")

    told = {leaf["key"]: leaf for leaf in api.get(URL).json()["leaves"]}

    assert told.keys() == CONDITIONS.keys()
    assert named(told["segment"]["operators"]).keys() == {"in", "not_in"}
    assert named(told["consent"]["inputs"])["topic"]["choices"] == [{"name": "news", "label": "News"}]
    assert [given["name"] for given in told["bucket"]["inputs"]] == ["bucket.salt", "bucket.from", "bucket.to"]
    assert told["bucket"]["operators"] == []


def test_a_word_of_the_address_is_no_slug(api: APIClient, organization: Organization) -> None:
    refused = api.post("/api/v1/segments/", {"name": "Mine", "slug": "language"})
    named_so = api.post("/api/v1/segments/", {"name": "Language"})

    assert (refused.status_code, refused.json()["details"].keys()) == (400, {"slug"})
    assert (named_so.status_code, named_so.json()["slug"]) == (201, "language-2")
    assert Segment.objects.count() == 1


def test_strangers_are_sent_away(organization: Organization) -> None:
    assert APIClient().get(URL).status_code == 401
