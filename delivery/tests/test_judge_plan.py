"""The claim's statement keeps to its indexes, however large the ledger is: a lost one goes red here."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization
from audience.models import Topic
from common import clock, tenancy
from delivery import services
from delivery.models import CapRule, Message
from delivery.services import claiming, policy
from delivery.tests.making import content

CONTACTS, BLOCK = 3_000, 500
FILL = """
INSERT INTO audience_contact (organization_id, name, email, timezone, first_seen_at, last_seen_at, created_at,
       updated_at)
SELECT %(o)s, n::text, 'p' || n || '@example.com', 'UTC', %(now)s, %(now)s, %(now)s, %(now)s
  FROM generate_series(1, %(n)s) n;
INSERT INTO audience_consent (organization_id, contact_id, channel, state, how, wording, proof, happened_at)
SELECT %(o)s, id, 'email', 'granted', 't', '', '{}', %(old)s FROM audience_contact WHERE organization_id = %(o)s;
INSERT INTO delivery_message (organization_id, idempotency_key, contact_id, content_id, channel, kind, source_type,
       source_id, status, run_at, created_at, claimed_at, sent_at, priority)
SELECT %(o)s, 'old' || days || ':' || id, id, %(content)s, 'email', 'marketing', 'campaign', 1, 'sent', %(now)s,
       %(now)s, %(now)s - days * interval '1 day', %(now)s, 2
  FROM audience_contact, generate_series(2, 5) days WHERE organization_id = %(o)s;
INSERT INTO delivery_message (organization_id, idempotency_key, contact_id, content_id, channel, kind, source_type,
       source_id, status, run_at, created_at, priority)
SELECT %(o)s, 'new' || id, id, %(content)s, 'email', 'marketing', 'campaign', 2, 'queued', %(old)s, %(now)s, 2
  FROM audience_contact WHERE organization_id = %(o)s;
"""
# Rows of these are looked up, never walked.
LARGE = {"delivery_message", "audience_contact", "audience_consent"}


@pytest.fixture
def unknown_block(organization: Organization) -> list[int]:
    """A block of a campaign so new that PostgreSQL has no statistics of it."""
    now = clock.now()
    values = {
        "o": organization.pk, "now": now, "old": now - timedelta(days=3), "content": content().pk, "n": CONTACTS,
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL, values)
    return list(Message.objects.filter(status="queued").order_by("pk").values_list("pk", flat=True)[:BLOCK])


@pytest.fixture
def block(unknown_block: list[int]) -> list[int]:
    with tenancy.engine(), connection.cursor() as cursor:
        for table in ("audience_contact", "audience_consent", "delivery_message"):
            cursor.execute(f"ANALYZE {table}")
    return unknown_block


def nodes(statement: str, values: dict[str, Any], how: str = "") -> list[dict[str, Any]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")  # every page is in memory, as on a busy server
        cursor.execute(f"EXPLAIN (FORMAT JSON{how}) {statement}", values)
        waiting, flat = [cursor.fetchone()[0][0]["Plan"]], []
    while waiting:
        node = waiting.pop()
        flat.append(node)
        waiting += node.get("Plans", [])
    return flat


def judged(block: list[int]) -> tuple[str, dict[str, Any]]:
    return policy.JUDGE_SQL, policy.judge_parameters(block, policy.current(), clock.now()) | {"token": uuid.uuid4()}


def test_the_judge_walks_no_large_table(organization: Organization, block: list[int]) -> None:
    services.save_cap(CapRule(most=3, per_hours=168, topic=Topic.objects.create(name="News", slug="news")))
    found = nodes(*judged(block))
    walked = {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"}
    indexes = {node.get("Index Name") for node in found}

    assert walked & LARGE == set()
    assert "messages_against_caps" in indexes
    assert "consent_latest" in indexes


@pytest.mark.parametrize("known", ["block", "unknown_block"])
def test_rivals_are_found_by_their_contacts(
    organization: Organization, known: str, request: pytest.FixtureRequest
) -> None:
    values = {
        "organization": organization.pk, "ids": request.getfixturevalue(known), "now": clock.now(), "limit": 500,
        "channel": "email", "senders": [], "is_listed": False,
    }  # fmt: skip
    found = nodes(claiming.RIVALS_SQL.format(yielding=""), values)

    assert {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} & LARGE == set()
    assert "queued_messages" not in {node.get("Index Name") for node in found}


def test_what_goes_first_elsewhere_is_found_by_its_contact(organization: Organization, block: list[int]) -> None:
    values = {
        "organization": organization.pk, "now": clock.now(), "limit": 500, "channel": "email", "priority": 2,
        "senders": [], "is_listed": False, "other_channels": ["sms"], "split_channel": None, "split_senders": [],
        "split_is_listed": False,
    }  # fmt: skip
    found = nodes(claiming.DUE_SQL.format(yielding=claiming.YIELDING), values)

    assert {node["Relation Name"] for node in found if node["Node Type"] == "Seq Scan"} & LARGE == set()
    assert {node.get("Index Name") for node in found} >= {"queued_messages", "queued_by_contact"}


def test_a_block_is_judged_in_one_pass(organization: Organization, block: list[int]) -> None:
    """Lists of the statement that are joined to each other would take seconds for these 500 messages."""
    statement, values = judged(block)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
        assert len(cursor.fetchall()) == BLOCK

    thrown_away = [
        node["Actual Loops"] * node.get("Rows Removed by Join Filter", 0)
        for node in nodes(statement, values, ", ANALYZE, TIMING OFF")
    ]
    assert max(thrown_away) < BLOCK * BLOCK / 10
