"""Queues of apps that were offline: late, twice, in any order."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Contact, Event
from common import clock, doorbell, tenancy
from delivery.domain import syncing
from delivery.domain.syncing import Item, Known
from delivery.models import Engagement, Message, SyncedItem
from delivery.services import inbox
from delivery.tests.making import Sink, contact, queue, send

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
SENT = NOW - timedelta(days=3)
KNOWN = Known(
    frozenset({"old"}), {1: SENT, 2: SENT}, {(1, "open", ""): [SENT + timedelta(hours=1)]}, {"A": (500, "GBP")}
)

MOMENTS = st.sampled_from([SENT + timedelta(minutes=30 * step) for step in range(12)])
ITEMS = st.builds(
    Item,
    client_id=st.sampled_from([f"c{number}" for number in range(30)]),
    kind=st.sampled_from(["open", "click", "conversion"]),
    happened_at=MOMENTS,
    message_id=st.sampled_from([1, 2]),
    url=st.sampled_from(["https://shop.example/a", "https://shop.example/b"]),
    order_id=st.sampled_from(["", "A", "B"]),
    value_minor=st.sampled_from([500, 700]),
    currency=st.just("GBP"),
)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("applied", "")),
        ({"client_id": "old"}, ("repeated", "")),
        ({"happened_at": NOW + timedelta(minutes=1)}, ("refused", syncing.FUTURE)),
        ({"happened_at": NOW - timedelta(days=91)}, ("refused", syncing.TOO_LATE)),
        ({"happened_at": SENT - timedelta(seconds=1)}, ("refused", syncing.TOO_EARLY)),
        ({"message_id": 9}, ("refused", syncing.UNKNOWN_MESSAGE)),
        ({"message_id": None}, ("refused", syncing.UNKNOWN_MESSAGE)),
        ({"happened_at": SENT + timedelta(hours=1, seconds=2)}, ("merged", syncing.SEEN)),
        ({"happened_at": SENT + timedelta(hours=1, seconds=3)}, ("applied", "")),
        (
            {"kind": "conversion", "order_id": "A", "value_minor": 500, "currency": "GBP"},
            ("merged", syncing.SAME_ORDER),
        ),
        (
            {"kind": "conversion", "order_id": "A", "value_minor": 700, "currency": "GBP"},
            ("conflict", "Order A is on record with 500 GBP in minor units; that stands."),
        ),
        ({"kind": "conversion", "order_id": "B", "message_id": None}, ("applied", "")),
    ],
)
def test_each_rule(changes: dict[str, Any], expected: tuple[str, str]) -> None:
    item = Item(
        **{"client_id": "new", "kind": "open", "happened_at": SENT + timedelta(days=1), "message_id": 1, **changes}
    )

    (verdict,) = syncing.judge([item], KNOWN, NOW)

    assert (verdict.outcome, verdict.reason) == expected


@given(st.lists(ITEMS, max_size=12, unique_by=lambda item: item.client_id), st.randoms())
def test_the_order_of_a_queue_does_not_matter(items: list[Item], shuffler: random.Random) -> None:
    mixed = items[:]
    shuffler.shuffle(mixed)

    there = {item.client_id: verdict for item, verdict in zip(items, syncing.judge(items, KNOWN, NOW), strict=True)}
    here = {item.client_id: verdict for item, verdict in zip(mixed, syncing.judge(mixed, KNOWN, NOW), strict=True)}

    assert there == here


def test_a_wrong_clock_is_set_right_and_the_wire_is_not_blamed() -> None:
    happened = NOW - timedelta(hours=5)

    assert syncing.corrected(happened, NOW - timedelta(hours=2), NOW) == happened + timedelta(hours=2)
    assert syncing.corrected(happened, NOW - timedelta(seconds=3), NOW) == happened
    assert syncing.corrected(happened, None, NOW) == happened


# --- over the wire -----------------------------------------------------------------------------------


@pytest.fixture
def mailed(organization: Organization, sink: Sink) -> tuple[Contact, Message]:
    (message,) = queue(contact())
    send(organization)
    message.refresh_from_db()
    return message.contact, message


@pytest.fixture
def app(mailed: tuple[Contact, Message], client: Client) -> Callable[..., Any]:
    def post(*items: dict[str, Any], **more: Any) -> Any:
        token = inbox.issue_token(mailed[0], timedelta(days=2))
        return client.post(
            "/api/v1/sync/", {"items": list(items), **more}, content_type="application/json",
            headers={"Authorization": f"Bearer {token}"},
        )  # fmt: skip

    return post


def outcomes(answer: Any) -> list[str]:
    return [row["outcome"] for row in answer.json()["results"]]


def test_late_news_count_at_their_time_and_once(mailed: tuple[Contact, Message], app: Any) -> None:
    person, message = mailed
    opened, clicked = (message.sent_at + timedelta(hours=hours) for hours in (1, 2))
    items = [
        {"id": "2", "kind": "click", "happened_at": clicked.isoformat(), "message_id": message.pk, "url": "https://x.example"},
        {"id": "1", "kind": "open", "happened_at": opened.isoformat(), "message_id": message.pk},
        {"id": "3", "kind": "conversion", "happened_at": clicked.isoformat(), "order_id": "O-1",
         "message_id": message.pk,
         "value_minor": 1999, "currency": "GBP"},
    ]  # fmt: skip
    with clock.travel(timedelta(days=1)):
        assert outcomes(app(*items)) == ["applied", "applied", "applied"]
        assert outcomes(app(*reversed(items))) == ["repeated", "repeated", "repeated"]
        again = items[2] | {"id": "4", "value_minor": 2999}
        assert outcomes(app(again)) == ["conflict"]
        doorbell.drain(tenancy.required())
        assert outcomes(app(again | {"id": "5"}, items[2] | {"id": "6"})) == ["conflict", "merged"]

    message.refresh_from_db()
    assert (message.opened_at, message.clicked_at) == (opened, clicked)
    assert sorted(Engagement.objects.values_list("kind", "happened_at")) == [("click", clicked), ("open", opened)]
    order = Event.objects.get(definition__name="order_completed")
    assert (order.happened_at, order.value_minor, order.currency) == (clicked, 1999, "GBP")
    assert set(Event.objects.filter(contact=person).values_list("definition__name", "happened_at")) >= {
        ("email_opened", opened), ("email_clicked", clicked),
    }  # fmt: skip
    assert list(SyncedItem.objects.order_by("pk").values_list("client_id", "outcome")) == [
        ("2", "applied"), ("1", "applied"), ("3", "applied"), ("4", "conflict"), ("5", "conflict"), ("6", "merged"),
    ]  # fmt: skip


def test_what_belongs_to_somebody_else_is_refused(mailed: tuple[Contact, Message], app: Any) -> None:
    (other,) = queue(contact("bob@example.com"), key="other")
    item = {"id": "1", "kind": "open", "happened_at": clock.now().isoformat(), "message_id": other.pk}

    assert outcomes(app(item)) == ["refused"]
    assert not Engagement.objects.exists()


def test_a_queue_that_is_wrong_writes_nothing(mailed: tuple[Contact, Message], app: Any, client: Client) -> None:
    good = {"id": "1", "kind": "open", "happened_at": clock.now().isoformat(), "message_id": mailed[1].pk}

    assert app(good, good | {"kind": "guess"}).status_code == 400
    assert app(*([good] * 1_001)).status_code == 400
    assert client.post("/api/v1/sync/", {"items": [good]}, content_type="application/json").status_code in (401, 403)
    assert not SyncedItem.objects.exists()


def test_a_queue_sent_by_a_wrong_clock(mailed: tuple[Contact, Message], app: Any) -> None:
    message = mailed[1]
    with clock.travel(timedelta(hours=3)):
        slow = clock.now() - timedelta(days=400)
        item = {
            "id": "1",
            "kind": "open",
            "happened_at": (slow - timedelta(hours=1)).isoformat(),
            "message_id": message.pk,
        }
        assert outcomes(app(item, sent_at=slow.isoformat())) == ["applied"]
        opened_at = clock.now() - timedelta(hours=1)

    message.refresh_from_db()
    assert abs(message.opened_at - opened_at) < timedelta(minutes=5)
