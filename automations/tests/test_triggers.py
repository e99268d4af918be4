"""Every kind of trigger goes through the same cases, fed by the river itself."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from accounts.models import Member
from audience import services as audience
from audience.models import Contact, PredictionDefinition
from audience.services import InternalEvent
from automations import services
from automations.models import Automation, AutomationRun, RunStatus
from automations.selectors import reports
from automations.services import entries, turns
from automations.tests import making
from automations.triggers import TRIGGERS
from common import clock, tenancy
from common.errors import Conflict, Invalid
from segments import services as segments
from segments.models import Segment

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Case:
    """What starts the trigger for a contact, what looks like it and does not, its words, wrong configurations."""

    good: Callable[[Segment], dict[str, Any]]
    hit: Callable[[Contact, Segment], Any]
    miss: Callable[[Contact, Segment], Any]
    sentence: str
    wrong: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)


def _event(contact: Contact, name: str, number: int = 1, **properties: Any) -> None:
    message_id = f"{name}-{contact.pk}-{number}"
    audience.record([InternalEvent(contact.pk, name, clock.now(), message_id, properties)])


def _set(name: str, value: Any) -> Callable[[Contact, Segment], Any]:
    return lambda contact, segment: audience.update_contacts([contact.pk], {name: value})


def _enter(contact: Contact, segment: Segment) -> None:
    segments.add_contacts(segment, [contact.pk])


def _leave(contact: Contact, segment: Segment) -> None:
    segments.add_contacts(segment, [contact.pk])
    segments.remove_contacts(segment, [contact.pk])


EMAIL = {"name": "email", "label": "E-mail", "kind": "email", "required": True}


def _later(**span: float) -> None:
    with clock.travel(timedelta(**span)):
        turns.run(tenancy.required())
        making.work()


def _predicted() -> str:
    if not PredictionDefinition.objects.exists():
        audience.define_prediction(name="churn", label="Churn risk")
    return "churn"


def _predict(contact: Contact, value: float) -> None:
    rows = [{"contact_id": contact.pk, "prediction": "churn", "value": value}]
    assert [answer.status for answer in audience.record_predictions(rows)] == ["written"]


def _renews(contact: Contact, days: int, looked: int) -> None:
    """A renewal in so many days, and the clock in so many."""
    day = (clock.now() + timedelta(days=days)).date()
    audience.update_contacts([contact.pk], {"attributes.renewal": day.isoformat()})
    _later(days=looked)


CASES: dict[str, Case] = {
    "lead_created": Case(
        lambda segment: {},
        lambda contact, segment: audience.create_contact(name="New"),
        _set("status", "won"),
        "When a contact is created",
        {"spelling": ({"source": "x"}, "trigger_configuration.source: unknown field; known: filter")},
    ),
    "attribute_changed": Case(
        lambda segment: {"attribute": "attributes.plan", "to": "pro"},
        _set("attributes.plan", "pro"),
        _set("attributes.plan", "free"),
        "When plan changes to “pro”",
        {"which": ({}, "trigger_configuration.attribute: is missing")},
    ),
    "status_changed": Case(
        lambda segment: {"from": "new", "to": "won"},
        _set("status", "won"),
        _set("status", "lost"),
        "When status changes from “new” to “won”",
        {"spelling": ({"too": "won"}, "trigger_configuration.too: unknown field")},
    ),
    "priority_changed": Case(
        lambda segment: {},
        _set("priority", "high"),
        _set("status", "won"),
        "When priority changes",
        {"list": ([], "trigger_configuration: must be an object, not a list")},
    ),
    "value_changed": Case(
        lambda segment: {"direction": "up", "line": 10_000},
        _set("value_minor", 12_000),
        _set("value_minor", 9_000),
        "When the value of a contact rises to 100.00",
        {"line": ({"line": -1}, "trigger_configuration.line: must be from 0")},
    ),
    "assignee_changed": Case(
        lambda segment: {"from": None},
        lambda contact, segment: audience.update_contacts([contact.pk], {"assignee": Member.objects.get().pk}),
        _set("status", "won"),
        "When a contact is handed over from nobody",
        {
            "unknown": ({"to": 9_999_999}, "trigger_configuration.to: there is no member 9999999"),
            "text": ({"to": "Ada"}, "trigger_configuration.to: must be the number of a member"),
        },
    ),
    "tag_added": Case(
        lambda segment: {"tag": "vip"},
        lambda contact, segment: audience.add_tags([contact.pk], "vip"),
        lambda contact, segment: audience.add_tags([contact.pk], "new"),
        "When a contact gets the tag “vip”",
        {"long": ({"tag": "x" * 101}, "trigger_configuration.tag: must be at most 100 characters")},
    ),
    "tag_removed": Case(
        lambda segment: {"tag": "vip"},
        lambda contact, segment: [audience.add_tags([contact.pk], "vip"), audience.remove_tags([contact.pk], "vip")],
        lambda contact, segment: audience.add_tags([contact.pk], "vip"),
        "When a contact loses the tag “vip”",
        {"list": ({"tag": ["vip"]}, "trigger_configuration.tag: must be text, not a list")},
    ),
    "message_engaged": Case(
        lambda segment: {"what": "clicked", "channel": "sms", "url": "/pricing"},
        lambda contact, segment: _event(contact, "sms_clicked", url="https://example.org/pricing"),
        lambda contact, segment: _event(contact, "sms_clicked", url="https://example.org/"),
        "When a message by SMS is clicked, at a link that contains “/pricing”",
        {
            "what": ({"what": "eaten"}, "trigger_configuration.what: "),
            "channel": ({"what": "sent", "channel": "fax"}, "trigger_configuration.channel: must be one of email"),
            "campaign": ({"what": "sent", "campaign_id": 9_999_999}, "there is no campaign 9999999"),
            "workflow": ({"what": "sent", "automation_id": 9_999_999}, "there is no workflow 9999999"),
            "link": ({"what": "opened", "url": "/x"}, "trigger_configuration.url: only clicks have a link"),
        },
    ),
    "referral": Case(
        lambda segment: {"what": "signed_up", "role": "inviter", "program": "friends"},
        lambda contact, segment: _event(contact, "referral_signed_up", role="inviter", program="friends"),
        lambda contact, segment: _event(contact, "referral_signed_up", role="invitee", program="friends"),
        "When an invited friend signs up in the programme “friends”, for the one who invited them",
        {
            "what": ({}, "trigger_configuration.what: is missing"),
            "role": ({"what": "clicked", "role": "invitee"}, "trigger_configuration.role: whoever clicks is not"),
        },
    ),
    "event": Case(
        lambda segment: {
            "name": "order_completed",
            "where": [{"property": "total", "operator": "greater", "value": 100}],
        },
        lambda contact, segment: _event(contact, "order_completed", total=120),
        lambda contact, segment: _event(contact, "order_completed", total=80),
        "When order_completed happened with total is more than 100",
        {
            "which": ({}, "trigger_configuration.name: is missing"),
            "where": (
                {"name": "x", "where": [{"property": "total", "operator": "bigger", "value": 1}]},
                "trigger_configuration.where[0].operator: unknown operator",
            ),
            "age": ({"name": "x", "within_hours": 0}, "trigger_configuration.within_hours: must be from 1"),
        },
    ),
    "segment_entered": Case(
        lambda segment: {"segment_id": segment.pk},
        _enter,
        _set("status", "won"),
        "When a contact enters the segment “Friends”",
        {"unknown": ({"segment_id": 9_999_999}, "trigger_configuration.segment_id: there is no segment 9999999")},
    ),
    "segment_exited": Case(
        lambda segment: {"segment_id": segment.pk},
        _leave,
        _enter,
        "When a contact leaves the segment “Friends”",
        {"text": ({"segment_id": "1"}, "trigger_configuration.segment_id: must be a whole number, not text")},
    ),
    "prediction_crossed": Case(
        lambda segment: {"name": _predicted(), "line": 0.7},
        lambda contact, segment: [_predict(contact, 0.5), _predict(contact, 0.8), _predict(contact, 0.9)],
        lambda contact, segment: _predict(contact, 0.69),
        "When the prediction “Churn risk” reaches 0.7",
        {
            "unknown": (
                {"name": "nothing", "line": 1},
                "trigger_configuration.name: there is no prediction “nothing”",
            ),
            "neither": ({"name": "churn"}, "trigger_configuration.line: name a line or a band"),
        },
    ),
    "health_changed": Case(
        lambda segment: {"name": _predicted(), "becomes": "low"},
        lambda contact, segment: [_predict(contact, 0.9), _predict(contact, 0.1), _predict(contact, 0.2)],
        lambda contact, segment: _predict(contact, 0.4),
        "When the health of a contact becomes critical",
        {"unknown": ({}, "trigger_configuration.name: there is no prediction “health_score”; define it")},
    ),
    "schedule": Case(
        lambda segment: {"cron": "0 9 * * mon", "filter": making.where("name", "Ada")},
        lambda contact, segment: _later(days=8),
        lambda contact, segment: _later(minutes=0),
        "At 09:00 AM, only on Monday, only for contacts where name is “Ada”",
        {
            "when": ({}, "trigger_configuration.cron: is missing"),
            "words": ({"cron": "now and then"}, "trigger_configuration.cron: needs five parts"),
            "never": ({"cron": "0 0 30 2 *"}, "trigger_configuration.cron: This schedule never comes"),
            "zone": ({"cron": "0 9 * * *", "timezone": "Mars/Base"}, "configuration.timezone: there is no time zone"),
        },
    ),
    "date": Case(
        lambda segment: {"attribute": "attributes.renewal", "offset_days": -7, "time": "09:00"},
        lambda contact, segment: _renews(contact, 15, 10),
        lambda contact, segment: _renews(contact, 40, 4),
        "7 days before renewal, at 09:00 where the contact lives",
        {
            "which": ({"attribute": "city"}, "trigger_configuration.attribute: name a custom attribute that holds"),
            "time": (
                {"attribute": "created_at", "time": "noon"},
                "trigger_configuration.time: must be a time of day",
            ),
            "far": ({"attribute": "created_at", "offset_days": 9_999}, "offset_days: must be from -3,660 to 3,660"),
        },
    ),
    "webhook": Case(
        lambda segment: {"key": "leads", "where": [{"property": "plan", "operator": "equals", "value": "pro"}]},
        lambda contact, segment: _event(contact, "webhook_received", webhook="leads", plan="pro"),
        lambda contact, segment: _event(contact, "webhook_received", webhook="others", plan="pro"),
        "When another system calls the address “leads”",
        {
            "which": ({}, "trigger_configuration.key: is missing"),
            "key": ({"key": "New leads!"}, "trigger_configuration.key: must be 1 to 60 of the characters"),
            "whom": ({"key": "x", "user_id": "", "email": ""}, "trigger_configuration.email: say where the contact"),
        },
    ),
    "form": Case(
        lambda segment: {"key": "news", "title": "News", "questions": [EMAIL]},
        lambda contact, segment: _event(contact, "form_submitted", form="news"),
        lambda contact, segment: _event(contact, "form_submitted", form="other"),
        "When somebody sends the form “News”",
        {
            "key": ({"key": "/", "title": "x", "questions": [EMAIL]}, "trigger_configuration.key: must be 1 to 60"),
            "title": ({"key": "x", "title": " ", "questions": [EMAIL]}, "trigger_configuration.title: must be 1 to"),
            "nobody": ({"key": "x", "title": "x", "questions": []}, "configuration.questions: ask 1 to 20 questions"),
            "twice": (
                {"key": "x", "title": "x", "questions": [EMAIL, EMAIL]},
                "trigger_configuration.questions[1].name: “email” is asked twice",
            ),
            "name": (
                {"key": "x", "title": "x", "questions": [EMAIL, {"name": "form", "label": "x"}]},
                "trigger_configuration.questions[1].name: must be small letters",
            ),
        },
    ),
    "manual": Case(
        lambda segment: {},
        lambda contact, segment: services.start(Automation.objects.get(), [contact.pk]),
        _set("status", "won"),
        "When somebody starts it for a contact",
        {"spelling": ({"who": 1}, "trigger_configuration.who: unknown field")},
    ),
}
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
        _event(contact, "signup", number)
        drain()

    assert AutomationRun.objects.count() == 1


def test_again_lets_people_in_after_they_have_left_and_not_before(organization, drain) -> None:
    _make("event", {"name": "signup"}, entry_rule="again", actions=[making.wait(days=1)])
    contact = audience.create_contact(name="Ada")

    _event(contact, "signup", 1)
    drain()
    _event(contact, "signup", 2)
    drain()
    assert AutomationRun.objects.count() == 1
    with clock.travel(timedelta(days=2)):
        drain()
        _event(contact, "signup", 3)
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
        _event(contact, "signup")

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
