"""Caps: several at once, by kind, channel, topic and person; who goes when there is room for one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.models import Topic
from common import clock
from common.errors import Invalid
from delivery import services
from delivery.models import CapRule, DeliveryPolicy, Message, Preference, Weight
from delivery.services import claiming, policy, settling
from delivery.tests.making import Sink, contact, content, queue, send
from delivery.tests.test_policy import allow_everything, outcome

WORDS = {"daily": "day", "weekly": "week", "monthly": "month"}


def cap(**values: Any) -> CapRule:
    return services.save_cap(CapRule(**values))


def test_the_strictest_of_several_caps_decides(organization: Organization, sink: Sink) -> None:
    allow_everything()
    news = Topic.objects.create(name="News", slug="news")
    cap(most=3, per_hours=24)
    cap(most=1, per_hours=168, topic=news)
    ada, made = contact(), content()
    rows = [queue(ada, made=made, key=f"n{n}", topic_id=news.pk if n < 2 else None)[0] for n in range(5)]
    send(organization)

    assert [outcome(row) for row in rows] == [
        ("sent", ""),
        ("refused", f"{policy.OVER_CAP} (1 in a week on the topic): “Test” went instead."),
        ("sent", ""),
        ("sent", ""),
        ("refused", f"{policy.OVER_CAP} (3 in a day): “Test” went instead."),
    ]


def test_what_a_narrow_cap_refused_takes_no_room_under_a_wide_one(organization: Organization, sink: Sink) -> None:
    allow_everything()
    news = Topic.objects.create(name="News", slug="news")
    cap(most=0, per_hours=24, topic=news)
    cap(most=1, per_hours=168)
    ada, made = contact(), content()
    (first,) = queue(ada, made=made, key="a", topic_id=news.pk)
    (second,) = queue(ada, made=made, key="b")
    send(organization)

    assert [outcome(first)[0], outcome(second)[0]] == ["refused", "sent"]


def test_notifications_go_by_their_own_caps(organization: Organization, sink: Sink) -> None:
    allow_everything(most_per_day=1)
    cap(kind="notification", most=2, per_hours=1)
    ada = contact(agreed=False)
    told = content("<p>New comment</p>", kind="notification", name="Comment")
    rows = [queue(ada, made=told, key=f"c{n}")[0] for n in range(3)]
    send(organization)

    assert [outcome(row) for row in rows] == [
        ("sent", ""),
        ("sent", ""),
        ("refused", f"{policy.OVER_CAP} (2 in an hour): “Comment” went instead."),
    ]


def test_the_weightier_message_goes_wherever_it_stands_in_the_queue(organization: Organization, sink: Sink) -> None:
    ada, plain, better = contact(), content(name="Plain"), content("<p>Better</p>", name="Better")
    others = [contact(f"p{n}@example.com") for n in range(3)]
    (prompt,) = queue(ada, made=plain, key="a", source_type="automation")
    queue(*others, made=plain, key="o")
    (bulk,) = queue(ada, made=better, key="b", weight=Weight.HIGH)
    block = claimed(1)  # the block ends before the weightier one

    assert [row.message_id for row in block.recipients] == [bulk.pk]
    assert outcome(prompt) == ("refused", "Too soon after “Better”: 8 hours between two messages.")


def claimed(limit: int) -> claiming.Block:
    return claiming.claim(limit)


def test_a_message_that_keeps_waits_for_room_and_goes_then(organization: Organization, sink: Sink) -> None:
    ada = contact(timezone="UTC")
    (first,) = queue(ada, made=content(name="First"), key="a")
    (patient,) = queue(ada, made=content("<p>2</p>"), key="b", shelf_hours=9)
    (hasty,) = queue(ada, made=content("<p>3</p>"), key="c", shelf_hours=7)
    send(organization)

    assert outcome(first)[0] == "sent"
    soon = "Too soon after “First”: 8 hours between two messages."
    assert outcome(patient) == ("queued", policy.WAITS + soon)
    assert patient.run_at == clock.now() + timedelta(hours=8)
    assert outcome(hasty) == ("refused", soon)
    with clock.travel(timedelta(hours=8)):
        send(organization)
    assert outcome(patient) == ("sent", "")


def test_what_came_too_late_is_not_sent(organization: Organization, sink: Sink) -> None:
    ada = contact(timezone="UTC")
    (ticket,) = queue(ada, made=content(kind="transactional"), key="t", shelf_hours=1)
    (news,) = queue(ada, key="n", shelf_hours=2)
    with clock.travel(timedelta(hours=2)):
        send(organization)

    assert outcome(ticket) == ("refused", policy.EXPIRED)
    assert outcome(news) == ("refused", policy.EXPIRED)
    assert sink.envelopes == []


def test_quiet_hours_beyond_the_shelf_life_refuse_at_once(organization: Organization, sink: Sink) -> None:
    (late,) = queue(contact(timezone="Asia/Tokyo"), key="n", shelf_hours=10)  # quiet for eleven hours more
    send(organization)

    assert outcome(late) == ("refused", policy.EXPIRED)


@pytest.mark.parametrize(("frequency", "hours"), [("daily", 24), ("weekly", 168), ("monthly", 720)])
def test_a_contacts_own_rhythm_is_kept(organization: Organization, sink: Sink, frequency: str, hours: int) -> None:
    allow_everything()
    ada, made = contact(timezone="UTC"), content()
    Preference.objects.create(contact=ada, frequency=frequency)
    results = []
    for after in (0, hours - 1, hours):
        with clock.travel(timedelta(hours=after)):
            (row,) = queue(ada, made=made, key=f"h{after}")
            send(organization)
            results.append(outcome(row))

    refused = f"{policy.OWN_CAP} (at most once a {WORDS[frequency]})"
    assert results == [("sent", ""), ("refused", f"{refused}: “Test” went instead."), ("sent", "")]


def test_a_pause_stops_all_but_what_is_awaited(organization: Organization, sink: Sink) -> None:
    ada, made = contact(timezone="UTC"), content()
    Preference.objects.create(contact=ada, paused_until=clock.now() + timedelta(days=2))
    (news,) = queue(ada, made=made, key="a")
    (keeps,) = queue(ada, made=made, key="b", shelf_hours=72)
    (receipt,) = queue(ada, made=content(kind="transactional"), key="c")
    send(organization)

    assert outcome(news) == ("refused", policy.PAUSED)
    assert outcome(keeps) == ("queued", policy.PAUSED)
    assert keeps.run_at == clock.now() + timedelta(days=2)
    assert outcome(receipt)[0] == "sent"


def test_a_pause_during_the_send_stops_the_next_flight(organization: Organization, sink: Sink) -> None:
    rows = queue(contact("a@example.com"), contact("b@example.com"), key="a", shelf_hours=1000)
    block = claimed(10)
    Preference.objects.create(contact_id=rows[1].contact_id, paused_until=clock.now() + timedelta(days=2))
    assert settling.turn([], block.recipients, block) == {rows[0].pk}
    assert outcome(rows[1]) == ("queued", policy.PAUSED)
    assert rows[1].run_at == clock.now() + timedelta(days=2)


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"most": None, "hours_between": 0}, "most"),
        ({"most": 1, "kind": "transactional"}, "kind"),
        ({"most": 1, "per_hours": 0}, "per_hours"),
        ({"most": 1, "channel": "pigeon"}, "channel"),
    ],
)
def test_a_cap_that_makes_no_sense_is_refused(organization: Organization, values: dict[str, Any], place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        cap(**values)

    assert place in refusal.value.details
    assert CapRule.objects.count() == 0


def test_two_caps_of_one_scope_and_span_are_refused(organization: Organization) -> None:
    cap(most=1)
    with pytest.raises(Invalid, match="cannot be used"):
        cap(most=2)

    assert CapRule.objects.count() == 1


# --- against a naive model ----------------------------------------------------------------------------

HOUR = timedelta(hours=1)
NOON = datetime.fromisoformat("2026-11-18T12:00+00:00")
rules = st.lists(
    st.fixed_dictionaries(
        {
            "topic": st.sampled_from([None, 0, 1]),
            "kind": st.sampled_from(["marketing", "notification"]),
            "most": st.sampled_from([None, 0, 1, 2]),
            "per_hours": st.sampled_from([1, 5, 24, 48]),
            "hours_between": st.sampled_from([0, 0, 2, 7]),
        }
    ).filter(lambda rule: rule["most"] is not None or rule["hours_between"]),
    max_size=3,
    unique_by=lambda rule: (rule["topic"], rule["kind"], rule["per_hours"]),
)
messages = st.lists(
    st.tuples(
        st.sampled_from([0, 3, 20, 30]),  # hours after noon at which it is queued
        st.sampled_from([0, 1]),  # contact
        st.sampled_from(["marketing", "notification"]),
        st.sampled_from([None, 0, 1]),  # topic
        st.sampled_from(list(Weight.values)),
    ),
    min_size=1,
    max_size=10,
)


def naive(rules: list[dict[str, Any]], sent: list[tuple[Any, ...]], message: tuple[Any, ...], hour: int) -> bool:
    """Whether one message may go after those that went: (hour, contact, kind, topic)."""
    for rule in rules:
        if rule["kind"] != message[2] or rule["topic"] not in (None, message[3]):
            continue
        same = [row[0] for row in sent if row[1] == message[1] and row[2] == rule["kind"]
                and rule["topic"] in (None, row[3])]  # fmt: skip
        if rule["most"] is not None and sum(at > hour - rule["per_hours"] for at in same) >= rule["most"]:
            return False
        if rule["hours_between"] and any(at > hour - rule["hours_between"] for at in same):
            return False
    return True


@settings(max_examples=40, deadline=None)
@given(rules, messages)
def test_caps_do_what_somebody_with_a_list_would(
    organization: Organization, sink: Sink, rules: list[dict[str, Any]], messages: list[tuple[Any, ...]]
) -> None:
    Message.objects.all().delete()
    CapRule.objects.all().delete()
    DeliveryPolicy.objects.all().delete()
    allow_everything(most_per_day=2, hours_between=1)
    people = [contact(f"{n}@example.com", timezone="UTC") for n in range(2)]
    topics = [Topic.objects.get_or_create(name=f"T{n}", slug=f"t{n}")[0] for n in range(2)]
    made = {kind: content(f"<p>{kind}</p>", kind=kind) for kind in ("marketing", "notification")}
    for rule in rules:
        cap(**{**rule, "topic": None if rule["topic"] is None else topics[rule["topic"]]})
    general = {"topic": None, "kind": "marketing", "most": 2, "per_hours": 24, "hours_between": 1}
    sent: list[tuple[Any, ...]] = []
    expected: dict[int, bool] = {}
    for hour in sorted({message[0] for message in messages}):
        with clock.freeze(NOON + hour * HOUR):
            due = [(number, message) for number, message in enumerate(messages) if message[0] == hour]
            rows = {}
            for number, message in due:
                _, who, kind, topic, weight = message
                topic_id = None if topic is None else topics[topic].pk
                (rows[number],) = queue(
                    people[who], made=made[kind], key=f"m{number}", topic_id=topic_id, weight=weight
                )
            for number, message in sorted(due, key=lambda pair: (-pair[1][4], rows[pair[0]].pk)):
                expected[rows[number].pk] = naive([general, *rules], sent, message, hour)
                if expected[rows[number].pk]:
                    sent.append((hour, message[1], message[2], message[3]))
            block = claimed(500)
            went = {row.message_id for row in block.recipients}
            assert {pk: pk in went for pk in (row.pk for row in rows.values())} == {
                pk: expected[pk] for pk in (row.pk for row in rows.values())
            }
