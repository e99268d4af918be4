"""Conditions on segments, places and days keep to the indexes, and to parallel workers, that make them quick."""

from __future__ import annotations

from django.db import connection

from common import tenancy
from segments import rules, services
from segments.rules import compiler
from segments.tests import people
from segments.tests.people import NOON, city, everyone, on
from segments.tests.test_plans import crowd, indexes, nodes

__all__ = ["crowd"]


def test_members_of_another_segment_are_probed_for_a_few_and_hashed_for_everybody(crowd: list[int]) -> None:
    inner = services.create_segment(name="Inner")
    services.add_contacts(inner, crowd[::2])
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ANALYZE segments_membership")
    rule = rules.parse({"match": "any", "rules": [{"segment": inner.pk, "operator": "in"}, city("Leeds")]})

    few = compiler.few({1: rule}, [1] * 5, crowd[:5], tenancy.required(), NOON)
    everybody = nodes(compiler.everybody(rule, tenancy.required(), NOON))

    probed = indexes(nodes(few, then=" SELECT * FROM evaluated"), "segments_membership")
    assert set(probed) <= {"one_open_membership", "membership_by_contact"}
    assert len(probed) == 1
    assert len([node for node in everybody if node.get("Relation Name") == "segments_membership"]) == 1


def test_distances_days_and_dates_leave_full_builds_to_parallel_workers(crowd: list[int]) -> None:
    """A subselect in their place would forbid it, and so would OFFSET 0 that is not a bigint."""
    people.attribute("latitude", "number")
    people.attribute("longitude", "number")
    people.attribute("renews", "date")
    near = {"near": {"latitude": 53.8, "longitude": -1.5, "kilometers": 20}, "operator": "within"}
    soon = {"match": "any", "rules": [on("attributes.renews", "in_next", 7), on("last_seen_at", "in_last", 7)]}
    rule = rules.parse(everyone(near, on("first_seen_at", "weekday", ["monday"]), soon))
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL debug_parallel_query = on")

    plan = nodes(compiler.everybody(rule, tenancy.required(), NOON))

    assert "Gather" in {node["Node Type"] for node in plan}
