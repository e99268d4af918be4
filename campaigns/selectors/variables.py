"""What a mail may say about its reader: names, with an example and a stand-in for those who have none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from accounts.models import Organization
from audience.models import AttributeDefinition, Contact, Event, EventDefinition
from campaigns.domain import offers
from common import clock, money, tenancy

MOST_PROPERTIES = 500
LONGEST_SAMPLE = 80
FIELDS = {
    "first_name": "First name", "name": "Name", "email": "E-mail", "phone": "Phone", "city": "City",
    "region": "Region", "country": "Country", "status": "Status", "source": "Source", "priority": "Priority",
    "value": "Value", "user_id": "User id", "locale": "Language", "timezone": "Time zone", "id": "Number",
}  # fmt: skip
# The last part names its stand-in, which it shares with all that end alike.
OFFER = {"code": "Code", "title": "What it is worth", "last_day": "Last day"}
ALWAYS = frozenset({"email", "id", "status", "priority"})
STAND_INS = {"first_name": "there", "name": "there", "city": "your city", "country": "your country"}


@dataclass(frozen=True)
class Variable:
    """`name` is what stands between the braces; `default` proposes what to say for those who have no value."""

    name: str
    label: str
    group: str
    kind: str
    sample: str
    default: str
    is_always_there: bool


def variables(contact: Contact | None) -> list[Variable]:
    """Fields, attributes, properties of events, an offer given and what every mail has. Examples are `contact`'s."""
    return [*_fields(contact), *_attributes(contact), *_properties(contact), *_offer(), *_ours()]


def _fields(contact: Contact | None) -> list[Variable]:
    return [
        Variable(
            f"contact.{name}",
            label,
            "Contact",
            "text",
            _field(contact, name),
            STAND_INS.get(name, ""),
            name in ALWAYS,
        )
        for name, label in FIELDS.items()
    ]


def _field(contact: Contact | None, name: str) -> str:
    if contact is None:
        return ""
    if name == "first_name":
        return _shown(contact.attributes.get("first_name") or contact.name.partition(" ")[0])
    if name == "value":
        currency = contact.currency or Organization.objects.get(pk=tenancy.required()).currency
        return money.show(contact.value_minor, currency) if contact.value_minor else ""
    return _shown(getattr(contact, name))


def _attributes(contact: Contact | None) -> list[Variable]:
    values = contact.attributes if contact else {}
    return [
        Variable(
            f"contact.attributes.{each.name}", each.name.replace("_", " "), "Attributes", each.type,
            _shown(values.get(each.name)), "", False,
        )
        for each in AttributeDefinition.objects.order_by("name")[:MOST_PROPERTIES]
        if each.name.isidentifier()
    ]  # fmt: skip


def _properties(contact: Contact | None) -> list[Variable]:
    """One entry per property, whichever events bring it; the example is of the contact's latest such event."""
    kinds: dict[str, str] = {}
    bringing: dict[str, list[str]] = {}
    for definition in EventDefinition.objects.order_by("name"):
        for name, kind in definition.properties.items():
            if name.isidentifier() and not name.startswith("_"):
                kinds.setdefault(name, str(kind))
                bringing.setdefault(name, []).append(definition.name)
    samples = latest_properties(contact)
    return [
        Variable(f"event.{name}", f"{name.replace('_', ' ')} ({', '.join(bringing[name][:3])})", "Event", kinds[name],
                 _shown(samples.get(name)), "", False)
        for name in sorted(kinds)[:MOST_PROPERTIES]
    ]  # fmt: skip


def latest_properties(contact: Contact | None) -> dict[str, Any]:
    """Property → its latest value among the contact's last events. Plan: one range of the contact's events."""
    if contact is None or contact.pk is None:
        return {}
    rows = Event.objects.filter(contact_id=contact.pk, happened_at__lte=clock.now()).order_by("-happened_at")[:30]
    found: dict[str, Any] = {}
    for properties in rows.values_list("properties", flat=True):
        for name, value in properties.items():
            found.setdefault(name, value)
    return found


def example_offer() -> dict[str, str]:
    """What messages read as `offer` once a workflow's step gave one; made up."""
    zone = ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)
    return offers.variables("15 % discount", "SPRING-7K4QX", clock.now() + timedelta(days=14), zone)


def _offer() -> list[Variable]:
    example = example_offer()
    return [
        Variable(f"offer.{name}", label, "Offer given by a workflow", "text", example[name], "", False)
        for name, label in OFFER.items()
    ]


def _ours() -> list[Variable]:
    organization = Organization.objects.get(pk=tenancy.required()).name
    return [
        Variable("organization.name", "Your name", "Mail", "text", organization, "", True),
        Variable("unsubscribe_url", "Link to unsubscribe", "Mail", "url", "https://…", "", True),
    ]


def _shown(value: Any) -> str:
    if value is None or isinstance(value, (dict, list)):
        return ""
    return str(value)[:LONGEST_SAMPLE]
