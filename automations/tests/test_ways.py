"""Waits by the contact's own clock, ways by chance and by rules, and what steps tell others."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils.dateparse import parse_datetime
from hypothesis import given
from hypothesis import strategies as st

from audience import services as audience
from audience.models import Contact, Event
from audience.notices import Promised, RewardsPromised
from automations import local_times, services
from automations.models import AutomationRun, RunStatus, StepRun
from automations.selectors import ways as known
from automations.steps import random_split
from automations.steps.random_split import Way
from automations.tests import making
from campaigns.models import Campaign, CampaignStatus, Offer, OfferCode
from common import clock, outbox
from viral.models import Reward

pytestmark = pytest.mark.django_db


def _step(action_type: str, branches: dict | None = None, **configuration) -> dict:
    return {"action_type": action_type, "configuration": configuration} | ({"branches": branches} if branches else {})


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        # The clock jumps from 2:00 to 3:00 in New York on 14 March 2027: 2:30 is after the jump.
        ("2027-03-14T05:00Z", "America/New_York", "2027-03-14T07:30Z"),
        ("2027-03-13T05:00Z", "America/New_York", "2027-03-13T07:30Z"),
        # It goes back from 2:00 to 1:00 in London on 31 October 2027, at 1:00 UTC.
        ("2027-10-31T00:00Z", "Europe/London", "2027-10-31T02:30Z"),
        ("2027-10-31T02:31Z", "Europe/London", "2027-11-01T02:30Z"),
        ("2027-06-01T12:00Z", "Asia/Kathmandu", "2027-06-01T20:45Z"),
    ],
)
def test_the_next_half_past_two_where_somebody_lives(now: str, zone: str, expected: str) -> None:
    where, half_past_two = local_times.zone(zone), local_times.read_time("02:30")

    found = local_times.following(parse_datetime(now), half_past_two, [], where)

    assert found == parse_datetime(expected)


def test_an_hour_that_comes_twice_is_waited_for_once() -> None:
    where, at = local_times.zone("Europe/London"), local_times.read_time("01:30")

    first = local_times.following(datetime(2027, 10, 31, 0, 0, tzinfo=UTC), at, [], where)
    second = local_times.following(first + timedelta(seconds=1), at, [], where)

    assert first == datetime(2027, 10, 31, 0, 30, tzinfo=UTC)
    assert second == datetime(2027, 11, 1, 1, 30, tzinfo=UTC)


def test_people_wait_by_their_own_clock_and_only_for_wanted_days(organization) -> None:
    automation = making.automation(_step("wait_for_time", time="09:00", weekdays=["mon"]), making.task())
    tokyo, nowhere = making.contact(timezone="Asia/Tokyo"), making.contact(timezone="Mars/Base")
    with clock.travel(datetime(2027, 6, 2, 12, tzinfo=UTC) - clock.now()):  # a Wednesday
        services.start(automation, [tokyo.pk, nowhere.pk])
        making.work()

        moments = dict(AutomationRun.objects.values_list("contact_id", "run_at"))
        assert moments[tokyo.pk] == datetime(2027, 6, 7, 0, tzinfo=UTC)
        assert moments[nowhere.pk] == datetime(2027, 6, 7, 9, tzinfo=UTC)
    with clock.travel(datetime(2027, 6, 7, 5, tzinfo=UTC) - clock.now()):
        making.work()
        assert tokyo.tasks.count() == 1
        assert nowhere.tasks.count() == 0


def test_a_date_that_moves_is_waited_for_and_one_that_passed_holds_nobody(organization) -> None:
    automation = making.automation(
        _step("wait_for_date", attribute="attributes.renewal", offset_days=-3, time="09:00"), making.task()
    )
    moving = making.contact(attributes={"renewal": "2027-06-10"})
    past = making.contact(attributes={"renewal": "2027-06-01T10:00:00Z"})
    without = making.contact(attributes={"renewal": "soon"})
    with clock.travel(datetime(2027, 6, 2, 12, tzinfo=UTC) - clock.now()):
        services.start(automation, [moving.pk, past.pk, without.pk])
        making.work()
        assert (past.tasks.count(), without.tasks.count(), moving.tasks.count()) == (1, 1, 0)
        assert AutomationRun.objects.get(contact=moving).run_at == datetime(2027, 6, 7, 9, tzinfo=UTC)
        Contact.objects.filter(pk=moving.pk).update(attributes={"renewal": "2027-06-20"})
    with clock.travel(datetime(2027, 6, 8, tzinfo=UTC) - clock.now()):
        making.work()
        assert AutomationRun.objects.get(contact=moving).run_at == datetime(2027, 6, 17, 9, tzinfo=UTC)
    with clock.travel(datetime(2027, 6, 18, tzinfo=UTC) - clock.now()):
        making.work()
    assert moving.tasks.count() == 1


def test_a_date_that_moves_closer_wakes_who_waits_for_it(organization, drain) -> None:
    automation = making.automation(_step("wait_for_date", attribute="attributes.renewal"), making.task())
    contact = making.contact(attributes={"renewal": "2040-06-10"})
    services.start(automation, [contact.pk])
    drain()
    assert AutomationRun.objects.get().run_at.year == 2040

    audience.update_contacts([contact.pk], {"attributes.renewal": "2041-01-01"})
    drain()
    assert AutomationRun.objects.get().run_at.year == 2041
    audience.update_contacts([contact.pk], {"attributes.renewal": "2020-01-01"})
    drain()

    assert contact.tasks.count() == 1


def test_the_first_way_whose_rule_holds_is_taken(organization) -> None:
    tag = lambda name: [{"action_type": "add_tag", "configuration": {"tag": name}}]  # noqa: E731
    ways = [
        {"name": "Leeds", "rule": making.where("city", "Leeds")},
        {"name": "British", "rule": making.where("country", "GB")},
    ]
    automation = making.automation(
        _step("branch_many", {"Leeds": tag("l"), "British": tag("b"), "otherwise": tag("o")}, ways=ways)
    )
    people = [
        making.contact(city="Leeds", country="GB"),
        making.contact(city="York", country="GB"),
        making.contact(country="FR"),
    ]

    services.start(automation, [person.pk for person in people])
    making.work()

    assert [Contact.objects.get(pk=person.pk).tags for person in people] == [["l"], ["b"], ["o"]]


def test_a_way_by_chance_stays_the_same_on_every_visit_and_in_a_new_version(organization) -> None:
    tag = lambda name: [{"action_type": "add_tag", "configuration": {"tag": name}}]  # noqa: E731
    split = _step("random_split", {"A": tag("a"), "B": tag("b")}, ways=[{"name": "A"}, {"name": "B"}])
    automation = making.automation(split, entry_rule="again")
    people = making.contacts(60)
    ids = [person.pk for person in people]

    services.start(automation, ids)
    making.work()
    first = dict(Contact.objects.values_list("pk", "tags"))
    services.update_automation(automation, {"actions": [split, making.EXIT]})
    services.start(automation, ids)
    making.work()

    assert dict(Contact.objects.values_list("pk", "tags")) == first
    assert {"a", "b"} == {tag for tags in first.values() for tag in tags}


@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.data())
def test_another_weight_moves_only_towards_the_way_that_grew(weights: list[int], data: st.DataObject) -> None:
    before = [Way(str(index), weight) for index, weight in enumerate(weights)]
    grown = data.draw(st.sampled_from(range(len(weights))))
    after = [Way(way.name, way.weight * 2) if index == grown else way for index, way in enumerate(before)]

    for contact_id in range(200):
        old, new = (random_split.draw(ways, "1:split", contact_id) for ways in (before, after))
        assert new in (old, str(grown))


def test_shares_come_out_as_weighed() -> None:
    ways = [Way("A", 70), Way("B", 30), Way("shut", 0)]

    drawn = [random_split.draw(ways, "1:split", contact_id) for contact_id in range(20_000)]

    # Six standard deviations of a binomial share.
    assert abs(drawn.count("A") / 20_000 - 0.7) < 0.02
    assert "shut" not in drawn


def test_a_number_grows_from_nothing_and_other_values_stay(organization) -> None:
    automation = making.automation(_step("update_attribute", attribute="attributes.visits", change="add", value=2))
    fresh, old = making.contact(), making.contact(attributes={"visits": 5, "plan": "pro"})

    services.start(automation, [fresh.pk, old.pk])
    making.work()

    assert Contact.objects.get(pk=fresh.pk).attributes == {"visits": 2}
    assert Contact.objects.get(pk=old.pk).attributes == {"visits": 7, "plan": "pro"}


def test_an_event_of_a_workflow_stands_in_the_table_once_and_starts_others(organization, drain) -> None:
    making.automation(making.task(), name="Listens", trigger_type="event", trigger_configuration={"name": "nurtured"})
    automation = making.automation(_step("emit_event", name="nurtured", properties={"plan": "pro"}))
    contact = making.contact()

    services.start(automation, [contact.pk])
    drain()

    told = Event.objects.get(contact_id=contact.pk)
    assert told.properties["plan"] == "pro"
    assert told.properties["automation_id"] == automation.pk
    assert contact.tasks.count() == 1


def test_the_way_that_reached_the_goal_is_taken_more_often_and_none_twice_in_a_row(organization) -> None:
    tag = lambda name: [{"action_type": "add_tag", "configuration": {"tag": name}}]  # noqa: E731
    step = _step(
        "next_best_action", {"A": tag("a"), "B": tag("b"), "otherwise": []}, ways=[{"name": "A"}, {"name": "B"}]
    )
    automation = making.automation(step, entry_rule="again")
    people = making.contacts(80)
    ids = [person.pk for person in people]
    known.forget()
    services.start(automation, ids[:40])
    making.work()
    reached = StepRun.objects.filter(detail__branch="A").values("run")
    AutomationRun.objects.filter(pk__in=reached).update(status="exited", exit_reason="goal")
    known.forget()

    services.start(automation, ids[40:])
    making.work()
    services.start(automation, ids[:40])
    making.work()

    later = StepRun.objects.filter(run__contact__in=ids[40:])
    assert later.filter(detail__branch="A").count() > 35
    told = later.filter(detail__branch="A").first().detail
    assert told["reason"].startswith("“A” reached the goal for ")
    assert set(told["draws"]) == {"A", "B"}
    for person in people[:40]:
        branched = StepRun.objects.filter(run__contact=person, outcome="branched")
        ways = branched.values_list("detail__branch", flat=True)
        assert sorted(ways) == ["A", "B"]
    services.start(automation, ids[:1])
    making.work()
    assert StepRun.objects.order_by("-pk").first().detail["branch"] == "otherwise"


def test_rewards_are_in_the_ledger_once_and_wait_for_approval_where_they_must(organization, drain) -> None:
    steps = [_step("give_points", points=100), _step("give_reward", kind="cash", amount=500)]
    automation = making.automation(*steps)
    contact = making.contact()

    services.start(automation, [contact.pk])
    drain()
    run = AutomationRun.objects.get()
    again = RewardsPromised([Promised(contact.pk, f"automation:{run.pk}:give_points_1")], "points", 7, "", False, "")
    outbox.publish(again)
    drain()

    ledger = Reward.objects.order_by("pk").values_list("kind", "amount", "currency", "status", "reason")
    assert list(ledger) == [
        ("points", 100, "", "approved", "Workflow “Welcome”"),
        ("cash", 500, organization.currency, "pending", "Workflow “Welcome”"),
    ]


def test_each_contact_gets_a_code_of_their_own_and_keeps_it(organization) -> None:
    campaign = Campaign.objects.create(name="Spring", status=CampaignStatus.ACTIVE)
    offer = Offer.objects.create(campaign=campaign, kind="discount", value=10, code="S-", codes="generated")
    automation = making.automation(_step("give_offer", offer_id=offer.pk), entry_rule="again")
    people = making.contacts(3)

    for _ in range(2):
        services.start(automation, [person.pk for person in people])
        making.work()

    codes = list(OfferCode.objects.values_list("code", flat=True))
    assert len(set(codes)) == 3
    assert all(code.startswith("S-") for code in codes)
    told = StepRun.objects.filter(run__contact=people[0]).values_list("detail__code", flat=True)
    assert len(set(told)) == 1
    Campaign.objects.update(status=CampaignStatus.PAUSED)
    services.start(automation, [people[0].pk])
    making.work()
    assert StepRun.objects.order_by("-pk").first().outcome == "skipped"


def test_another_workflow_starts_once_and_one_that_is_off_for_nobody(organization, drain) -> None:
    other = making.automation(making.task(), name="Other")
    off = making.automation(making.task(), name="Off", is_active=False)
    automation = making.automation(
        _step("start_automation", automation_id=other.pk), _step("start_automation", automation_id=off.pk)
    )
    contact = making.contact()

    services.start(automation, [contact.pk])
    drain()

    assert contact.tasks.count() == 1
    assert AutomationRun.objects.get(automation=other).status == RunStatus.COMPLETED
    assert not AutomationRun.objects.filter(automation=off).exists()
    assert making.outcomes(AutomationRun.objects.get(automation=automation)) == [
        ("start_automation_1", "done"),
        ("start_automation_2", "skipped"),
    ]
