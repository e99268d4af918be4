"""Accepted → applied: counted once, judged by when it happened, never stopped by a bad neighbour."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audience import services
from audience.models import (
    AttributeDefinition,
    Contact,
    Event,
    EventDefinition,
    EventKey,
    IngestBatch,
    Protocol,
    RejectedEvent,
)
from audience.tests import helpers
from audience.tests.helpers import T0, identify, segment, track
from common import clock, doorbell, tenancy

pytestmark = pytest.mark.django_db


# --- counted once ---------------------------------------------------------------------------------


@pytest.mark.parametrize("message_id", ["c6c792d1-2d75-4d0f-a711-102c02fe6a13", "ajs-next-12", 77, "x" * 900])
def test_an_event_is_counted_once_however_its_batches_are_composed(send: Any, message_id: Any) -> None:
    event = track(messageId=message_id)
    send(event, event)
    send(track("Other", messageId="other"), event)

    assert sorted(helpers.names()) == ["Clicked", "Other"]
    assert EventKey.objects.count() == 2


def test_events_without_an_id_are_all_counted(send: Any) -> None:
    send(track(), track())
    send(track())

    assert Event.objects.count() == 3


def test_the_same_message_id_in_another_organisation_is_another_event(send: Any, stranger: Any) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind

    send(track(messageId="m1"))
    with tenancy.organization(stranger.pk):
        key = accounts.issue_key("theirs", ApiKeyKind.WRITE)[1]
        segment(key, track(messageId="m1"))
        doorbell.drain(stranger.pk)
        assert Event.objects.count() == 1


# --- time -----------------------------------------------------------------------------------------


def test_a_clock_that_is_wrong_is_corrected_by_when_it_says_it_sent(write_key: str, drain: Any) -> None:
    hour = timedelta(hours=1)
    with clock.freeze(T0):
        segment(
            write_key,
            track(timestamp=(T0 + hour - timedelta(minutes=5)).isoformat()),
            sentAt=(T0 + hour).isoformat().replace("+00:00", "Z"),
        )
    drain()

    assert Event.objects.get().happened_at == T0 - timedelta(minutes=5)


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (None, T0),
        ("2026-05-04T10:00:00.123Z", datetime(2026, 5, 4, 10, 0, 0, 123000, UTC)),
        ("2026-05-04T12:00:00.123456+02:00", datetime(2026, 5, 4, 10, 0, 0, 123456, UTC)),
        ("2026-05-04T10:00:00", datetime(2026, 5, 4, 10, 0, tzinfo=UTC)),
        (1777888800000, datetime(2026, 5, 4, 10, 0, tzinfo=UTC)),
        ("2031-01-01T00:00:00Z", T0),  # nothing happens after it arrived
        ("2009-12-01T08:26:00Z", datetime(2009, 12, 1, 8, 26, tzinfo=UTC)),
    ],
)
def test_times_are_read_as_they_are_sent(write_key: str, drain: Any, stated: Any, expected: datetime) -> None:
    with clock.freeze(T0):
        segment(write_key, track(timestamp=stated))
    drain()

    assert Event.objects.get().happened_at == expected


def test_late_traits_fill_gaps_and_overwrite_nothing_newer(send: Any) -> None:
    def at(hours: int, **traits: Any) -> dict[str, Any]:
        return identify("u1", traits, timestamp=(T0 + timedelta(hours=hours)).isoformat())

    send(at(2, plan="pro"))
    send(at(1, plan="free", city="Leeds", seats=1))
    send(at(4, seats=4))
    send(at(3, plan="team", seats=3, city="York"))

    contact = Contact.objects.get()
    assert (contact.attributes, contact.city) == ({"plan": "team", "seats": 4}, "York")


def test_what_a_colleague_writes_is_not_undone_by_an_event_from_before(send: Any) -> None:
    send(identify("u1", {"status": "lead", "plan": "free"}, timestamp=T0.isoformat()))
    services.update_contact(Contact.objects.get(), status="customer", attributes={"plan": "pro"})
    send(identify("u1", {"status": "lead", "plan": "free"}, timestamp=(T0 + timedelta(days=1)).isoformat()))

    contact = Contact.objects.get()
    assert (contact.status, contact.attributes["plan"]) == ("customer", "pro")


def test_seen_spans_from_the_first_event_to_the_last(send: Any) -> None:
    send(track(timestamp=T0.isoformat()))
    send(track(timestamp=(T0 - timedelta(days=3)).isoformat()), track(timestamp=(T0 + timedelta(days=3)).isoformat()))

    contact = Contact.objects.get()
    assert (contact.first_seen_at, contact.last_seen_at) == (T0 - timedelta(days=3), T0 + timedelta(days=3))


# --- traits and the catalogue -------------------------------------------------------------------------


def test_standard_fields_are_recognised(send: Any) -> None:
    send(
        identify(
            "u1",
            {
                "firstName": "Ada",
                "lastName": "Lovelace",
                "phone": "+44 1",
                "address": {"city": "London", "country": "UK", "state": "England"},
                "priority": "high",
                "value": "99.50",
                "currency": "eur",
                "tags": ["b", "a"],
                "userId": "u1",
            },
            context={"timezone": "Europe/London", "locale": "en-GB", "traits": {"status": "lead"}},
        )
    )

    contact = Contact.objects.get()
    assert (contact.name, contact.phone, contact.status, contact.priority) == (
        "Ada Lovelace",
        "+44 1",
        "lead",
        "high",
    )
    assert (contact.city, contact.region, contact.country) == ("London", "England", "UK")
    assert (contact.timezone, contact.locale) == ("Europe/London", "en-GB")
    assert (contact.value_minor, contact.currency, contact.tags) == (9950, "EUR", ["a", "b"])


def test_types_are_learned_and_a_change_of_type_is_refused_with_a_reason(send: Any) -> None:
    send(
        identify(
            "u1", {"plan": "pro", "seats": 3, "vip": True, "since": "2024-05-01", "pets": ["cat"], "job": {"a": 1}}
        )
    )
    send(identify("u1", {"seats": "many", "plan": "team"}), track("Went on"))

    assert dict(AttributeDefinition.objects.values_list("name", "type")) == {
        "plan": "text", "seats": "number", "vip": "boolean", "since": "date", "pets": "list", "job": "object",
    }  # fmt: skip
    contact = Contact.objects.get()
    assert (contact.attributes["seats"], contact.attributes["plan"]) == (3, "team")
    rejected = RejectedEvent.objects.get()
    assert rejected.code == "trait_refused"
    assert rejected.reason == "`seats` holds number since it was first seen; 'many' is text."
    assert rejected.body["traits"] == {"seats": "many"}
    assert helpers.names() == ["Went on"]


def test_null_takes_a_custom_attribute_away_and_leaves_standard_fields(send: Any) -> None:
    send(identify("u1", {"plan": "pro", "email": "ada@example.com"}))
    send(identify("u1", {"plan": None, "email": None}))

    contact = Contact.objects.get()
    assert (contact.attributes, contact.email) == ({}, "ada@example.com")


def test_event_properties_are_learned(send: Any) -> None:
    send(track(properties={"total": 5, "sku": "a"}))
    send(track(properties={"total": "5", "color": "red", "day": "2026-01-01"}))

    definition = EventDefinition.objects.get()
    assert definition.properties == {"total": "number", "sku": "text", "color": "text", "day": "date"}


# --- what cannot be used ------------------------------------------------------------------------------

NUL = "a\x00b"
BAD = {
    "no name": (track(""), "no_name"),
    "name is a number": ({"type": "track", "event": 5, "userId": "u1"}, "no_name"),
    "nobody": ({"type": "track", "event": "A"}, "no_identity"),
    "unknown type": ({"type": "explode", "userId": "u1"}, "unknown_type"),
    "wrong type of properties": (track(properties="x"), "malformed_event"),
    "wrong type of an id": (track(userId={"a": 1}), "wrong_type"),
    "not an object": ("hello", "malformed_event"),
    "negative money": (track(properties={"total": -5}), "negative_money"),
    "money beyond measure": (track(properties={"revenue": "9" * 40}), "money_out_of_range"),
    "no currency": (track(properties={"total": 5, "currency": "Taler"}), "unknown_currency"),
    "a time that is none": (track(timestamp="yesterday"), "bad_timestamp"),
    "before 1990": (track(timestamp="0001-01-01T00:00:00Z"), "timestamp_too_old"),
    "NUL": (track(properties={"a": NUL}), "nul_character"),
    "NUL in a key": (track(properties={NUL: 1}), "nul_character"),
    "NUL in the id": (track(userId=NUL), "nul_character"),
    "too large": (track(properties={"a": "x" * 33_000}), "event_too_large"),
    "half an alias": ({"type": "alias", "userId": "u1"}, "incomplete_alias"),
    "a long id": (track(userId="u" * 301), "id_too_long"),
}


@pytest.mark.parametrize("case", list(BAD))
def test_a_bad_event_is_kept_with_its_reason_and_its_neighbours_go_on(send: Any, case: str) -> None:
    bad, code = BAD[case]
    send(track("Before"), bad, track("After"))

    rejected = RejectedEvent.objects.get()
    assert (rejected.code, bool(rejected.reason)) == (code, True)
    assert helpers.names() == ["Before", "After"]


def test_deep_nesting_is_rejected_and_shallow_is_not(send: Any) -> None:
    deep: Any = 1
    for _ in range(40):
        deep = [deep]
    send(track("Deep", properties={"a": deep}), track("Wide", properties={"a": [[1]] * 60}))

    assert RejectedEvent.objects.get().code == "too_deep"
    assert helpers.names() == ["Wide"]


def test_a_backslash_before_u0000_is_no_nul(send: Any) -> None:
    send(track(properties={"a": "\\u0000", "b": "tab\there\nand \\ there"}))

    assert Event.objects.get().properties == {"a": "\\u0000", "b": "tab\there\nand \\ there"}


def test_half_an_emoji_does_not_cost_the_batch(write_key: str, drain: Any) -> None:
    body = (
        rb'{"batch": [{"type":"track","event":"cut \ud83d","userId":"u1","properties":{"a":"\ud83d\ude00 \\ud800"}}]}'
    )
    assert helpers.post("/v1/batch", body, write_key).status_code == 200
    drain()

    assert helpers.names() == ["cut �"]
    assert Event.objects.get().properties == {"a": "😀 \\ud800"}


def test_a_negative_measurement_is_no_money(send: Any) -> None:
    send(track(properties={"value": -3.5}))

    event = Event.objects.get()
    assert (event.value_minor, event.properties) == (None, {"value": -3.5})


def test_a_rejected_event_can_be_replayed_once_its_cause_is_gone(send: Any, drain: Any) -> None:
    send(track(properties={"total": 5, "currency": "Taler"}, messageId="m1", timestamp=T0.isoformat()))
    row = RejectedEvent.objects.get()
    row.body["properties"]["currency"] = "EUR"
    row.save()

    assert services.replay([row]) == 1
    drain()
    event = Event.objects.get()
    assert (event.value_minor, event.currency, event.happened_at) == (500, "EUR", T0)
    row.refresh_from_db()
    assert row.replayed_at is not None
    assert services.replay([row]) == 0


def test_a_refused_trait_is_replayed_alone(send: Any, drain: Any) -> None:
    send(identify("u1", {"seats": 3}), identify("u1", {"seats": "many"}))
    AttributeDefinition.objects.filter(name="seats").update(type="text")

    services.replay(list(RejectedEvent.objects.all()))
    drain()
    assert Contact.objects.get().attributes == {"seats": "many"}


def test_a_poisoned_batch_fails_alone(write_key: str, organization: Any, drain: Any) -> None:
    segment(write_key, track("Before"))
    poison = services.accept(organization.pk, Protocol.SEGMENT, b"not a packed envelope", 1, T0)
    segment(write_key, track("After"))

    for _ in range(3):
        drain()
        IngestBatch.objects.filter(status="pending").update(run_at=T0)

    assert helpers.names() == ["Before", "After"]
    batch = IngestBatch.objects.get(pk=poison)
    assert (batch.status, batch.attempts) == ("failed", 3)
    assert "DecodeError" in batch.error
    assert IngestBatch.objects.filter(status="done").count() == 2


def test_a_block_that_fails_leaves_nothing_behind(send: Any, write_key: str, monkeypatch: Any) -> None:
    from audience.services.process import block

    def burst(*_: Any) -> None:
        raise RuntimeError("disk on fire")

    segment(write_key, identify("u1", {"plan": "pro"}), track())
    monkeypatch.setattr(block.events, "store", burst)
    services.process(tenancy.required())

    assert IngestBatch.objects.get().status == "pending"
    for model in (Contact, Event, EventKey, EventDefinition, AttributeDefinition):
        assert not model.objects.exists()
