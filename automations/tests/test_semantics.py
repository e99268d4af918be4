"""Who enters again, what ends a run early, what wakes a wait, what is repeated, and what stops a loop."""

from datetime import timedelta

import pytest

from audience import services as audience
from automations import services
from automations.models import AutomationRun, AutomationWatch, RunStatus, StepRun
from automations.services import depth, entries, holding
from automations.tests import making
from automations.tests.semantics import ORDERED, PLAN, happens, repeat, start, titles, wait_until
from common import clock, doorbell, outbox
from common.errors import Invalid, Permanent
from segments import services as segments

pytestmark = pytest.mark.django_db
# --- goal and exit --------------------------------------------------------------------------------


def test_an_event_that_fulfils_the_goal_takes_people_out_of_their_wait(organization) -> None:
    automation = making.automation(making.wait(days=9), making.task(), goal_rule=ORDERED)
    ada, bob = making.contact(), making.contact(name="Bob")
    assert start(automation, ada, bob) == 2

    happens(ada)

    run = ada.runs.get()
    assert (run.status, run.exit_reason, run.step_id) == (RunStatus.EXITED, "goal", "")
    assert making.outcomes(run) == [("wait_1", "goal")]
    assert (bob.runs.get().status, titles(ada)) == (RunStatus.RUNNING, [])


def test_who_was_looked_at_in_vain_waits_on_until_the_same_moment(organization) -> None:
    rule = {"match": "all", "rules": [ORDERED, making.where("city", "Leeds")]}
    automation = making.automation(making.wait(days=9), making.task(), exit_rule=rule)
    ada = making.contact()
    start(automation, ada)
    before = ada.runs.get()

    happens(ada)

    after = ada.runs.get()
    assert (after.run_at, after.waits_until, after.waiting_since) == (
        before.waits_until, before.waits_until, before.waiting_since,
    )  # fmt: skip
    audience.update_contacts([ada.pk], {"city": "Leeds"})
    doorbell.drain(organization.pk)
    after.refresh_from_db()
    assert (after.status, after.exit_reason) == (RunStatus.EXITED, "exit_rule")
    assert making.outcomes(after) == [("wait_1", "exited")]


def test_goal_before_exit_and_both_before_the_first_step(organization) -> None:
    automation = making.automation(making.task(), goal_rule=PLAN, exit_rule=PLAN)
    leeds, york = making.contact(city="Leeds"), making.contact(city="York")

    start(automation, leeds, york)

    assert leeds.runs.get().exit_reason == "goal"
    assert (titles(leeds), titles(york)) == ([], ["Call"])


def test_a_goal_that_time_alone_fulfils_is_reached_at_its_time(organization) -> None:
    rule = {"event": "order_completed", "operator": "did_not", "within": {"days": 2}}
    automation = making.automation(making.wait(days=9), making.task(), goal_rule=rule)
    ada = making.contact()
    happens(ada)
    start(automation, ada)
    assert ada.runs.get().run_at < clock.now() + timedelta(days=3)

    with clock.travel(timedelta(days=2, minutes=1)):
        making.work()

    assert ada.runs.get().exit_reason == "goal"


def test_a_goal_may_be_a_segment(organization) -> None:
    segment = segments.create_segment(name="Leeds", rule=PLAN)
    rule = {"segment": segment.pk, "operator": "in"}
    automation = making.automation(making.wait(days=9), goal_rule=rule)
    doorbell.drain(organization.pk)
    ada = making.contact(city="York")
    start(automation, ada)

    audience.update_contacts([ada.pk], {"city": "Leeds"})
    doorbell.drain(organization.pk)

    assert ada.runs.get().exit_reason == "goal"


def test_a_wrong_goal_is_told_with_its_place_and_writes_nothing(organization) -> None:
    with pytest.raises(Invalid) as refusal:
        making.automation(making.task(), goal_rule={"match": "all", "rules": [making.where("colour", "red")]})

    assert list(refusal.value.details) == ["goal_rule.rules[0].field"]
    assert not AutomationWatch.objects.exists()


# --- wait until -----------------------------------------------------------------------------------


def test_wait_until_goes_on_with_the_event_or_at_its_time_out(organization) -> None:
    automation = making.automation(wait_until(ORDERED, [making.task("Thanks")], [making.task("Remind")]))
    ada, bob = making.contact(), making.contact(name="Bob")
    start(automation, ada, bob)
    assert set(AutomationRun.objects.values_list("step_id", flat=True)) == {"wait_until_1"}
    assert list(AutomationRun.objects.values_list("wakes_on", flat=True)) == [["event:order_completed"]] * 2

    happens(ada)
    assert (titles(ada), titles(bob)) == (["Thanks"], [])
    with clock.travel(timedelta(days=3, seconds=5)):
        making.work()

    assert (titles(ada), titles(bob)) == (["Thanks"], ["Remind"])
    record = StepRun.objects.get(run__contact=bob, step_id="wait_until_1")
    assert (record.outcome, record.detail) == ("branched", {"branch": "timed_out", "waited": True})


def test_who_meets_the_rule_already_does_not_wait(organization) -> None:
    automation = making.automation(wait_until(PLAN, [making.task("Met")], []))
    ada = making.contact(city="Leeds")

    start(automation, ada)

    assert titles(ada) == ["Met"]


def test_an_event_that_nobody_waits_for_touches_no_run(organization, django_assert_num_queries) -> None:
    from automations.services import watches

    ada = making.contact()
    start(making.automation(making.wait(days=9)), ada)

    with django_assert_num_queries(1):
        assert watches.wake({"event:order_completed": {ada.pk}}) == 0


