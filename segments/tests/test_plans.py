"""The hot shapes are answered from the indexes made for them: a lost index goes red here."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization
from common import clock, tenancy
from segments import rules
from segments.rules import compiler
from segments.rules.compiler import Query
from segments.rules.tree import Rule
from segments.tests import people
from segments.tests.people import DAY, NOON, did, everyone

CONTACTS, EVENTS = 2_000, 20_000
# The partitions' copies of event_by_contact and event_by_definition, as PostgreSQL names them.
PARTITION = "audience_event_2026_06"  # other tests may have left other months, empty
BY_CONTACT = "audience_event_2026_06_organization_id_contact_id_definitio_idx"
BY_DEFINITION = "audience_event_2026_06_organization_id_definition_id_happen_idx"
FILL_CONTACTS = """
INSERT INTO audience_contact (organization_id, name, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, n::text, %(now)s, %(now)s, %(now)s, %(now)s FROM generate_series(1, %(contacts)s) n"""
FILL_EVENTS = """
INSERT INTO audience_event (organization_id, contact_id, definition_id, message_key, happened_at, received_at)
SELECT %(organization)s, %(first)s + n %% %(contacts)s, CASE WHEN n %% 20 = 0 THEN %(order)s ELSE %(visit)s END,
       gen_random_uuid(), moment, moment
FROM (SELECT n, %(now)s - (n %% 14) * interval '1 day' AS moment FROM generate_series(1, %(events)s) n) drawn"""


@pytest.fixture
def crowd(organization: Organization) -> list[int]:
    values: dict[str, Any] = {
        "organization": organization.pk, "now": NOON, "contacts": CONTACTS, "events": EVENTS,
        "order": people.definition("order"), "visit": people.definition("visit"),
    }  # fmt: skip
    people.partitions.ensure_months([NOON, NOON + 40 * DAY, NOON + 80 * DAY])
    with tenancy.engine(), connection.cursor() as cursor:
        # What rolled back tests left behind makes a table look larger than it is, and plans differ.
        cursor.execute("TRUNCATE audience_event")
        cursor.execute(FILL_CONTACTS, values)
        cursor.execute("SELECT min(id) FROM audience_contact WHERE organization_id = %(organization)s", values)
        values["first"] = cursor.fetchone()[0]
        cursor.execute(FILL_EVENTS, values)
        cursor.execute("ANALYZE audience_contact; ANALYZE audience_event")
    return list(range(values["first"], values["first"] + CONTACTS))


def add_events(first: int, now: datetime) -> None:
    """Events younger than any that the statistics know of."""
    values = {
        "organization": tenancy.required(), "now": now, "contacts": CONTACTS, "events": EVENTS, "first": first,
        "order": people.definition("order"), "visit": people.definition("visit"),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL_EVENTS, values)


def nodes(query: Query, *, then: str = "", without: str = "") -> list[dict[str, Any]]:
    """Every node of the plan, flat; `without` names a subplan that is left out."""
    with tenancy.engine(), connection.cursor() as cursor:
        # Here every page is in memory, as on a busy server; else so small a table is simply read through.
        cursor.execute("SET LOCAL random_page_cost = 1.1")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {query.sql}{then}", query.parameters)
        found = cursor.fetchone()[0]
    plan = found if isinstance(found, list) else json.loads(found)
    flat, waiting = [], [plan[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        if without and node.get("Subplan Name") == without:
            continue
        flat.append(node)
        waiting += node.get("Plans", [])
    return flat


def indexes(plan: list[dict[str, Any]], table: str, **wanted: str) -> list[str]:
    """How `table` is read: index names, or the kind of scan."""
    return sorted(
        {
            node.get("Index Name", node["Node Type"])
            for node in plan
            if _is_of(node, table)
            and all(node.get(key.replace("_", " ").title()) == value for key, value in wanted.items())
        }
    )


def _is_of(node: dict[str, Any], table: str) -> bool:
    # A bitmap scan of an index names no table; those of other months' partitions do not count.
    if node["Node Type"] == "Bitmap Index Scan":
        return not node["Index Name"].startswith("audience_event_") or node["Index Name"].startswith(table)
    return node.get("Relation Name", "").startswith(table)


def test_a_few_contacts_are_probed_by_contact(crowd: list[int]) -> None:
    first = rules.parse(everyone(did("order", 2, 7), did("visit", 1, 3, operator="did_not")))
    second = rules.parse(did("order", 1, 7, {"property": "total", "operator": "greater", "value": 5}))
    pairs = [(segment, contact) for segment in (1, 2) for contact in crowd[:20]]

    with clock.freeze(NOON):
        query = compiler.few(
            {1: first, 2: second}, [pair[0] for pair in pairs], [pair[1] for pair in pairs], tenancy.required(), NOON
        )
        plan = nodes(query, then=" SELECT * FROM evaluated")

    assert indexes(plan, PARTITION, scan_direction="Backward") == [BY_CONTACT]
    assert indexes(plan, "audience_contact") == ["audience_contact_pkey"]


def test_a_full_build_reads_one_kind_of_event_from_the_index_alone(crowd: list[int]) -> None:
    rule = rules.parse(did("order", 2, 7))

    plan = nodes(compiler.everybody(rule, tenancy.required(), NOON + DAY))

    assert indexes(plan, PARTITION) == [BY_DEFINITION]
    assert {node["Node Type"] for node in plan if PARTITION in node.get("Relation Name", "")} == {"Index Only Scan"}


def test_a_tag_is_found_by_its_index(crowd: list[int]) -> None:
    rule = rules.parse(people.on("tags", "contains", "vip"))

    assert "contact_by_tag" in indexes(nodes(compiler.everybody(rule, tenancy.required(), NOON)), "audience_contact")


WEEK, MORE = {"days": 7}, {"property": "total", "compare": "greater", "value": 5}
READ_FROM_THE_INDEX_ALONE = [
    {"event": "order", "operator": "did_exactly", "count": 2, "within": WEEK},
    {"event": "order", "operator": "did", "within": {"from": "2026-06-08", "to": "2026-06-10"}},
    {"event": "order", "operator": "last_time", "more_than": {"days": 2}, "within": WEEK},
    {"event": "order", "operator": "regularly", "periods": 4, "at_least": 3, "unit": "day"},
]
SEQUENCE = {"event": "order", "then": {"event": "visit"}, "gap": {"days": 1}, "within": WEEK}
READ_BY_DEFINITION = [
    {"event": "order", "operator": "sum", **MORE, "within": WEEK},
    {"event": "order", "operator": "distinct", **MORE, "within": WEEK},
]


@pytest.mark.parametrize("rule", READ_FROM_THE_INDEX_ALONE, ids=lambda rule: rule["operator"])
def test_behaviours_of_moments_read_the_index_alone(crowd: list[int], rule: dict[str, Any]) -> None:
    plan = nodes(compiler.everybody(parsed(rule), tenancy.required(), NOON + DAY))

    assert indexes(plan, PARTITION) == [BY_DEFINITION]
    assert {node["Node Type"] for node in plan if PARTITION in node.get("Relation Name", "")} == {"Index Only Scan"}


@pytest.mark.parametrize("rule", READ_BY_DEFINITION, ids=lambda rule: rule["operator"])
def test_behaviours_of_properties_read_one_kind_of_event(crowd: list[int], rule: dict[str, Any]) -> None:
    plan = nodes(compiler.everybody(parsed(rule), tenancy.required(), NOON + DAY))

    assert indexes(plan, PARTITION) == [BY_DEFINITION]
    assert "WindowAgg" not in {node["Node Type"] for node in plan}


@pytest.mark.parametrize("operator", ["then", "then_not"])
def test_a_sequence_sorts_its_events_once_however_many_there_are(crowd: list[int], operator: str) -> None:
    """No event is joined with another: a contact with a hundred thousand of each kind must not hang the build."""
    plan = nodes(compiler.everybody(parsed(SEQUENCE | {"operator": operator}), tenancy.required(), NOON + DAY))

    assert [node["Node Type"] for node in plan].count("WindowAgg") == 1
    assert not {"Nested Loop", "Merge Join"} & {node["Node Type"] for node in plan}


@pytest.mark.parametrize("now", [NOON, NOON + 13 * DAY], ids=["fresh statistics", "stale statistics"])
def test_every_behaviour_of_a_few_contacts_is_probed_by_contact(crowd: list[int], now: datetime) -> None:
    if now != NOON:
        add_events(crowd[0], now)
    rules_of = [
        *READ_FROM_THE_INDEX_ALONE,
        *READ_BY_DEFINITION,
        did("order", 2, 7, {"property": "total", "operator": "greater", "value": 5}),
        SEQUENCE | {"operator": "then"},
        SEQUENCE | {"operator": "then_not"},
        {"event": "visit", "operator": "first_time", "within": WEEK},
        {"event": "visit", "operator": "restarted", "pause": WEEK},
        {"event": "visit", "operator": "stopped", "count": 3, "within": WEEK},
    ]
    parsed_rules = {number: parsed(rule) for number, rule in enumerate(rules_of)}
    pairs = [(number, contact) for number in parsed_rules for contact in crowd[:20]]

    with clock.freeze(now):
        query = compiler.few(
            parsed_rules, [pair[0] for pair in pairs], [pair[1] for pair in pairs], tenancy.required(), now
        )
        # The look at what lies ahead may choose: it touches only what is dated from now on.
        probes = nodes(query, then=" SELECT * FROM evaluated", without="CTE ahead")

    assert indexes(probes, PARTITION) == [BY_CONTACT]


def cheaper(than: int) -> dict[str, Any]:
    return {"property": "total", "operator": "less", "value": than}


def test_leaves_of_the_same_event_share_one_pass_whatever_they_filter_by(crowd: list[int]) -> None:
    amounts = {
        number: parsed({"event": "order", "operator": operator, **MORE, "within": WEEK, "where": [cheaper(number)]})
        for number, operator in enumerate(["sum", "average", "largest", "smallest", "distinct", "sum"])
    }
    pairs = [(number, crowd[0]) for number in amounts]

    query = compiler.few(amounts, [pair[0] for pair in pairs], [pair[1] for pair in pairs], tenancy.required(), NOON)

    assert query.sql.count("FROM audience_event") == 2  # the pass, and what lies ahead


def parsed(rule: dict[str, Any]) -> Rule:
    return rules.parse(rule)


def test_segments_that_ask_the_same_add_nothing_to_the_probes(crowd: list[int]) -> None:
    rule = parsed({"event": "order", "operator": "sum", **MORE, "within": WEEK, "where": [cheaper(50)]})

    def statement(segments: int) -> str:
        return compiler.few(dict.fromkeys(range(segments), rule), [0], crowd[:1], tenancy.required(), NOON).sql

    assert statement(1).count("FILTER") == statement(9).count("FILTER") == 2
