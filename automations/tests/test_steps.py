"""Every kind of step goes through the same cases."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Member
from audience.models import Contact
from automations import configuration, services
from automations.models import Automation, AutomationRun, Notification, RunStatus, Task
from automations.selectors import reports
from automations.steps import STEPS
from automations.tests import making
from campaigns.models import Campaign, CampaignStatus, EmailTemplate, Offer, Target
from common import clock
from common.errors import Invalid
from delivery.models import Message, Provider
from delivery.services import save_provider
from experiments import services as experiments
from experiments.models import Assignment, Experiment
from segments import services as segments
from segments.models import Membership, Segment

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class Case:
    """A step's good configuration, its words, what it wrote per contact, and wrong configurations with the answer."""

    good: Callable[["World"], dict[str, Any]]
    sentence: str
    written: Callable[[Contact], Any]
    expected: Callable[["World"], Any]
    wrong: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)
    branches: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    member: Member
    template_id: int
    stranger_template_id: int
    message_template_id: int
    segment: Segment
    other: Automation


def _value(name: str) -> Callable[[Contact], Any]:
    return lambda contact: getattr(Contact.objects.get(pk=contact.pk), name)


TWILIO = {"account_sid": "AC1", "auth_token": "t", "sender": "+15005550006"}
CHANNELS: dict[str, Any] = {
    "push": ("web_push", {"subject": "mailto:a@example.org"}, {"title": "Hi", "body": "there"}),
    "sms": ("twilio", TWILIO, {"text": "Hi"}),
    "whatsapp": ("twilio", TWILIO, {"text": "Hi"}),
    "webhook": (
        "webhook",
        {"url": "https://example.org/x", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
        {"type": "won", "data": {"email": "{{ contact.email }}"}},
    ),
    "slack": ("slack", {"webhook_url": "https://hooks.slack.com/services/T/B/x"}, {"text": "Won"}),
}


def _template_of(channel: str) -> int:
    """A template of the channel, with a provider that sends it."""
    found = EmailTemplate.objects.filter(channel=channel).first()
    if found is None:
        kind, settings, fields = CHANNELS[channel]
        save_provider(Provider(channel=channel, kind=kind, name=f"Our {channel}"), settings)
        found = making.template(
            name=f"By {channel}", slug=channel, subject="", html="", channel=channel, fields=fields
        )
    return found.pk


def _offer() -> Offer:
    """An offer with a code for each person, of a campaign that runs."""
    campaign, _ = Campaign.objects.get_or_create(name="Spring", status=CampaignStatus.ACTIVE)
    offer, _ = Offer.objects.get_or_create(campaign=campaign, kind="discount", value=10, codes="generated")
    return offer


def _channel_case(channel: str, label: str, name: str) -> Case:
    """The same step for a channel of its own."""
    return Case(
        lambda world: {"template_id": _template_of(channel)},
        f"Send the {label} message “{name}”",
        lambda contact: list(Message.objects.filter(contact=contact).values_list("channel", "source_type")),
        lambda world: [(channel, "automation")],
        {"unknown": ({"template_id": 9_999_999}, "there is no message template 9999999")},
    )


CASES: dict[str, Case] = {
    "send_push": _channel_case("push", "Push", "By push"),
    "send_sms": _channel_case("sms", "SMS", "By sms"),
    "send_whatsapp": _channel_case("whatsapp", "WhatsApp", "By whatsapp"),
    "send_in_app": _channel_case("in_app", "In-app", "Hi there"),
    "send_webhook": _channel_case("webhook", "Webhook", "By webhook"),
    "send_slack": _channel_case("slack", "Slack", "By slack"),
    "send_email": Case(
        lambda world: {"template_id": world.template_id, "subject": "Welcome", "personalize": True},
        "Send the e-mail “Hello” with the subject “Welcome”",
        lambda contact: list(Message.objects.filter(contact=contact).values_list("content__subject", "source_type")),
        lambda world: [("Welcome", "automation")],
        {
            "nothing": ({}, "actions[0].configuration.template_id: is missing"),
            "text": ({"template_id": "x"}, "actions[0].configuration.template_id: must be a whole number, not text"),
            "unknown": ({"template_id": 9_999_999}, "there is no template 9999999"),
            "spelling": ({"template_id": 1, "subjct": ""}, "actions[0].configuration.subjct: unknown field; known: "),
        },
    ),
    "send_message": Case(
        lambda world: {"template_id": world.message_template_id},
        "Send the In-app message “Hi there”",
        lambda contact: list(Message.objects.filter(contact=contact).values_list("channel", "content__subject")),
        lambda world: [("in_app", "Hi there")],
        {
            "nothing": ({}, "actions[0].configuration.template_id: is missing"),
            "text": ({"template_id": "x"}, "actions[0].configuration.template_id: must be a whole number, not text"),
            "unknown": ({"template_id": 9_999_999}, "there is no message template 9999999"),
        },
    ),
    "wait": Case(
        lambda world: {"days": 1, "hours": 2},
        "Wait 1 day 2 hours",
        lambda contact: None,
        lambda world: None,
        {
            "nothing": ({}, "actions[0].configuration: say how long to wait"),
            "back": ({"days": -1}, "actions[0].configuration.days: must be from 0"),
            "for ever": ({"days": 10_000}, "at most five years"),
        },
    ),
    "wait_until": Case(
        lambda world: {"rule": making.where("city", "Leeds"), "timeout": {"days": 3}},
        "Wait until city is “Leeds”, at most 3 days",
        lambda contact: None,
        lambda world: None,
        {
            "no time-out": ({"rule": making.where("city", "Leeds")}, "actions[0].configuration.timeout: is missing"),
            "empty time-out": (
                {"rule": making.where("city", "Leeds"), "timeout": {}},
                "actions[0].configuration.timeout: say how long to wait",
            ),
            "bad rule": (
                {"rule": making.where("colour", "red"), "timeout": {"days": 1}},
                "actions[0].configuration.rule.field: unknown field",
            ),
        },
        branches={"met": [], "timed_out": []},
    ),
    "repeat": Case(
        lambda world: {"until": making.where("city", "Leeds"), "most": 3},
        "Repeat until city is “Leeds”, 3 times at most",
        lambda contact: None,
        lambda world: None,
        {
            "no rule": ({}, "actions[0].configuration.until: is missing"),
            "for ever": (
                {"until": making.where("city", "Leeds"), "most": 101},
                "actions[0].configuration.most: must be from 1 to 100 turns",
            ),
        },
        branches={"body": []},
    ),
    "branch": Case(
        lambda world: {"rule": making.where("city", "Leeds")},
        "If city is “Leeds”",
        lambda contact: None,
        lambda world: None,
        {
            "no rule": ({}, "actions[0].configuration.rule: is missing"),
            "bad rule": (
                {"rule": {"match": "all", "rules": [making.where("colour", "red")]}},
                "actions[0].configuration.rule.rules[0].field: unknown field",
            ),
        },
        branches={"then": [], "otherwise": []},
    ),
    "experiment": Case(
        lambda world: {"experiment": "paths"},
        "Experiment “Paths”: each contact goes one arm's way",
        lambda contact: list(
            Assignment.objects.filter(contact=contact, exposed_at__isnull=False).values_list("experiment__status")
        ),
        lambda world: [("running",)],
        {
            "nothing": ({}, "actions[0].configuration.experiment: is missing"),
            "unknown": ({"experiment": "nowhere"}, "there is no experiment “nowhere”"),
        },
        branches={"short": [], "long": []},
    ),
    "add_tag": Case(
        lambda world: {"tag": "new"},
        "Add the tag “new”",
        lambda contact: sorted(Contact.objects.get(pk=contact.pk).tags),
        lambda world: ["new", "old"],
        {"empty": ({"tag": " "}, "actions[0].configuration.tag: must be 1 to 100 characters")},
    ),
    "remove_tag": Case(
        lambda world: {"tag": "old"},
        "Remove the tag “old”",
        lambda contact: sorted(Contact.objects.get(pk=contact.pk).tags),
        lambda world: [],
        {"empty": ({"tag": ""}, "actions[0].configuration.tag: must be 1 to 100 characters")},
    ),
    "update_status": Case(
        lambda world: {"status": "qualified"},
        "Set the status to “qualified”",
        _value("status"),
        lambda world: "qualified",
        {"number": ({"status": 1}, "actions[0].configuration.status: must be text, not a whole number")},
    ),
    "update_priority": Case(
        lambda world: {"priority": "urgent"},
        "Set the priority to urgent",
        _value("priority"),
        lambda world: "urgent",
        {"unknown": ({"priority": "asap"}, "must be one of low, medium, high, urgent")},
    ),
    "assign": Case(
        lambda world: {"member_id": world.member.pk},
        "Assign to Olga Owner",
        _value("assignee_id"),
        lambda world: world.member.pk,
        {
            "nobody": ({}, "actions[0].configuration.member_id: name the member"),
            "unknown": ({"member_id": 9_999_999}, "there is no active member 9999999"),
            "nobody in turn": ({"method": "round_robin"}, "actions[0].configuration.member_ids: name 1 to 200"),
        },
    ),
    "create_task": Case(
        lambda world: {
            "task_type": "follow_up",
            "title": "Follow up",
            "due_date": "2027-01-31",
            "assignee_id": world.member.pk,
        },
        "Create the task “Follow up” for Olga Owner, due 2027-01-31",
        lambda contact: list(
            Task.objects.filter(contact=contact).values_list("title", "task_type", "due_date", "assignee_id")
        ),
        lambda world: [("Follow up", "follow_up", date(2027, 1, 31), world.member.pk)],
        {
            "no title": ({}, "actions[0].configuration.title: is missing"),
            "date": ({"title": "x", "due_date": "soon"}, 'must be a date such as "2027-01-31"'),
            "member": ({"title": "x", "assignee_id": 9_999_999}, "there is no active member 9999999"),
        },
    ),
    "notify": Case(
        lambda world: {"message": "Look!", "to": "member", "member_id": world.member.pk},
        "Tell Olga Owner: “Look!”",
        lambda contact: list(Notification.objects.filter(contact=contact).values_list("message", "member_id")),
        lambda world: [("Look!", world.member.pk)],
        {
            "whom": ({"message": "x", "to": "member"}, "actions[0].configuration.member_id: name the member"),
            "to": ({"message": "x", "to": "boss"}, "actions[0].configuration.to: "),
        },
    ),
    "update_attribute": Case(
        lambda world: {"attribute": "attributes.plan", "value": "pro"},
        "Set plan to “pro”",
        lambda contact: Contact.objects.get(pk=contact.pk).attributes,
        lambda world: {"plan": "pro"},
        {
            "which": ({}, "actions[0].configuration.attribute: is missing"),
            "what": ({"attribute": "attributes.plan"}, "actions[0].configuration.value: is missing"),
            "text": ({"attribute": "attributes.x", "change": "add", "value": "1"}, "must be a number to add"),
            "field": ({"attribute": "colour", "value": "red"}, "`colour` is no field of a contact"),
            "place": ({"attribute": "city", "value": [1]}, "configuration.value: `city` must be text, not list"),
            "number": ({"attribute": "city", "change": "add", "value": 1}, "“city” holds no number"),
            "status": ({"attribute": "status", "value": "won"}, "use the step update_status"),
            "name": ({"attribute": "email", "value": "a@example.org"}, "names one person"),
        },
    ),
    "update_value": Case(
        lambda world: {"change": "add", "amount": 1250},
        "Add 12.50 to the value",
        _value("value_minor"),
        lambda world: 1250,
        {"less": ({"amount": -1}, "actions[0].configuration.amount: a contact is worth 0 or more")},
    ),
    "add_to_segment": Case(
        lambda world: {"segment_id": world.segment.pk},
        "Add to the segment “Friends”",
        lambda contact: list(Membership.objects.filter(contact=contact, left_at=None).values_list("segment__slug")),
        lambda world: [("friends",)],
        {
            "unknown": ({"segment_id": 9_999_999}, "there is no segment 9999999"),
            "text": ({"segment_id": "x"}, "actions[0].configuration.segment_id: must be a whole number, not text"),
        },
    ),
    "remove_from_segment": Case(
        lambda world: {"segment_id": world.segment.pk},
        "Remove from the segment “Friends”",
        lambda contact: Membership.objects.filter(contact=contact, left_at=None).count(),
        lambda world: 0,
        {"nothing": ({}, "actions[0].configuration.segment_id: is missing")},
    ),
    "wait_for_time": Case(
        lambda world: {"time": "09:00", "weekdays": ["mon", "tue", "wed", "thu", "fri"]},
        "Wait until it is 09:00 where the contact lives, on weekdays",
        lambda contact: None,
        lambda world: None,
        {
            "nothing": ({}, "actions[0].configuration.time: is missing"),
            "time": ({"time": "9 o'clock"}, "configuration.time: must be a time of day such as"),
            "day": ({"time": "09:00", "weekdays": ["someday"]}, "configuration.weekdays[0]: must be one of mon, tue"),
        },
    ),
    "wait_for_date": Case(
        lambda world: {"attribute": "attributes.renewal", "offset_days": -3, "time": "09:00"},
        "Wait until 3 days before renewal, 09:00 where the contact lives",
        lambda contact: None,
        lambda world: None,
        {
            "which": ({"attribute": "city"}, "configuration.attribute: name a custom attribute that holds a date"),
            "far": ({"attribute": "attributes.x", "offset_days": 9999}, "offset_days: must be from -3,660 to 3,660"),
        },
    ),
    "branch_many": Case(
        lambda world: {"ways": [{"name": "Local", "rule": making.where("city", "Leeds")}]},
        "By the first that holds: “Local” if city is “Leeds”",
        lambda contact: None,
        lambda world: None,
        {
            "none": ({"ways": []}, "configuration.ways: needs 1 to 20 ways"),
            "rule": (
                {"ways": [{"name": "Local", "rule": making.where("colour", "red")}]},
                "actions[0].configuration.ways[0].rule.field: unknown field",
            ),
            "taken": (
                {"ways": [{"name": "otherwise", "rule": making.where("city", "Leeds")}]},
                "configuration.ways[0].name: “otherwise” names two ways",
            ),
        },
        branches={"Local": [], "otherwise": []},
    ),
    "random_split": Case(
        lambda world: {"ways": [{"name": "A", "weight": 70}, {"name": "B", "weight": 30}]},
        "By chance: 70% “A”, 30% “B”",
        lambda contact: None,
        lambda world: None,
        {
            "one": ({"ways": [{"name": "A"}]}, "configuration.ways: needs 2 to 20 ways"),
            "twice": ({"ways": [{"name": "A"}, {"name": "A"}]}, "ways[1].name: “A” names two ways"),
            "shut": (
                {"ways": [{"name": "A", "weight": 0}, {"name": "B", "weight": 0}]},
                "configuration.ways: give one of the ways a weight",
            ),
            "dot": ({"ways": [{"name": "A.b"}, {"name": "C"}]}, "ways[0].name: must be 1 to 20 characters without"),
        },
        branches={"A": [], "B": []},
    ),
    "give_points": Case(
        lambda world: {"points": 100},
        "Give 100 points",
        lambda contact: None,
        lambda world: None,
        {"none": ({"points": 0}, "actions[0].configuration.points: must be from 1")},
    ),
    "give_reward": Case(
        lambda world: {"kind": "credit", "amount": 500, "currency": "EUR"},
        "Give 5.00 EUR store credit, once a colleague approves it",
        lambda contact: None,
        lambda world: None,
        {
            "kind": ({"kind": "gold", "amount": 1}, "actions[0].configuration.kind: "),
            "amount": ({"kind": "cash", "amount": -1}, "actions[0].configuration.amount: must be from 1"),
            "currency": ({"kind": "cash", "amount": 1, "currency": "euro"}, "currency: must be a code of three"),
        },
    ),
    "give_offer": Case(
        lambda world: {"offer_id": _offer().pk},
        "Give the offer “10.00 percent discount” of “Spring”",
        lambda contact: list(Target.objects.filter(contact=contact).values_list("campaign__name", "status")),
        lambda world: [("Spring", "eligible")],
        {"unknown": ({"offer_id": 9_999_999}, "there is no offer 9999999")},
    ),
    "next_best_action": Case(
        lambda world: {"ways": [{"name": "A"}, {"name": "B", "worth": 2}], "rest_days": 7},
        "Whichever promises most of “A”, “B”, none twice within 7 days",
        lambda contact: None,
        lambda world: None,
        {
            "one": ({"ways": [{"name": "A"}]}, "configuration.ways: needs 2 to 20 ways"),
            "worth": ({"ways": [{"name": "A", "worth": 0}, {"name": "B"}]}, "ways[0].worth: must be more than 0"),
            "rest": ({"ways": [{"name": "A"}, {"name": "B"}], "rest_days": -1}, "rest_days: must be from 0 to 365"),
            "rule": (
                {"ways": [{"name": "A", "rule": making.where("colour", "red")}, {"name": "B"}]},
                "configuration.ways[0].rule.field: unknown field",
            ),
        },
        branches={"A": [], "B": [], "otherwise": []},
    ),
    "emit_event": Case(
        lambda world: {"name": "nurtured", "properties": {"plan": "pro"}},
        "Record the event “nurtured” with plan “pro”",
        lambda contact: None,
        lambda world: None,
        {
            "nothing": ({}, "actions[0].configuration.name: is missing"),
            "ours": ({"name": "x", "properties": {"automation_id": 1}}, "properties.automation_id: is written by us"),
        },
    ),
    "start_automation": Case(
        lambda world: {"automation_id": world.other.pk},
        "Start the workflow “Other”",
        lambda contact: None,
        lambda world: None,
        {"unknown": ({"automation_id": 9_999_999}, "there is no workflow 9999999")},
    ),
    "exit": Case(
        lambda world: {"reason": "enough"},
        "Leave the workflow (enough)",
        lambda contact: None,
        lambda world: None,
        {"spelling": ({"why": "x"}, "actions[0].configuration.why: unknown field; known: reason")},
    ),
}
WRONG = [(step, name) for step, case in CASES.items() for name in case.wrong]


@pytest.fixture
def world(organization, stranger, owner) -> World:
    from common import tenancy

    with tenancy.organization(stranger.pk):
        theirs = making.template(name="Theirs").pk
    banner = {"placement": "banner", "title": "Hi there"}
    message = making.template(name="Hi there", slug="hi", subject="", html="", channel="in_app", fields=banner)
    experiments.create_experiment({"name": "Paths"}, [experiments.ArmDraft("short"), experiments.ArmDraft("long")])
    segment = segments.create_segment(name="Friends", kind="static")
    other = making.automation(name="Other", is_active=False)
    return World(owner, making.template().pk, theirs, message.pk, segment, other)


def _action(step: str, settings: dict[str, Any]) -> dict[str, Any]:
    action = {"action_type": step, "configuration": settings}
    return action | ({"branches": CASES[step].branches} if CASES[step].branches else {})


def test_every_step_has_a_case() -> None:
    assert CASES.keys() == STEPS.keys()


@pytest.mark.parametrize("step", CASES)
def test_a_step_does_its_work_for_the_whole_group_in_constant_statements(step: str, world: World) -> None:
    case = CASES[step]
    counts = []
    for size in (2, 60):
        automation = making.automation(_action(step, case.good(world)), name=f"{step.replace('_', '-')} {size}")
        people = making.contacts(size, tags=["old"])
        services.start(automation, [person.pk for person in people])
        with CaptureQueriesContext(connection) as queries:
            making.work()
        counts.append(len(queries))
        if not step.startswith("wait"):
            assert set(automation.runs.values_list("status", "attempts")) <= {
                (RunStatus.COMPLETED, 0),
                (RunStatus.EXITED, 0),
            }
        assert [case.written(person) for person in people] == [case.expected(world)] * size
    assert counts[1] <= counts[0], "\n".join(query["sql"][:150] for query in queries)


@pytest.mark.parametrize("step", CASES)
def test_a_step_says_what_it_does(step: str, world: World) -> None:
    kind = STEPS[step]

    assert kind.sentence(configuration.read(kind.configuration, CASES[step].good(world))) == CASES[step].sentence
    assert kind.label
    assert kind.doc.endswith(".")


@pytest.mark.parametrize(("step", "name"), WRONG)
def test_a_wrong_configuration_is_refused_with_its_place_and_writes_nothing(step, name, world) -> None:
    settings, answer = CASES[step].wrong[name]

    with pytest.raises(Invalid) as refusal:
        making.automation(_action(step, settings))

    told = [f"{place}: {sentence}" for place, sentence in refusal.value.details.items()]
    assert any(answer in line for line in told), told
    assert all(line.startswith(("actions[0].configuration", "actions[0].branches")) for line in told)
    assert not AutomationRun.objects.exists()
    assert not Automation.objects.exclude(pk=world.other.pk).exists()


def test_another_organisations_template_is_not_there(world: World) -> None:
    with pytest.raises(Invalid, match=f"there is no template {world.stranger_template_id}"):
        making.automation(_action("send_email", {"template_id": world.stranger_template_id}))


def test_paths_of_an_experiment_are_drawn_once_and_settled_at_its_end(world: World) -> None:
    arms = {"short": [{"action_type": "add_tag", "configuration": {"tag": "short"}}], "long": []}
    automation = making.automation(
        {"action_type": "experiment", "configuration": {"experiment": "paths"}, "branches": arms}
    )
    made = Experiment.objects.get()
    assert made.status == "running", "a draft begins with the workflow"
    people = making.contacts(40)
    services.start(automation, [person.pk for person in people[:30]])
    making.work()

    drawn = dict(Assignment.objects.values_list("contact_id", "arm__key"))
    tagged = {person.pk for person in Contact.objects.filter(tags__contains=["short"])}
    assert tagged == {contact_id for contact_id, arm in drawn.items() if arm == "short"}
    assert 0 < len(tagged) < 30
    experiments.stop(made, winner=made.arms.get(key="long"))
    services.start(automation, [person.pk for person in people[30:]])
    making.work()
    assert Assignment.objects.count() == 30
    assert Contact.objects.filter(tags__contains=["short"]).count() == len(tagged), "the winner's way, for everybody"


def test_the_branches_of_an_experiment_are_its_arms(world: World) -> None:
    wrong = {
        "action_type": "experiment",
        "configuration": {"experiment": "paths"},
        "branches": {"short": [], "x": []},
    }
    with pytest.raises(Invalid) as refused:
        making.automation(wrong)
    assert refused.value.details == {
        "actions[0].branches.x": "experiment has no such branch; it has short and long",
        "actions[0].branches.long": "is missing; give it a list of steps, which may be empty",
    }
    assert Experiment.objects.get().status == "draft"


def test_a_draft_template_is_published_with_the_workflow(world: World) -> None:
    from campaigns.models import EmailTemplate

    making.automation(_action("send_email", {"template_id": world.template_id}))

    assert EmailTemplate.objects.get(pk=world.template_id).published is not None


def test_a_template_that_cannot_be_published_is_refused(world: World) -> None:
    broken = making.template(slug="broken", html="<p>{% for %}</p>")

    with pytest.raises(Invalid, match=r"actions\[0\].configuration.template_id: .*cannot be published"):
        making.automation(_action("send_email", {"template_id": broken.pk}))


def test_a_subject_that_is_no_template_is_refused(world: World) -> None:
    with pytest.raises(Invalid, match=r"actions\[0\].configuration.subject: cannot be used"):
        making.automation(_action("send_email", {"template_id": world.template_id, "subject": "Hi {{ contact."}))


def test_round_robin_goes_on_where_it_stopped_and_survives_a_new_version(world: World) -> None:
    users = [accounts.ensure_user(f"agent{number}@acme.example") for number in range(2)]
    agents = [accounts.add_member(user, Role.AGENT) for user in users]
    action = _action("assign", {"method": "round_robin", "member_ids": [agent.pk for agent in agents]})
    automation = making.automation(action)
    people = making.contacts(5)

    services.start(automation, [person.pk for person in people[:3]])
    making.work()
    services.update_automation(automation, {"actions": [action, making.EXIT]})
    services.start(automation, [person.pk for person in people[3:]])
    making.work()

    turns = [Contact.objects.get(pk=person.pk).assignee_id for person in people]
    first, second = agents[0].pk, agents[1].pk
    assert turns == [first, second, first, second, first]


def test_a_colleague_who_left_gets_nothing_and_the_run_waits_among_the_dead_letters(world: World) -> None:
    automation = making.automation(_action("assign", {"member_id": world.member.pk}))
    Member.objects.update(is_active=False)
    services.start(automation, [making.contact().pk])

    making.work()

    run = AutomationRun.objects.get()
    assert run.status == RunStatus.FAILED
    assert "has a seat any more" in run.error


def test_a_task_without_assignee_goes_to_the_contacts_own_and_is_due_days_later(world: World) -> None:
    automation = making.automation(making.task(due_date=3))
    mine, nobodys = making.contact(assignee=world.member), making.contact()
    services.start(automation, [mine.pk, nobodys.pk])

    making.work()

    task = mine.tasks.get()
    assert task.assignee == world.member
    assert task.due_date == (clock.now() + timedelta(days=3)).date()
    assert nobodys.tasks.get().assignee is None


def test_nobody_is_notified_about_a_contact_nobody_is_assigned_to(world: World) -> None:
    automation = making.automation(_action("notify", {"message": "Look!"}))
    services.start(automation, [making.contact().pk])

    making.work()

    assert not Notification.objects.exists()
    assert making.outcomes(AutomationRun.objects.get()) == [("notify_1", "skipped")]


def test_the_outline_tells_the_workflow_in_words(world: World) -> None:
    automation = making.automation(
        making.branch(making.where("city", "Leeds"), [making.TAG], []),
        making.EXIT | {"is_active": False},
        trigger_type="status_changed",
        trigger_configuration={"to": "won", "filter": making.where("country", "GB")},
        entry_rule="again",
    )

    lines = reports.outline(automation.current_version)

    assert [(line.depth, line.text, line.is_active) for line in lines] == [
        (0, "When status changes to “won”, only for contacts where country is “GB”", True),
        (0, "Contacts may enter again after they have left", True),
        (0, "If city is “Leeds”", True),
        (1, "Then:", True),
        (2, "Add the tag “met”", True),
        (1, "Otherwise:", True),
        (2, "Go on", True),
        (0, "Leave the workflow", False),
    ]