# --- repeat ---------------------------------------------------------------------------------------


def test_repeat_does_its_steps_until_the_rule_is_met(organization) -> None:
    automation = making.automation(repeat(ORDERED, [making.task("Ask"), making.wait(days=1)]), making.task("After"))
    ada = making.contact()
    start(automation, ada)
    with clock.travel(timedelta(days=1, minutes=1)):
        making.work()
        assert titles(ada) == ["Ask", "Ask"]
        happens(ada)
    with clock.travel(timedelta(days=2, minutes=2)):
        making.work()

    assert titles(ada) == ["Ask", "Ask", "After"]
    assert ada.runs.get().status == RunStatus.COMPLETED


def test_repeat_has_a_limit_and_counts_anew_inside_another_one(organization) -> None:
    inner = repeat(ORDERED, [making.task("Inner")], 2)
    automation = making.automation(repeat(ORDERED, [inner, making.task("Outer")], 3))
    ada = making.contact()

    start(automation, ada)

    assert titles(ada) == ["Inner", "Inner", "Outer"] * 3
    run = ada.runs.get()
    assert (run.status, run.laps) == (RunStatus.COMPLETED, {"": 9})


# --- failures and loops ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "status", "done"),
    [("stop", "failed", []), ("continue", "completed", ["After"]), ("exit", "exited", [])],
)
def test_the_error_policy_of_a_step_decides_when_it_fails_for_good(
    organization, monkeypatch, policy, status, done
) -> None:
    from automations.tests.test_engine import _break

    automation = making.automation(making.TAG | {"on_error": policy}, making.task("After"))
    ada = making.contact()
    _break(monkeypatch, Permanent("The tag is gone."), "add_tag")

    start(automation, ada)

    run = ada.runs.get()
    assert (run.status, titles(ada)) == (status, done)
    assert making.outcomes(run)[0] == ("add_tag_1", "failed")
    assert run.exit_reason == ("error" if policy == "exit" else "")


def test_workflows_that_start_each_other_are_stopped_by_their_depth(organization, monkeypatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES_PER_DAY", 1000)
    monkeypatch.setattr(depth, "MOST", 4)
    for own, other in (("new", "qualified"), ("qualified", "new")):
        making.automation(
            {"action_type": "update_status", "configuration": {"status": other}},
            trigger_type="status_changed", trigger_configuration={"to": own}, name=own, entry_rule="again",
        )  # fmt: skip
    ada = making.contact()
    audience.update_contacts([ada.pk], {"status": "qualified"})

    doorbell.drain(organization.pk)

    runs = list(ada.runs.order_by("pk").values_list("depth", "status"))
    assert runs == [
        (0, "completed"),
        (1, "completed"),
        (2, "completed"),
        (3, "completed"),
        (4, "completed"),
        (5, "failed"),
    ]
    assert ada.runs.get(depth=5).error == depth.GUARD


def test_the_depth_travels_with_events_of_our_own_and_nobody_outside_says_it(organization) -> None:
    making.automation(trigger_type="event", trigger_configuration={"name": "pinged"}, entry_rule="again")
    ada = making.contact()

    with outbox.caused_at(3):
        happens(ada, "pinged")
    happens(ada, "pinged", cause_depth=9)

    assert list(ada.runs.order_by("pk").values_list("depth", flat=True)) == [3, 0]


# --- pause and resume -----------------------------------------------------------------------------


def test_who_fell_due_while_held_goes_on_in_slices(organization, monkeypatch) -> None:
    monkeypatch.setattr(holding, "SLICE", 2)
    automation = making.automation(making.wait(days=1), making.task())
    services.start(automation, [one.pk for one in making.contacts(5)])
    making.work()
    late = making.contact()
    with clock.travel(timedelta(hours=20)):
        start(automation, late)
        services.deactivate(automation)
    with clock.freeze(clock.now() + timedelta(hours=30)):
        assert making.work() == 0
        services.activate(automation)
        waited = [run.run_at - clock.now() for run in automation.runs.order_by("run_at", "pk")]
        assert waited[:5] == [timedelta(seconds=seconds) for seconds in (0, 0, 10, 10, 20)]
        assert timedelta(hours=13) < waited[5] < timedelta(hours=15)
        assert making.work() == 2


def test_what_came_true_while_held_is_met_although_its_time_is_over(organization) -> None:
    automation = making.automation(wait_until(ORDERED, [making.task("Met")], [making.task("Late")]))
    ada, bob = making.contact(), making.contact(name="Bob")
    start(automation, ada, bob)
    services.deactivate(automation)
    happens(ada)

    with clock.travel(timedelta(days=4)):
        services.activate(automation)
        making.work()

    assert (titles(ada), titles(bob)) == (["Met"], ["Late"])


def test_a_goal_that_cannot_be_asked_stops_its_own_people_only(organization, monkeypatch) -> None:
    from automations.services import endings

    automation = making.automation(making.task("Aimed"), goal_rule=ORDERED)
    other = making.automation(making.task("Free"), name="Free")
    ada = making.contact()
    services.start(automation, [ada.pk])
    services.start(other, [ada.pk])
    monkeypatch.setattr(endings.rules, "parse_stored", _refuse)

    making.work()

    assert titles(ada) == ["Free"]
    assert (automation.runs.get().status, automation.runs.get().error) == (RunStatus.FAILED, "The segment is gone.")


def _refuse(rule):
    raise Invalid("The segment is gone.")
