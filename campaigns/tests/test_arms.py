"""Campaigns with arms: who gets which, in which words, at what time, after a first test or at once."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from campaigns import selectors, services
from campaigns.models import Campaign, CampaignRun, Target
from campaigns.services import deciding, runs
from campaigns.services import steps as run_steps
from campaigns.tests import making
from campaigns.tests.arms import arm_drafts, arm_of, in_test, two_templates, with_arms
from campaigns.tests.moments import LUNCH, work_at
from common import clock, doorbell
from common.errors import Conflict, Invalid
from delivery.models import Message, MessageStatus
from experiments import services as experiments
from experiments.domain import assignment
from experiments.models import Arm, Assignment, Experiment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("doors")]


def _subjects() -> dict[int, str]:
    return dict(Message.objects.values_list("contact_id", "content__subject"))


def test_each_contact_gets_the_words_of_the_arm_that_the_published_hash_gives() -> None:
    one, two = two_templates()
    people = making.contacts(40)
    campaign = with_arms(people, {}, {"template_id": two.pk}, template_id=one.pk)

    services.launch(campaign)
    services.work(campaign.organization_id)

    experiment = Experiment.objects.get()
    ranges = assignment.ranges([0.5, 0.5])
    expected = {
        person.pk: ["One", "Two"][assignment.arm_of(assignment.bucket(experiment.seed, str(person.pk)), ranges) or 0]
        for person in people
    }
    assert _subjects() == expected
    assert set(expected.values()) == {"One", "Two"}
    drawn = dict(Target.objects.values_list("contact_id", "arm_id"))
    assert dict(Assignment.objects.exclude(exposed_at=None).values_list("contact_id", "arm_id")) == drawn
    assert {experiment.arms.get(pk=pk).name for pk in drawn.values()} == {"A", "B"}
    assert (experiment.status, experiment.source_type, experiment.source_id) == ("running", "campaign", campaign.pk)


def test_an_arm_may_have_a_time_of_its_own_by_each_contacts_clock() -> None:
    people = making.contacts(30, timezone="America/New_York")
    campaign = with_arms(people, {}, {"send_at": "09:00"})
    with clock.freeze(LUNCH):  # eight in New York
        services.launch(campaign)
    work_at(LUNCH)
    timed = set(Target.objects.filter(arm__key="b").values_list("contact_id", flat=True))
    assert set(Message.objects.values_list("contact_id", flat=True)) == {each.pk for each in people} - timed

    work_at(LUNCH + timedelta(hours=1))

    moments = dict(Message.objects.values_list("contact_id", "run_at"))
    assert {moments[pk] for pk in timed} == {LUNCH + timedelta(hours=1)}
    assert len(moments) == 30


def test_who_takes_no_part_gets_what_the_campaign_says() -> None:
    one, two = two_templates()
    people = making.contacts(30)
    campaign = with_arms(people, {"template_id": two.pk}, {"template_id": two.pk}, template_id=one.pk)
    experiments.update_experiment(Experiment.objects.get(), {"coverage": 0.3})
    services.launch(campaign)
    services.work(campaign.organization_id)

    counts = Counter(_subjects().values())
    assert counts["Two"] == Assignment.objects.count() == Target.objects.exclude(arm=None).count()
    assert (counts["One"] > 0, sum(counts.values())) == (True, 30)


# --- a first test ------------------------------------------------------------------------------------------------


def test_the_rest_waits_for_the_test_and_gets_the_likeliest_winner_when_its_time_is_over() -> None:
    people = making.contacts(30)
    campaign = in_test(people)
    tested = set(Target.objects.exclude(arm=None).values_list("contact_id", flat=True))
    assert 0 < len(tested) < 30
    assert set(_subjects()) == tested
    progress = selectors.progress(campaign)
    assert (progress.test_count, progress.test_ends_at, progress.winner) == (
        len(tested), LUNCH + timedelta(hours=4), "",
    )  # fmt: skip
    assert work_at(LUNCH + timedelta(hours=3)) == 0

    winner = arm_of("b")
    with clock.freeze(LUNCH + timedelta(hours=2)):
        for pk in Target.objects.filter(arm=winner).values_list("contact_id", flat=True):
            making.clicked(campaign, pk, LUNCH + timedelta(hours=1))
        doorbell.drain(campaign.organization_id)
    work_at(LUNCH + timedelta(hours=4))

    experiment = Experiment.objects.get()
    assert (experiment.status, experiment.winner) == ("stopped", winner)
    rest = {pk: subject for pk, subject in _subjects().items() if pk not in tested}
    assert (len(rest), set(rest.values())) == (30 - len(tested), {"Two"})
    assert Message.objects.filter(source_id=campaign.pk).count() == 30
    assert Assignment.objects.count() == len(tested)  # the rest was not drawn, and is not compared
    assert selectors.progress(campaign).winner == "b"


def test_when_nothing_came_back_the_control_goes_on() -> None:
    campaign = in_test(making.contacts(20))

    work_at(LUNCH + timedelta(hours=5))

    assert Experiment.objects.get().winner == arm_of("a")
    assert Counter(_subjects().values())["One"] >= 10
    assert len(_subjects()) == 20
    assert selectors.progress(campaign).winner == "a"


def test_a_person_may_decide_sooner_and_only_once() -> None:
    campaign = in_test(making.contacts(20))
    other = experiments.create_experiment({"name": "Other", "metrics": []}, arm_drafts({}, {}))
    with pytest.raises(Invalid, match="no arm of this campaign"):
        services.decide(campaign, other.arms.earliest("pk"))
    assert CampaignRun.objects.get().decided_at is None

    winner = Arm.objects.get(key="b", experiment__campaigns=campaign)
    with clock.freeze(LUNCH + timedelta(hours=1)):
        services.decide(campaign, winner)
    work_at(LUNCH + timedelta(hours=1))

    assert len(_subjects()) == 20
    assert Experiment.objects.get(campaigns=campaign).winner == winner
    with pytest.raises(Conflict, match="No test"):
        services.decide(campaign, winner)


def test_the_experiments_own_decision_lets_the_rest_go() -> None:
    campaign = in_test(making.contacts(20))
    with clock.freeze(LUNCH + timedelta(hours=1)):
        experiments.stop(Experiment.objects.get(), arm_of("b"), "By its rule.")
        doorbell.drain(campaign.organization_id)
        deciding.decided(Experiment.objects.get().pk)  # a notice may come twice

    assert CampaignRun.objects.get().winner == arm_of("b")
    assert Message.objects.count() == 20


def test_a_test_by_contacts_clocks_ends_before_the_rests_time_comes() -> None:
    people = making.contacts(20, timezone="Europe/London")
    in_test(people, timing="local", local_time=time(14))
    work_at(LUNCH + timedelta(hours=2))  # 14:00: the test; its four hours end when all of it is written
    tested = Message.objects.count()
    assert 0 < tested < 20

    for hours in range(2, 30):
        work_at(LUNCH + timedelta(hours=hours))

    moments = Counter(Message.objects.values_list("run_at", flat=True))
    # In the night London's clocks go forward.
    assert moments == {LUNCH + timedelta(hours=2): tested, LUNCH + timedelta(hours=25): 20 - tested}


def test_cancelling_ends_the_experiment() -> None:
    campaign = in_test(making.contacts(4))
    services.cancel(campaign)

    assert Experiment.objects.get().status == "stopped"
    assert work_at(LUNCH + timedelta(hours=9)) == 0


def test_a_recurring_campaign_keeps_everybody_in_their_arm() -> None:
    one, two = two_templates()
    first, later = making.contacts(20), making.contacts(20, start=100)
    segment = making.segment(first)
    campaign = making.campaign(
        [segment], template_id=one.pk, timing="recurring", recurrence={"every": "day", "time": "09:00"}
    )
    services.update_campaign(campaign, {}, arms=arm_drafts({}, {"template_id": two.pk}))
    with clock.freeze(LUNCH):
        services.launch(campaign)
    work_at(LUNCH + timedelta(days=1))
    before = dict(Target.objects.values_list("contact_id", "arm_id"))
    Arm.objects.filter(key="a").update(weight=9)  # shares move under a bandit: who has an arm keeps it
    for contact in later:
        segment.memberships.create(contact=contact)
    work_at(LUNCH + timedelta(days=2))

    after = dict(Target.objects.filter(occurrence=2).values_list("contact_id", "arm_id"))
    assert {pk: after[pk] for pk in before} == before
    assert len(after) == 40
    assert set(Counter(Message.objects.values_list("contact_id", flat=True)).values()) == {1, 2}


# --- a worker dies -------------------------------------------------------------------------------------------------


class _Killed(BaseException):
    """As if the process were gone: nothing catches it but the test."""


@pytest.mark.parametrize("timing", ["test", "recurring"])
def test_a_worker_that_dies_at_any_statement_loses_and_doubles_nobody(timing: str) -> None:
    """Every step is stepped through: killed before its first statement, its second, … until one lives to its end."""
    one, two = two_templates()
    fields: dict[str, Any] = {"test_percent": 50, "test_hours": 1}
    if timing == "recurring":
        fields = {"timing": "recurring", "recurrence": {"every": "day", "time": "09:00", "zone": "contact"}}
    campaign = with_arms(making.contacts(6), {}, {"template_id": two.pk}, template_id=one.pk, **fields)
    with clock.freeze(LUNCH):
        services.launch(campaign)
    kills = 0
    for hours in (0, 1, 8, 31, 46):
        survives_after = 0
        while True:
            lives, taken = _step_killed_at(LUNCH + timedelta(hours=hours), survives_after)
            if lives and not taken:
                break
            kills, survives_after = kills + (not lives), 0 if lives else survives_after + 7

    occurrences = 2 if timing == "recurring" else 1
    assert kills > 10
    assert Counter(Message.objects.values_list("contact_id", flat=True)) == Counter(
        dict.fromkeys(making.targeted(campaign), occurrences)
    )
    assert Target.objects.count() == 6 * occurrences
    assert Assignment.objects.count() == Target.objects.exclude(arm=None).values("contact_id").distinct().count()


def _step_killed_at(moment: datetime, survives: int) -> tuple[bool, bool]:
    """Take one step that dies before its statement number `survives`; whether it lived, and whether one was due."""
    left = [survives]

    def count(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if left[0] == 0 and sql.startswith(("INSERT", "UPDATE", "WITH", "SELECT")):
            raise _Killed
        left[0] -= 1
        return execute(sql, params, many, context)

    try:
        with clock.freeze(moment), transaction.atomic(), connection.execute_wrapper(count):
            run = runs._claim()
            if run is not None:
                run_steps.advance(run)
            return True, run is not None
    except _Killed:
        return False, True


def test_settled_messages_of_a_test_do_not_complete_the_campaign() -> None:
    campaign = in_test(making.contacts(20))
    Message.objects.update(status=MessageStatus.SENT)

    services.settled(campaign.pk)

    assert Campaign.objects.get().status == "active"
