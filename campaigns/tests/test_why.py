"""Why (not) sent: the answer, its evidence, and that asking writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import time, timedelta
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import CAPABILITIES, Role
from accounts.models import ApiKeyKind, Organization
from audience import services as audience
from audience.models import Contact
from campaigns import services
from campaigns.models import Campaign
from campaigns.tests import making
from campaigns.why import answer
from campaigns.why.answer import Why
from common import clock
from delivery import services as delivery
from delivery.models import CapRule, DeliveryPolicy, HeldOut, Message, Preference
from delivery.tests.making import Sink

pytestmark = pytest.mark.django_db

WHY = "/api/v1/messages/why/"


@pytest.fixture
def ada(organization: Organization) -> Contact:
    making.open_doors()
    return making.contacts(1, timezone="Asia/Tokyo")[0]


def draft(*people: Contact, **fields: Any) -> Campaign:
    return making.campaign([making.segment(people)], **fields)


def run(campaign: Campaign) -> None:
    services.work(campaign.organization_id)
    delivery.send_due(campaign.organization_id)


def steps(why: Why) -> dict[str, str]:
    return {step.name: step.sentence for step in why.steps}


def test_a_draft_that_would_reach_somebody_says_so(ada: Contact) -> None:
    why = answer.of_campaign(ada.pk, draft(ada).pk)

    assert why.state == "wait"
    assert why.answer == "Not yet. It has not been launched yet."
    assert steps(why)["audience"] == "The contact is in “Everybody”."
    assert steps(why)["verdict"] == "Nothing in the policy stops it."


def test_who_is_in_no_segment_of_it_or_in_one_left_out(ada: Contact) -> None:
    inside, outside = making.segment([ada], name="Inside"), making.segment(name="Outside")
    missing = answer.of_campaign(ada.pk, making.campaign([outside]).pk)
    left_out = answer.of_campaign(ada.pk, making.campaign([inside], [making.segment([ada], name="Staff")]).pk)

    assert missing.answer == "Not sent. The contact is not in “Outside”."
    assert left_out.answer == "Not sent. Left out: the contact is in “Staff”."


def test_who_came_after_the_start_is_told_when_that_was(ada: Contact) -> None:
    campaign = services.launch(draft(ada))
    services.work(campaign.organization_id)
    (late,) = making.contacts(1, start=9)
    why = answer.of_campaign(late.pk, campaign.pk)

    assert why.answer.startswith("Not sent. The contact was not in the audience when it was taken, ")


def test_a_message_that_went_tells_when_and_where_to(ada: Contact, sink: Sink) -> None:
    campaign = services.launch(draft(ada))
    run(campaign)
    message = Message.objects.get()
    why = answer.of_campaign(ada.pk, campaign.pk)

    assert (why.state, why.goes_at) == ("good", message.sent_at)
    assert why.answer.endswith("to person1@crowd.example.")
    assert answer.of_message(message.pk).answer == why.answer


# What stops or holds a message: how it comes about, and what the answer says of it.
STOPS: dict[str, Callable[[Contact], Any]] = {
    "suppressed": lambda ada: audience.suppress("email", ada.email, "complaint"),
    "withdrawn": lambda ada: audience.withdraw_consent([ada.pk], "email", None, "form"),
    "no address": lambda ada: Contact.objects.filter(pk=ada.pk).update(email="nowhere"),
    "paused": lambda ada: Preference.objects.create(contact=ada, paused_until=clock.now() + timedelta(days=3)),
    "cap": lambda ada: delivery.save_cap(CapRule(most=0)),
    "quiet": lambda ada: DeliveryPolicy.objects.update(quiet_from=time(0, 1), quiet_until=time(0)),
    "nothing": lambda ada: None,
}


@pytest.mark.parametrize("stop", STOPS)
def test_the_rehearsal_says_what_the_claim_then_does(ada: Contact, sink: Sink, stop: str) -> None:
    campaign = services.launch(draft(ada))
    services.work(campaign.organization_id)
    STOPS[stop](ada)
    before = Message.objects.values().get()
    with clock.freeze(clock.now()):
        why = answer.of_campaign(ada.pk, campaign.pk)
        unchanged = Message.objects.values().get()
        delivery.send_due(campaign.organization_id)
    message = Message.objects.get()

    assert unchanged == before
    verdict = next(step for step in why.steps if step.name == "verdict")
    if message.status == "sent":
        assert (why.state, verdict.sentence) == ("good", "Nothing in the policy stops it.")
    elif message.status == "queued":
        assert (why.state, why.goes_at) == ("wait", message.run_at)
        assert message.reason in verdict.sentence
    else:
        assert (message.status, why.state, verdict.sentence) == ("refused", "stop", message.reason)
        assert why.answer == f"Not sent. {message.reason}"


def test_a_cap_names_the_messages_that_used_it_up(ada: Contact, sink: Sink) -> None:
    first = services.launch(draft(ada, name="First"))
    run(first)
    DeliveryPolicy.objects.update(most_per_day=1)
    second = making.campaign([making.segment([ada], name="Again")], name="Second")
    why = answer.of_campaign(ada.pk, second.pk)
    cap = next(step for step in why.steps if step.name == "caps")

    assert cap.sentence == "1 of 1 in 24 hours used."
    assert [link.address for link in cap.links] == [f"/admin/delivery/message/{Message.objects.get().pk}/change/"]
    assert why.answer == (
        "Not sent. The contact has had as many messages as allowed (1 in a day): “Sale” went instead."
    )


def test_a_word_that_is_missing_stops_it(ada: Contact) -> None:
    words = making.template(name="Plan", html="<p>{{ contact.phone }}</p>", subject="Plan")
    why = answer.of_campaign(ada.pk, draft(ada, template_id=words.pk).pk)

    assert why.state == "stop"
    assert "phone" in why.answer


def test_the_holdout_of_a_campaign_is_told_and_listed(ada: Contact, sink: Sink) -> None:
    people = [ada, *making.contacts(30, start=2)]
    campaign = services.launch(draft(*people, holdout_percent=50))
    run(campaign)
    held = HeldOut.objects.first()
    assert held is not None
    why = answer.of_campaign(held.contact_id, campaign.pk)

    assert held.source_id == campaign.pk
    assert why.answer.startswith("Refused: Held out: ")
    assert steps(why)["holdouts"].startswith("Held out of “Campaign “Summer sale””")


def api(role: Role) -> APIClient:
    _, key = accounts.issue_key(role.value, ApiKeyKind.SECRET, scopes=sorted(CAPABILITIES[role]))
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")
    return client


def test_the_answer_over_http(ada: Contact) -> None:
    campaign = draft(ada)
    client = api(Role.ANALYST)
    told = client.get(WHY, {"contact": ada.pk, "campaign": campaign.pk}).json()

    assert (told["contact_id"], told["campaign_id"], told["message_id"]) == (ada.pk, campaign.pk, None)
    assert (told["state"], told["answer"]) == ("wait", "Not yet. It has not been launched yet.")
    assert {step["name"] for step in told["steps"]} >= {"audience", "snapshot", "consent", "quiet_hours", "verdict"}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 400),
        ({"contact": "1"}, 400),
        ({"contact": "x", "campaign": "1"}, 400),
        ({"contact": str(2**63), "campaign": "1"}, 400),
        ({"contact": "99999", "campaign": "99999"}, 404),
        ({"message": "99999"}, 404),
    ],
)
def test_a_question_about_nothing_is_refused(ada: Contact, query: dict[str, str], status: int) -> None:
    assert api(Role.ANALYST).get(WHY, query).status_code == status
