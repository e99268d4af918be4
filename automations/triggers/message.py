"""What became of a message: sent, opened, clicked, bounced … Opens and clicks of machines are no events."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from audience.message_events import MessageEvent, name_of
from audience.models import MessageChannel
from automations.configuration import Filter, Wrong, says
from automations.models import Automation
from automations.triggers.base import TriggerKind
from automations.triggers.event import admits, check_age, key_of
from automations.words import quoted
from campaigns.models import Campaign, EmailTemplate
from campaigns.selectors import contents_of

WORDS = {
    "sent": "is sent",
    "opened": "is opened",
    "clicked": "is clicked",
    "bounced": "bounces",
    "complained": "is called spam",
    "unsubscribed": "makes a contact unsubscribe",
    "dismissed": "is dismissed",
}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers the two questions that an event trigger does: `name` and `where`."""

    what: Annotated[
        Literal["sent", "opened", "clicked", "bounced", "complained", "unsubscribed", "dismissed"],
        says(
            "What happened",
            "Opens and clicks of machines do not count. Replies go to your own mailbox or phone and are not on record"
            " here; an SMS answered with STOP is an unsubscription of the contact.",
            examples=["clicked"],
        ),
    ]
    channel: Annotated[
        str, says("Channel", type="choice", labels=dict(MessageChannel.choices), examples=["email"])
    ] = "email"
    template_id: Annotated[
        int | None, says("Only this message", "Any of its versions.", type="template", channel="any")
    ] = None
    campaign_id: Annotated[int | None, says("Only of the campaign", type="choice", source="campaign")] = None
    automation_id: Annotated[int | None, says("Only of the workflow", type="automation")] = None
    url: Annotated[str, says("Only links that contain", "For clicks.")] = ""
    within_hours: Annotated[
        int, says("Not older than, hours", "Older reports start nothing.", minimum=1, maximum=8784)
    ] = 72
    filter: Filter = None

    @property
    def name(self) -> str:
        """The event it waits for."""
        return name_of(self.channel, MessageEvent(self.what))

    @property
    def where(self) -> list[dict[str, Any]]:
        """Its properties, as segment rules spell them."""
        ids = {"campaign_id": self.campaign_id, "automation_id": self.automation_id}
        found: list[dict[str, Any]] = [
            {"property": name, "operator": "equals", "value": value} for name, value in ids.items() if value
        ]
        if self.template_id is not None:
            found.append({"property": "content_id", "operator": "in", "value": contents_of(self.template_id) or [0]})
        if self.url:
            found.append({"property": "url", "operator": "contains", "value": self.url})
        return found


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_age(configuration.within_hours, wrong)
    if configuration.channel not in MessageChannel.values:
        wrong("channel", f"must be one of {', '.join(MessageChannel.values)}")
    if configuration.url and configuration.what != MessageEvent.CLICKED:
        wrong("url", "only clicks have a link; leave it empty")
    template = _template(configuration)
    if configuration.template_id is not None and template is None:
        wrong("template_id", f"there is no template {configuration.template_id}")
    elif template is not None and template.channel != configuration.channel:
        wrong(
            "template_id", f"{quoted(template.name)} does not go by {configuration.channel}; choose another channel"
        )
    campaign_id, automation_id = configuration.campaign_id, configuration.automation_id
    if campaign_id is not None and not Campaign.objects.filter(pk=campaign_id).exists():
        wrong("campaign_id", f"there is no campaign {campaign_id}")
    if automation_id is not None and not Automation.objects.filter(pk=automation_id).exists():
        wrong("automation_id", f"there is no workflow {automation_id}")


def _template(configuration: Configuration) -> EmailTemplate | None:
    number = configuration.template_id
    return None if number is None else EmailTemplate.objects.filter(pk=number).first()


def sentence(configuration: Configuration) -> str:
    label = dict(MessageChannel.choices).get(configuration.channel, configuration.channel)
    which = f"a message by {label}"
    if configuration.template_id is not None:
        template = _template(configuration)
        which = f"the message {quoted(template.name) if template else f'{configuration.template_id} (deleted)'}"
    text = f"When {which} {WORDS[configuration.what]}"
    if configuration.campaign_id is not None:
        campaign = Campaign.objects.filter(pk=configuration.campaign_id).first()
        text += f" of the campaign {quoted(str(campaign)) if campaign else f'{configuration.campaign_id} (deleted)'}"
    if configuration.automation_id is not None:
        row = Automation.objects.filter(pk=configuration.automation_id).first()
        text += f" of the workflow {quoted(str(row)) if row else f'{configuration.automation_id} (deleted)'}"
    return f"{text}, at a link that contains {quoted(configuration.url)}" if configuration.url else text


TRIGGER = TriggerKind(
    "Message sent, opened, clicked …",
    "Starts when a message is sent, opened, clicked, bounces, is called spam or makes somebody unsubscribe.",
    Configuration,
    key=lambda configuration: key_of(configuration.name),
    sentence=sentence,
    admits=admits,
    check=check,
    group="Messages",
)
