"""Send an e-mail template through the one send path."""

from __future__ import annotations

from typing import Annotated

import msgspec
from django.db import transaction

from audience.models import Event, MessageChannel
from automations.configuration import Wrong, says
from automations.models import Automation
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted
from campaigns import services as campaigns
from campaigns.models import EmailTemplate
from common.errors import AppError, Invalid, Permanent
from delivery import services as delivery
from delivery.models import Content, SourceType

LONGEST_SUBJECT = 300
MOST_KEPT = 5000

# (published content, other subject) → content with that subject. Both never change, so each is compiled once.
_variants: dict[tuple[int, str], int] = {}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`subject` stands in for the template's own. With `personalize` the properties of the event that started
    the run are at hand in the template as `event`; the contact's own fields always are."""

    template_id: Annotated[int, says("E-mail", type="template", channel="email", examples=[12])]
    subject: Annotated[str, says("Subject", "Left empty, the template's own.")] = ""
    personalize: Annotated[
        bool, says("Use the event's properties", "The template reads them as event, such as {{ event.total }}.")
    ] = True


def check(configuration: Configuration, wrong: Wrong) -> None:
    if len(configuration.subject) > LONGEST_SUBJECT:
        wrong("subject", f"must be at most {LONGEST_SUBJECT} characters")
    template = EmailTemplate.objects.filter(pk=configuration.template_id).first()
    if template is None:
        wrong("template_id", f"there is no template {configuration.template_id}")
    elif template.channel != MessageChannel.EMAIL:
        wrong(
            "template_id", f"template {template.pk} {quoted(template.name)} is no e-mail; use the step send_message"
        )
    elif template.is_archived:
        wrong("template_id", f"template {template.pk} {quoted(template.name)} is archived; use another or a copy")


def publish(configuration: Configuration, wrong: Wrong) -> None:
    """A draft that was never published is published now, and the other subject is compiled."""
    template = EmailTemplate.objects.get(pk=configuration.template_id)
    try:
        if template.published is None:
            campaigns.publish_template(template)
    except AppError as error:
        wrong("template_id", f"template {template.pk} {quoted(template.name)} cannot be published: {_told(error)}")
        return
    try:
        content_id(configuration)
    except Invalid as error:
        wrong("subject", f"cannot be used: {_told(error)}")


def _told(error: AppError) -> str:
    return "; ".join([error.message, *(f"{place}: {text}" for place, text in error.details.items())])


def execute(configuration: Configuration, group: Group) -> Results:
    """One bulk insert of messages; the keys make a second try write nothing."""
    variables = _variables(group, personalize=configuration.personalize)
    weight, shelf_hours = Automation.objects.values_list("weight", "shelf_hours").get(pk=group.automation_id)
    delivery.queue(
        [delivery.Outgoing(run.contact_id, group.key(run), variables.get(run.id, {})) for run in group.runs],
        content_id=content_id(configuration),
        source_type=SourceType.AUTOMATION,
        source_id=group.automation_id,
        weight=weight,
        shelf_hours=shelf_hours,
    )
    return ALL_DONE


def content_id(configuration: Configuration) -> int:
    """What is sent: the template as it is published now, with the step's subject if it has one."""
    published = (
        EmailTemplate.objects.filter(pk=configuration.template_id).values_list("published__content_id", flat=True)
    ).first()
    if published is None:
        raise Permanent(f"There is no published template {configuration.template_id} any more.")
    if not configuration.subject:
        return int(published)
    key = (int(published), configuration.subject)
    if key in _variants:
        return _variants[key]
    content = Content.objects.get(pk=published)
    variant = delivery.publish_content(
        content.name,
        content.kind,
        configuration.subject,
        content.html,
        content.text,
        content.defaults,
        preheader=content.preheader,
        variants={locale: delivery.Variant(**words) for locale, words in content.variants.items()},
    )
    transaction.on_commit(lambda: _keep(key, variant.pk))
    return int(variant.pk)


def _keep(key: tuple[int, str], content_id: int) -> None:
    if len(_variants) >= MOST_KEPT:
        _variants.clear()
    _variants[key] = content_id


def _variables(group: Group, *, personalize: bool) -> dict[int, dict[str, object]]:
    """run id → what its messages may name: the event that started it, and the offer that a step gave."""
    found = _event_variables(group) if personalize else {}
    for run in group.runs:
        if '"offer"' in run.facts_json and (offer := run.facts.get("offer")):
            found.setdefault(run.id, {})["offer"] = offer
    return found


def _event_variables(group: Group) -> dict[int, dict[str, object]]:
    """run id → variables, for runs that an event started. One query for the group, none without events."""
    events = {run.id: facts["event"] for run in group.runs if "event" in (facts := run.facts)}
    if not events:
        return {}
    moments = [event["happened_at"] for event in events.values()]
    rows = Event.objects.filter(
        id__in={event["id"] for event in events.values()}, happened_at__range=(min(moments), max(moments))
    )
    properties = dict(rows.values_list("id", "properties"))
    return {run_id: {"event": properties.get(event["id"], {})} for run_id, event in events.items()}


def sentence(configuration: Configuration) -> str:
    template = EmailTemplate.objects.filter(pk=configuration.template_id).first()
    name = quoted(template.name) if template else f"template {configuration.template_id} (deleted)"
    subject = f" with the subject {quoted(configuration.subject)}" if configuration.subject else ""
    return f"Send the e-mail {name}{subject}"


STEP = StepKind(
    "Send e-mail",
    "Queues a template for the contact; consent, caps and quiet hours are looked at when it goes out.",
    Configuration,
    execute,
    sentence,
    check,
    publish,
    group="Messages",
)
