"""Send a message of another channel than e-mail: SMS, WhatsApp, push, in-app, Slack, webhook."""

from __future__ import annotations

import msgspec

from audience.models import MessageChannel
from automations.configuration import Wrong
from automations.steps import send_email
from automations.steps.base import Group, Results, StepKind
from automations.words import quoted
from campaigns.models import EmailTemplate
from delivery import services as delivery


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """With `personalize` the properties of the event that started the run are at hand as `event`."""

    template_id: int
    personalize: bool = True

    @property
    def message(self) -> send_email.Configuration:
        return send_email.Configuration(self.template_id, personalize=self.personalize)


def _template(configuration: Configuration) -> EmailTemplate | None:
    others = EmailTemplate.objects.exclude(channel=MessageChannel.EMAIL)
    return others.filter(pk=configuration.template_id).first()


def check(configuration: Configuration, wrong: Wrong) -> None:
    template = _template(configuration)
    if template is None:
        wrong("template_id", f"there is no message template {configuration.template_id}")
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


STEP = StepKind(
    "Send message",
    "Queues an SMS, WhatsApp, push or in-app message, a Slack note or a webhook; consent, caps and quiet hours are "
    "looked at when it goes out.",
    Configuration,
    execute,
    sentence,
    check,
    publish,
)
