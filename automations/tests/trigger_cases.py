"""For every kind of trigger: what starts it, what only looks like it, and what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from accounts.models import Member
from audience import services as audience
from audience.models import Contact, PredictionDefinition
from audience.services import InternalEvent
from automations import services
from automations.models import Automation
from automations.services import turns
from automations.tests import making
from common import clock, tenancy
from segments import services as segments
from segments.models import Segment


@dataclass(frozen=True)
class Case:
    """What starts the trigger for a contact, what looks like it and does not, its words, wrong configurations."""

    good: Callable[[Segment], dict[str, Any]]
    hit: Callable[[Contact, Segment], Any]
    miss: Callable[[Contact, Segment], Any]
    sentence: str
    wrong: dict[str, tuple[dict[str, Any], str]] = field(default_factory=dict)


def record_event(contact: Contact, name: str, number: int = 1, **properties: Any) -> None:
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
        lambda contact, segment: record_event(contact, "sms_clicked", url="https://example.org/pricing"),
        lambda contact, segment: record_event(contact, "sms_clicked", url="https://example.org/"),
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
        lambda contact, segment: record_event(contact, "referral_signed_up", role="inviter", program="friends"),
        lambda contact, segment: record_event(contact, "referral_signed_up", role="invitee", program="friends"),
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
        lambda contact, segment: record_event(contact, "order_completed", total=120),
        lambda contact, segment: record_event(contact, "order_completed", total=80),
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
        lambda contact, segment: record_event(contact, "webhook_received", webhook="leads", plan="pro"),
        lambda contact, segment: record_event(contact, "webhook_received", webhook="others", plan="pro"),
        "When another system calls the address “leads”",
        {
            "which": ({}, "trigger_configuration.key: is missing"),
            "key": ({"key": "New leads!"}, "trigger_configuration.key: must be 1 to 60 of the characters"),
            "whom": ({"key": "x", "user_id": "", "email": ""}, "trigger_configuration.email: say where the contact"),
        },
    ),
    "form": Case(
        lambda segment: {"key": "news", "title": "News", "questions": [EMAIL]},
        lambda contact, segment: record_event(contact, "form_submitted", form="news"),
        lambda contact, segment: record_event(contact, "form_submitted", form="other"),
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
