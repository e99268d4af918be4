"""For every kind of step: what is right, what it does and what is wrong."""

from datetime import date
from typing import Any

from audience.models import Contact
from automations.models import Notification, Task
from automations.tests import making
from automations.tests.step_world import Case, channel_case, offer, value_of
from campaigns.models import Target
from delivery.models import Message
from experiments.models import Assignment
from segments.models import Membership

CASES: dict[str, Case] = {
    "send_push": channel_case("push", "Push", "By push"),
    "send_sms": channel_case("sms", "SMS", "By sms"),
    "send_whatsapp": channel_case("whatsapp", "WhatsApp", "By whatsapp"),
    "send_in_app": channel_case("in_app", "In-app", "Hi there"),
    "send_webhook": channel_case("webhook", "Webhook", "By webhook"),
    "send_slack": channel_case("slack", "Slack", "By slack"),
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
        value_of("status"),
        lambda world: "qualified",
        {"number": ({"status": 1}, "actions[0].configuration.status: must be text, not a whole number")},
    ),
    "update_priority": Case(
        lambda world: {"priority": "urgent"},
        "Set the priority to urgent",
        value_of("priority"),
        lambda world: "urgent",
        {"unknown": ({"priority": "asap"}, "must be one of low, medium, high, urgent")},
    ),
    "assign": Case(
        lambda world: {"member_id": world.member.pk},
        "Assign to Olga Owner",
        value_of("assignee_id"),
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
        value_of("value_minor"),
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
        lambda world: {"offer_id": offer().pk},
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


def step_of(step: str, settings: dict[str, Any]) -> dict[str, Any]:
    """The step as a workflow writes it, with the branches that it must have."""
    action = {"action_type": step, "configuration": settings}
    return action | ({"branches": CASES[step].branches} if CASES[step].branches else {})
