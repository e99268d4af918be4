"""Every kind of trigger goes through the same cases, fed by the river itself."""

from datetime import timedelta
from typing import Any

import pytest

from audience import services as audience
from automations import services
from automations.models import Automation, AutomationRun, RunStatus
from automations.selectors import reports
from automations.services import entries
from automations.tests import making
from automations.tests.trigger_cases import CASES, record_event
from automations.triggers import TRIGGERS
from common import clock
from common.errors import Conflict, Invalid
from segments import services as segments
from segments.models import Segment

pytestmark = pytest.mark.django_db


WRONG = [(trigger, name) for trigger, case in CASES.items() for name in case.wrong]


@pytest.fixture
def segment(organization, owner) -> Segment:
    return segments.create_segment(name="Friends", kind="static")


def _make(trigger: str, configuration: Any, **values: Any) -> Automation:
    return making.automation(
        making.task(), trigger_type=trigger, **{"trigger_configuration": configuration, **values}
    )


def test_every_trigger_has_a_case() -> None:
    assert CASES.keys() == TRIGGERS.keys()


@pytest.mark.parametrize("trigger", CASES)
def test_a_trigger_starts_on_what_it_names_and_on_nothing_else(trigger, segment, drain) -> None:
    case = CASES[trigger]
    contact = audience.create_contact(name="Ada")
    other = audience.create_contact(name="Bob")
    drain()
    _make(trigger, case.good(segment))

    case.miss(other, segment)
    drain()
    assert not AutomationRun.objects.exists()

    case.hit(contact, segment)
    drain()
    run = AutomationRun.objects.get()
    assert run.status == RunStatus.COMPLETED
    assert run.contact_id == contact.pk or trigger == "lead_created"
    assert run.contact.tasks.count() == 1


@pytest.mark.parametrize("trigger", CASES)
def test_a_filter_lets_only_the_contacts_of_its_rule_in(trigger, segment, drain) -> None:
    if trigger == "manual":
        return  # whoever starts it by hand has chosen already
    case = CASES[trigger]
    contact = audience.create_contact(name="Ada")
    drain()
    _make(trigger, case.good(segment) | {"filter": making.where("country", "GB")})

    case.hit(contact, segment)
    drain()

    assert not AutomationRun.objects.exists()


@pytest.mark.parametrize("trigger", CASES)
def test_a_workflow_that_is_off_starts_nobody(trigger, segment, drain) -> None:
    case = CASES[trigger]
    contact = audience.create_contact(name="Ada")
    drain()
    _make(trigger, case.good(segment), is_active=False)

    if trigger == "manual":
        with pytest.raises(Conflict):
            case.hit(contact, segment)
    else:
        case.hit(contact, segment)
    drain()

    assert not AutomationRun.objects.exists()


@pytest.mark.parametrize("trigger", CASES)
def test_a_trigger_says_when_it_starts(trigger, segment) -> None:
    assert reports.trigger_sentence(trigger, CASES[trigger].good(segment)) == CASES[trigger].sentence


@pytest.mark.parametrize(("trigger", "name"), WRONG)
def test_a_wrong_trigger_is_refused_with_its_place_and_writes_nothing(trigger, name, segment) -> None:
    configuration, answer = CASES[trigger].wrong[name]

    with pytest.raises(Invalid) as refusal:
        _make(trigger, configuration)

    told = [f"{place}: {sentence}" for place, sentence in refusal.value.details.items()]
    assert any(answer in line for line in told), told
    assert not Automation.objects.exists()


def test_an_entry_happens_once_however_often_it_is_told(organization, drain) -> None:
    _make("event", {"name": "signup"})
    contact = audience.create_contact(name="Ada")

    for number in range(3):
        record_event(contact, "signup", number)
        drain()

    assert AutomationRun.objects.count() == 1


def test_again_lets_people_in_after_they_have_left_and_not_before(organization, drain) -> None:
    _make("event", {"name": "signup"}, entry_rule="again", actions=[making.wait(days=1)])
    contact = audience.create_contact(name="Ada")

    record_event(contact, "signup", 1)
    drain()
    record_event(contact, "signup", 2)
    drain()
    assert AutomationRun.objects.count() == 1
    with clock.travel(timedelta(days=2)):
        drain()
        record_event(contact, "signup", 3)
        drain()

    assert sorted(AutomationRun.objects.values_list("status", flat=True)) == ["completed", "running"]


