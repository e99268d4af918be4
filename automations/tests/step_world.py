"""What a step meets: people, templates, accounts, and what a case of it is made of."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from accounts.models import Member
from audience.models import Contact
from automations.models import Automation
from automations.tests import making
from campaigns.models import Campaign, CampaignStatus, EmailTemplate, Offer
from delivery.models import Message, Provider
from delivery.services import save_provider
from segments.models import Segment


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


def value_of(name: str) -> Callable[[Contact], Any]:
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


def template_of(channel: str) -> int:
    """A template of the channel, with a provider that sends it."""
    found = EmailTemplate.objects.filter(channel=channel).first()
    if found is None:
        kind, settings, fields = CHANNELS[channel]
        save_provider(Provider(channel=channel, kind=kind, name=f"Our {channel}"), settings)
        found = making.template(
            name=f"By {channel}", slug=channel, subject="", html="", channel=channel, fields=fields
        )
    return found.pk


def offer() -> Offer:
    """An offer with a code for each person, of a campaign that runs."""
    campaign, _ = Campaign.objects.get_or_create(name="Spring", status=CampaignStatus.ACTIVE)
    offer, _ = Offer.objects.get_or_create(campaign=campaign, kind="discount", value=10, codes="generated")
    return offer


def channel_case(channel: str, label: str, name: str) -> Case:
    """The same step for a channel of its own."""
    return Case(
        lambda world: {"template_id": template_of(channel)},
        f"Send the {label} message “{name}”",
        lambda contact: list(Message.objects.filter(contact=contact).values_list("channel", "source_type")),
        lambda world: [(channel, "automation")],
        {"unknown": ({"template_id": 9_999_999}, "there is no message template 9999999")},
    )
