"""Reports in any order, in any portions, any number of times: the same truth."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.models import Organization
from audience.domain import wire
from audience.domain.internal import InternalEvent
from audience.models import Consent, Contact, IngestBatch, Suppression
from common import clock
from delivery import links
from delivery.domain.reports import ReportKind, status_after
from delivery.models import Engagement, Message, ProviderCall, ProviderReport
from delivery.services import reports
from delivery.tests.hook_payloads import SENDGRID, Said, sendgrid
from delivery.tests.making import contact, queue

CASES = int(os.environ.get("REPORT_CASES", "10"))
KINDS = sorted(SENDGRID)
STATUSES = ["sent", "uncertain", "sending", "queued", "failed", "held", "cancelled"]
ONCE = ("email_sent", "email_bounced", "email_complained")
PROOF = {"deferred", "delivered", "soft bounce", "hard bounce", "complained", "unsubscribed", "opened", "clicked"}

things = st.lists(
    st.tuples(st.sampled_from([0, 1, 2]), st.sampled_from(KINDS), st.integers(0, 40)), min_size=1, max_size=12
)


@pytest.mark.usefixtures("noon")
@settings(
    max_examples=CASES,
    deadline=None,
)
@given(
    said=things,
    statuses=st.tuples(st.sampled_from(STATUSES), st.sampled_from(STATUSES)),
    order=st.randoms(use_true_random=False),
)
def test_the_same_truth_in_any_order(
    organization: Organization, said: list[tuple[int, str, int]], statuses: tuple[str, str], order: Any
) -> None:
    messages = _two_messages(statuses)
    strange = messages[0].pk + 100_000
    events = [
        Said(
            kind,
            links.reference(organization.pk, [messages[0].pk, messages[1].pk, strange][who]),
            at=clock.now() - timedelta(minutes=minutes),
            id=f"{number}-{messages[0].pk}",
        )
        for number, (who, kind, minutes) in enumerate(said)
    ]
    _tell(organization, events, order)

    for number, message in enumerate(messages):
        mine = [event for event, (who, _, _) in zip(events, said, strict=True) if who == number]
        _is_true(message, statuses[number], mine)
    assert ProviderReport.objects.count() == len(events)


def _two_messages(statuses: tuple[str, str]) -> list[Message]:
    _clean()
    people = [contact(f"{name}@example.com") for name in ("ada", "bob")]
    messages = queue(*people, key=f"case-{people[0].pk}")
    ago = clock.now() - timedelta(hours=1)
    for message, status in zip(messages, statuses, strict=True):
        Message.objects.filter(pk=message.pk).update(
            status=status,
            address=f"{message.pk}@example.com",
            handed_at=ago,
            sent_at=ago if status == "sent" else None,
        )
    IngestBatch.objects.all().delete()
    Consent.objects.update(happened_at=ago)  # before anything that is told
    return messages


def _tell(organization: Organization, events: list[Said], order: Any) -> None:
    """Three times each, shuffled, in portions, with the worker between some of them."""
    thrice = [event for event in events for _ in range(3)]
    order.shuffle(thrice)
    while thrice:
        size = order.randint(1, 5)
        portion, thrice = thrice[:size], thrice[size:]
        reports.accept("sendgrid", None, sendgrid(*portion).body, content_type="application/json")
        if order.random() < 0.5:
            reports.work(organization.pk)
    reports.work(organization.pk)


def _is_true(message: Message, before: str, mine: list[Said]) -> None:
    """Against counting by hand."""
    message.refresh_from_db()
    kinds = Counter(event.kind for event in mine)
    assert message.status == _status_by_hand(before, set(kinds))
    assert message.delivered_at == min((each.at for each in mine if each.kind == "delivered"), default=None)
    bounces = [each.at for each in mine if each.kind.endswith("bounce")]
    assert message.bounced_at == min(bounces, default=None)
    assert message.complained_at == min((each.at for each in mine if each.kind == "complained"), default=None)
    counted = Counter(Engagement.objects.filter(message=message).values_list("kind", flat=True))
    assert counted == +Counter(
        open=kinds["opened"],
        click=kinds["clicked"],
        bounce=min(1, len(bounces)),
        complaint=min(1, kinds["complained"]),
        unsubscribe=min(1, kinds["unsubscribed"]),
    )
    assert Suppression.objects.filter(address=message.address).exists() == bool(
        kinds["hard bounce"] or kinds["complained"]
    )
    withdrawn = Consent.objects.filter(contact_id=message.contact_id, state="withdrawn").count()
    assert withdrawn == min(1, kinds["unsubscribed"])
    told, wanted = _events_of(message), _events_by_hand(message, before, kinds, bool(bounces))
    assert told - _maybe_told(message, before, kinds) == wanted


def _status_by_hand(before: str, kinds: set[str]) -> str:
    if before == "sending":
        return "sending"
    if kinds & PROOF:
        return "sent"
    if "rejected" in kinds:
        return {"sent": "failed", "uncertain": "failed"}.get(before, before)
    return "sent" if "accepted" in kinds else before


def _events_by_hand(message: Message, before: str, kinds: Counter[str], bounced: bool) -> set[str]:
    wanted = {f"email_bounced:{message.pk}"} if bounced else set()
    if kinds["complained"]:
        wanted.add(f"email_complained:{message.pk}")
    if before not in ("sent", "sending") and message.status == "sent":
        wanted.add(f"email_sent:{message.pk}")
    return wanted


def _maybe_told(message: Message, before: str, kinds: Counter[str]) -> set[str]:
    """What depends on the order: an event cannot be taken back, and the same one told again counts once.

    A provider's yes was told if it was known before its no. What was sent, turned away and then proven to have
    arrived is told again.
    """
    taken_back = message.status != "sent" and kinds["accepted"] and before not in ("sent", "sending")
    told_again = before == "sent" and set(kinds) & PROOF
    return {f"email_sent:{message.pk}"} if kinds["rejected"] and (taken_back or told_again) else set()


def _events_of(message: Message) -> set[str]:
    """The events that count once per message; opens and clicks are counted as engagements above."""
    found: set[str] = set()
    for batch in IngestBatch.objects.all():
        for raw in wire.unpack(bytes(batch.body)).events:
            event = msgspec.json.decode(raw, type=InternalEvent)
            if event.name in ONCE and event.properties["message_id"] == message.pk:
                found.add(event.message_id)
    return found


def _clean() -> None:
    for model in (Engagement, ProviderReport, ProviderCall, Suppression, Consent, IngestBatch, Message, Contact):
        model.objects.all().delete()


@given(
    status=st.sampled_from([*STATUSES, "refused"]),
    kinds=st.lists(st.sampled_from([kind.value for kind in ReportKind])),
    more=st.sampled_from([kind.value for kind in ReportKind]),
)
def test_what_is_known_never_makes_less_certain(status: str, kinds: list[str], more: str) -> None:
    after = status_after(status, kinds)
    assert after == status_after(status, list(reversed(kinds)) + kinds)
    if status == "sending":
        assert after == "sending"
    if after == "sent" and set(kinds) & {"delivered", "bounced", "opened"}:
        assert status_after(status, [*kinds, more]) == "sent"
    assert after != "uncertain" or not set(kinds) - {"other"}