def test_the_same_cause_never_starts_twice(organization) -> None:
    automation = _make("manual", {}, entry_rule="again")
    contact = making.contact()

    first = services.start(automation, [contact.pk], cause="x")
    making.work()
    second = services.start(automation, [contact.pk], cause="x")

    assert len(first) == 1
    assert second == []


def test_a_workflow_that_feeds_itself_is_stopped_and_told(organization, monkeypatch) -> None:
    monkeypatch.setattr(entries, "MOST_ENTRIES_PER_DAY", 3)
    automation = _make("manual", {}, entry_rule="again")
    contact = making.contact()

    for _ in range(5):
        services.start(automation, [contact.pk])
        making.work()

    assert AutomationRun.objects.filter(status=RunStatus.COMPLETED).count() == 3
    stopped = AutomationRun.objects.get(status=RunStatus.FAILED)
    assert stopped.error.startswith("Loop guard")


def test_two_workflows_that_feed_each_other_come_to_rest(organization, drain) -> None:
    for status, other in (("a", "b"), ("b", "a")):
        making.automation(
            {"action_type": "update_status", "configuration": {"status": other}},
            name=f"To {other}",
            trigger_type="status_changed",
            trigger_configuration={"to": status},
            entry_rule="again",
        )
    contact = audience.create_contact(name="Ada")
    drain()

    audience.update_contacts([contact.pk], {"status": "a"})
    drain()

    assert AutomationRun.objects.filter(status=RunStatus.FAILED).count() >= 1
    assert AutomationRun.objects.count() <= 2 * entries.MOST_ENTRIES_PER_DAY + 2


def test_events_of_long_ago_start_nothing(organization, drain) -> None:
    _make("event", {"name": "signup"})
    contact = audience.create_contact(name="Ada")
    with clock.travel(-timedelta(days=3)):
        record_event(contact, "signup")

    drain()

    assert not AutomationRun.objects.exists()


def test_many_people_and_workflows_enter_by_the_same_number_of_statements(
    organization, django_assert_max_num_queries
) -> None:
    for number in range(10):
        _make("manual", {"filter": None}, name=f"Workflow {number}")
    people = making.contacts(300)
    wanted = [
        entries.Entry(automation.pk, person.pk, "x", {})
        for automation in Automation.objects.all()
        for person in people
    ]

    with django_assert_max_num_queries(4):
        entered = entries.enter(wanted)

    assert len(entered) == 3000


def test_a_merged_contact_goes_on_as_the_survivor(organization) -> None:
    from audience.notices import ContactsChanged, ContactsMerged
    from automations import subscribers

    automation = _make("manual", {}, actions=[making.wait(days=1), making.task()])
    gone, stayed, both_gone, both_stayed = (making.contact() for _ in range(4))
    services.start(automation, [gone.pk, both_gone.pk, both_stayed.pk])
    making.work()

    notice = ContactsChanged(
        merged=[ContactsMerged(gone.pk, stayed.pk), ContactsMerged(both_gone.pk, both_stayed.pk)]
    )
    subscribers.on_contacts_changed(notice)
    subscribers.on_contacts_changed(notice)
    with clock.travel(timedelta(days=2)):
        making.work()

    assert stayed.tasks.count() == 1
    assert both_stayed.tasks.count() == 1
    assert both_gone.tasks.count() == 0
    assert sorted(AutomationRun.objects.values_list("contact_id", "status")) == sorted(
        [
            (stayed.pk, RunStatus.COMPLETED),
            (both_gone.pk, RunStatus.CANCELLED),
            (both_stayed.pk, RunStatus.COMPLETED),
        ]
    )


def test_what_a_merged_contact_did_starts_the_survivor(organization) -> None:
    automation = _make("manual", {})
    survivor = making.contact()
    gone = making.contact(merged_into=survivor)

    services.start(automation, [gone.pk])

    assert AutomationRun.objects.get().contact == survivor
