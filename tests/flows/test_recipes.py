"""Every recipe, played through by a person: real events, a moving clock, engine, delivery and a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest

from accounts.models import Organization
from audience import services as audience
from audience.models import Event
from automations import recipes
from delivery.services import outgoing
from delivery.tests.making import Sink, listening
from tests.flows.stage import Stage

pytestmark = pytest.mark.django_db
MORNING = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SHOP = "https://shop.example/"
LINES = [{"name": "Blue mug", "price": "9.00"}, {"name": "Tea", "price": "4.50"}]


@pytest.fixture
def stage(organization: Organization, settings: Any) -> Iterator[Stage]:
    sink = Sink()
    outgoing.reset()
    with ExitStack() as clocks, listening(sink) as port:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{port}"
        made = Stage(MORNING, sink, clocks)
        made.open()
        yield made


def test_every_recipe_is_played() -> None:
    played = {name.removeprefix("test_").replace("_", "-") for name in globals() if name.startswith("test_")}
    missing = [key for key in recipes.ORDER if not any(name.startswith(key) for name in played)]
    assert missing == []


def test_lead_qualification_calls_who_shows_interest(stage: Stage) -> None:
    stage.install("lead-qualification", team=[stage.agent.pk])
    ada = stage.arrives("Ada")
    bob = stage.arrives("Bob")

    stage.later(days=2)
    stage.does("Ada", "pricing_viewed")

    ada.refresh_from_db()
    assert (ada.status, ada.priority, ada.assignee_id) == ("qualified", "high", stage.agent.pk)
    assert stage.open_tasks() == [("Call this lead: they showed interest", "ann")]
    stage.later(days=6)
    bob.refresh_from_db()
    assert (bob.status, bob.assignee_id) == ("nurture", None)
    assert len(stage.open_tasks()) == 1


def test_priority_assignment_gives_pressing_contacts_to_somebody_today(stage: Stage) -> None:
    stage.install("priority-assignment", team=[stage.agent.pk])
    ada = stage.arrives("Ada")
    audience.update_contacts([ada.pk], {"priority": "low"})
    stage.settle()
    assert stage.open_tasks() == []

    audience.update_contacts([ada.pk], {"priority": "urgent"})
    stage.settle()

    ada.refresh_from_db()
    assert ada.assignee_id == stage.agent.pk
    assert stage.open_tasks() == [("Call today: the priority rose", "ann")]
    assert len(stage.told(stage.agent)) == 1


def test_follow_up_escalation_when_nobody_answers(stage: Stage) -> None:
    stage.install("follow-up-escalation", team=[stage.agent.pk], manager=stage.manager.pk)
    ada = stage.arrives("Ada")
    stage.does("Ada", "demo_requested")
    assert stage.open_tasks() == [("Call back within the day", "ann")]

    stage.later(hours=3)
    stage.finish("Call back within the day", "no_answer")
    assert stage.subjects() == ["We tried to reach you, Ada"]
    stage.later(days=1, minutes=1)
    assert stage.open_tasks() == [("Second try: call back", "ann")]
    stage.finish("Second try: call back", "no_answer")
    assert stage.told(stage.manager) == []
    stage.later(days=2, minutes=1)

    assert stage.told(stage.manager) == ["Two calls without an answer: decide what to do"]
    assert stage.open_tasks() == [("Two calls without an answer: decide what to do", "max")]
    ada.refresh_from_db()
    assert ada.status == "new"


def test_follow_up_escalation_when_nobody_calls_and_when_they_are_reached(stage: Stage) -> None:
    stage.install("follow-up-escalation", team=[stage.agent.pk], manager=stage.manager.pk)
    stage.arrives("Ada")
    bob = stage.arrives("Bob")
    stage.does("Ada", "demo_requested")

    stage.later(days=1, minutes=1)
    assert stage.told(stage.manager) == ["Nobody has called back for a day: take over"]
    stage.does("Bob", "demo_requested")
    stage.finish("Call back within the day", "reached", bob)

    bob.refresh_from_db()
    assert bob.status == "contacted"
    assert stage.subjects("Bob") == []
    assert len(stage.told(stage.manager)) == 1


def test_nurture_ends_with_a_click(stage: Stage) -> None:
    stage.install("nurture", site_url=SHOP)
    ada, bob, cleo = (stage.arrives(name) for name in ("Ada", "Bob", "Cleo"))
    audience.update_contacts([ada.pk, bob.pk, cleo.pk], {"status": "nurture"})
    stage.settle()
    assert stage.subjects() == ["Something useful, Ada"]

    stage.later(days=3, minutes=1)
    assert stage.subjects()[1:] == ["How somebody like you did it"]
    stage.later(days=1)
    stage.clicks(stage.mails("Ada")[1])
    ada.refresh_from_db()
    assert ada.status == "qualified"
    audience.update_contacts([cleo.pk], {"status": "qualified"})  # a colleague talked to her
    stage.later(days=7)

    assert len(stage.subjects("Ada")) == 2
    assert stage.subjects("Bob")[2:] == ["Shall we stop writing?"]
    assert stage.ends() == [("completed", ""), ("completed", ""), ("exited", "goal")]


def test_onboarding_helps_who_is_stuck(stage: Stage) -> None:
    stage.install("onboarding", app_url=SHOP, team=[stage.agent.pk])
    for name in ("Ada", "Bob"):
        stage.arrives(name)
        stage.does(name, "signed_up")
    assert stage.subjects("Ada") == ["Welcome, Ada: your first step"]

    stage.later(hours=20)
    stage.does("Ada", "onboarding_completed")
    assert stage.subjects("Ada")[1:] == ["You are up and running"]
    stage.later(days=2)
    assert stage.subjects("Bob")[1:] == ["Can we give you a hand?"]
    stage.later(days=5, minutes=1)

    assert stage.open_tasks() == [("Offer help with getting started", "ann")]
    assert len(stage.subjects("Ada")) == 2


def test_cart_recovery_reminds_twice_and_stops_at_an_order(stage: Stage) -> None:
    stage.install("cart-recovery", cart_url=f"{SHOP}cart")
    for name in ("Ada", "Bob"):
        stage.arrives(name)
        stage.does(name, "cart_updated", lines=LINES)
    stage.later(minutes=59)
    assert stage.subjects("Ada") == []

    stage.later(minutes=2)
    assert stage.subjects("Ada") == ["You left something here, Ada"]
    assert "Blue mug" in stage.mails("Ada")[0].get_body(("html",)).get_content()  # type: ignore[union-attr]
    stage.later(hours=5)
    stage.does("Bob", "order_completed", total="13.50", currency="GBP")
    stage.later(days=1)

    assert stage.subjects("Ada")[1:] == ["Your cart is still here"]
    assert len(stage.subjects("Bob")) == 1
    assert stage.ends() == [("completed", ""), ("exited", "goal")]


def test_cross_sell_writes_ten_days_after_an_order(stage: Stage) -> None:
    stage.install("cross-sell", shop_url=SHOP)
    ada = stage.arrives("Ada")
    stage.arrives("Bob")
    for name in ("Ada", "Bob"):
        stage.does(name, "order_completed", lines=LINES, total="13.50", currency="GBP")
    stage.later(days=5)
    stage.does("Bob", "order_completed", total="5.00", currency="GBP")

    stage.later(days=5, minutes=1)
    assert stage.subjects("Ada") == ["What goes well with your order"]
    stage.later(days=2)
    stage.does("Ada", "order_completed", total="20.00", currency="GBP")

    ada.refresh_from_db()
    assert ada.tags == ["cross-sold"]
    assert stage.subjects("Bob") == []


def test_milestone_celebration_thanks_on_the_day(stage: Stage) -> None:
    stage.install("milestone-celebration", orders=3)
    ada = stage.arrives("Ada")
    for _ in range(2):
        stage.does("Ada", "order_completed", total="5.00", currency="GBP")
        stage.later(days=1)
    assert stage.subjects() == []

    stage.does("Ada", "order_completed", total="5.00", currency="GBP")
    stage.does("Ada", "order_completed", total="5.00", currency="GBP")

    ada.refresh_from_db()
    assert stage.subjects() == ["3 times thank you, Ada"]
    assert ada.tags == ["loyal"]
    assert Event.objects.get(definition__name="milestone_reached").properties["orders"] == 3


def test_churn_prevention_when_the_health_score_turns_critical(stage: Stage) -> None:
    stage.install("churn-prevention", team=[stage.agent.pk], manager=stage.manager.pk)
    ada, bob = stage.arrives("Ada"), stage.arrives("Bob")
    _health(stage, ada.pk, 0.4)
    _health(stage, bob.pk, 0.4)
    assert stage.open_tasks() == []

    stage.later(days=1)
    _health(stage, ada.pk, 0.1)
    _health(stage, bob.pk, 0.2)
    ada.refresh_from_db()
    assert (ada.priority, ada.assignee_id) == ("urgent", stage.agent.pk)
    assert stage.subjects("Ada") == ["How are things going, Ada?"]
    assert stage.open_tasks() == [("Save this customer: their health turned critical", "ann")] * 2
    stage.later(days=1)
    _health(stage, bob.pk, 0.8)
    assert stage.ends()[1] == ("exited", "goal")
    stage.later(days=1, minutes=1)
    assert stage.told(stage.manager) == ["A critical customer waits for a call: take over"]
    stage.later(days=14, minutes=1)

    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.tags, bob.tags) == (["health-not-recovered"], [])


def _health(stage: Stage, contact_id: int, value: float) -> None:
    row = {"contact_id": contact_id, "prediction": "health_score", "value": value}
    assert [answer.status for answer in audience.record_predictions([row])] == ["written"]
    stage.settle()


def test_super_connector_invite_by_mail_and_in_person(stage: Stage) -> None:
    stage.install("super-connector-invite", invite_url=SHOP, team=[stage.agent.pk])
    ada, bob = stage.arrives("Ada"), stage.arrives("Bob")
    for name in ("Ada", "Bob"):
        for friend in range(3):
            assert stage.subjects(name) == []
            stage.does(name, "referral_qualified", role="inviter", friend=friend)
    assert stage.subjects("Ada") == ["You brought three friends, Ada"]

    stage.later(days=1)
    stage.does("Ada", "ambassador_joined")
    stage.later(days=7)

    ada.refresh_from_db()
    bob.refresh_from_db()
    assert (ada.tags, bob.tags) == (["ambassador", "super-connector"], ["super-connector"])
    assert stage.open_tasks() == [("Invite this super-connector in person", "ann")]
