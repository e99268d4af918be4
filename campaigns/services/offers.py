"""What client apps report about an offer: it was seen, it was taken. Eligible → viewed → converted, never back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from audience import services as audience
from audience.models import Contact, Identity, IdentityKind
from campaigns.domain import states
from campaigns.models import Campaign, Target, TargetStatus
from common import clock, money
from common.errors import Conflict, Invalid, NotFound

MOST_MINOR = 10**15  # an amount beyond this is a mistake of units


@dataclass(frozen=True)
class Who:
    """A contact as an app knows it: exactly one of these."""

    contact_id: int | None = None
    user_id: str = ""
    email: str = ""
    anonymous_id: str = ""


def find_contact(who: Who) -> Contact:
    """The living contact behind `who`. Raises `Invalid` unless exactly one name is given, `NotFound`."""
    names = {kind: value for kind in NAMES if (value := getattr(who, kind))}
    if len(names) != 1:
        raise Invalid(f"Name the contact by exactly one of {', '.join(NAMES)}.", code="contact_needed")
    kind, value = next(iter(names.items()))
    contact = _by_id(value) if kind == "contact_id" else _by_identity(kind, value)
    if contact is None:
        raise NotFound(f"No contact has the {kind} “{value}”.", code="unknown_contact")
    return contact


def record_view(campaign: Campaign, who: Who) -> Target:
    """The contact saw the offer. Seeing it again changes nothing. Raises `Conflict` when it does not stand."""
    contact = find_contact(who)
    with transaction.atomic():
        target = _held_target(campaign, contact, states.OPEN_FOR_VIEWS)
        if target.status == TargetStatus.ELIGIBLE:
            target.status, target.viewed_at = TargetStatus.VIEWED, clock.now()
            target.save(update_fields=["status", "viewed_at"])
            _emit("offer_viewed", campaign, target)
    return target


def record_conversion(campaign: Campaign, who: Who, *, value: object = None, currency: str = "") -> Target:
    """The contact took the offer, worth `value` of `currency`. The first report counts, repeats change nothing.

    Raises `Invalid` for an amount that cannot be, `Conflict` when the offer was never open to the contact.
    """
    contact = find_contact(who)
    value_minor = _minor(value, currency)
    with transaction.atomic():
        target = _held_target(campaign, contact, states.OPEN_FOR_CONVERSIONS)
        if target.status != TargetStatus.CONVERTED:
            target.status, target.converted_at = TargetStatus.CONVERTED, clock.now()
            target.conversion_value_minor = value_minor
            target.conversion_currency = currency.upper() if value_minor is not None else ""
            target.save()
            _emit("offer_converted", campaign, target)
    return target


NAMES = ("contact_id", "user_id", "email", "anonymous_id")


def _by_id(contact_id: int) -> Contact | None:
    contact = Contact.objects.select_related("merged_into").filter(pk=contact_id).first()
    while contact is not None and contact.merged_into is not None:
        contact = contact.merged_into
    return contact


def _by_identity(kind: str, value: str) -> Contact | None:
    name = value.strip().lower() if kind == IdentityKind.EMAIL else value
    identity = Identity.objects.filter(kind=kind, value=name).first()
    return _by_id(identity.contact_id) if identity else None


def _held_target(campaign: Campaign, contact: Contact, open_states: frozenset[states.State]) -> Target:
    if states.State(campaign.status) not in open_states:
        raise Conflict(f"“{campaign}” is {campaign.status}; its offer does not stand now.", code="campaign_not_open")
    target = (
        Target.objects.select_for_update().filter(campaign=campaign, contact=contact).order_by("-occurrence").first()
    )
    if target is None:
        raise Conflict(f"This contact is not in the audience of “{campaign}”.", code="not_targeted")
    return target


def _minor(value: object, currency: str) -> int | None:
    if value is None:
        return None
    if len(currency) != 3 or not currency.isalpha():
        raise Invalid("Say the currency of the value, such as GBP.", details={"currency": "Three letters, ISO 4217."})
    minor = money.to_minor(value, currency)
    if not 0 <= minor <= MOST_MINOR:
        raise Invalid(f"{value} {currency} is not a value a conversion can have.", details={"value": "Out of range."})
    return minor


def _emit(name: str, campaign: Campaign, target: Target) -> None:
    """Tell the audience's river, once per target and fact."""
    happened_at = target.viewed_at if name == "offer_viewed" else target.converted_at
    assert happened_at is not None
    properties: dict[str, Any] = {"campaign_id": campaign.pk, "campaign_name": campaign.name}
    audience.record(
        [
            audience.InternalEvent(
                contact_id=target.contact_id,
                name=name,
                happened_at=happened_at,
                properties=properties,
                message_id=f"{name}:{target.pk}",
                value_minor=target.conversion_value_minor if name == "offer_converted" else None,
                currency=(target.conversion_currency or None) if name == "offer_converted" else None,
            )
        ]
    )
