"""Send a message of another channel than e-mail: SMS, WhatsApp, push, in-app, Slack, webhook.

One implementation: a step for each channel, and one for whichever channel its template is of.
"""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any, cast

import msgspec

from audience.models import MessageChannel
from automations.configuration import Wrong, says
from automations.steps import send_email
from automations.steps.base import Group, Results, StepKind
from automations.words import quoted
from campaigns.models import EmailTemplate
from delivery import services as delivery

EVENT = says("Use the event's properties", "The template reads them as event, such as {{ event.total }}.")


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `personalize` the properties of the event that started the run are at hand as `event`."""

    template_id: Annotated[int, says("Message", type="template", examples=[14])]
    personalize: Annotated[bool, EVENT] = True

    @property
    def message(self) -> send_email.Configuration:
        return send_email.Configuration(self.template_id, personalize=self.personalize)


def _template(configuration: Configuration) -> EmailTemplate | None:
    others = EmailTemplate.objects.exclude(channel=MessageChannel.EMAIL)
    return others.filter(pk=configuration.template_id).first()


def check(configuration: Configuration, wrong: Wrong, channel: str = "") -> None:
    template = _template(configuration)
    if template is None:
        wrong("template_id", f"there is no message template {configuration.template_id}")
    elif channel and template.channel != channel:
        own, wanted = delivery.CHANNELS[template.channel].label, delivery.CHANNELS[channel].label
        wrong("template_id", f"template {template.pk} {quoted(template.name)} is of {own}; choose one of {wanted}")
    elif template.is_archived:
        wrong("template_id", f"template {template.pk} {quoted(template.name)} is archived; use another or a copy")
    elif nothing := delivery.no_way_for(template.channel):
        wrong("template_id", nothing)


def publish(configuration: Configuration, wrong: Wrong) -> None:
    send_email.publish(configuration.message, wrong)


def execute(configuration: Configuration, group: Group) -> Results:
    """One bulk insert of messages; the keys make a second try write nothing."""
    return send_email.execute(configuration.message, group)


def sentence(configuration: Configuration) -> str:
    template = _template(configuration)
    if template is None:
        return f"Send the message template {configuration.template_id} (deleted)"
    return f"Send the {delivery.CHANNELS[template.channel].label} message {quoted(template.name)}"


def _of_channel(channel: str) -> type[Configuration]:
    """The same configuration, whose template the catalogue chooses among those of the channel."""
    template_id = Annotated[int, says("Message", type="template", channel=channel, examples=[14])]
    fields: list[tuple[str, Any, Any] | tuple[str, Any]] = [
        ("template_id", template_id),
        ("personalize", Annotated[bool, EVENT], True),
    ]
    struct = msgspec.defstruct(
        f"{channel.title()}Configuration", fields, bases=(Configuration,), frozen=True, forbid_unknown_fields=True
    )
    return cast(type[Configuration], struct)


def _kind(channel: str, label: str, doc: str) -> StepKind[Configuration]:
    return StepKind(
        label,
        doc,
        _of_channel(channel),
        execute,
        sentence,
        partial(check, channel=channel),
        publish,
        group="Messages",
    )


LATER = "consent, caps and quiet hours are looked at when it goes out."
STEP = StepKind(
    "Send message",
    f"Queues a message of whichever channel its template is made for; {LATER}",
    Configuration,
    execute,
    sentence,
    check,
    publish,
    group="Messages",
)
PUSH = _kind("push", "Send push", f"Queues a push notification for the contact's devices; {LATER}")
SMS = _kind("sms", "Send SMS", f"Queues a text message to the contact's phone; {LATER}")
WHATSAPP = _kind("whatsapp", "Send WhatsApp", f"Queues a WhatsApp message; {LATER}")
IN_APP = _kind("in_app", "Show in the app", f"Queues an in-app message, seen with the next visit; {LATER}")
WEBHOOK = _kind("webhook", "Call a webhook", "Queues a request to another system, tried again until it answers.")
SLACK = _kind("slack", "Post to Slack", "Queues a note in a channel of Slack, for colleagues.")
