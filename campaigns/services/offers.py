"""What client apps report about an offer: it was seen, it was taken. Eligible → viewed → converted, never back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from audience import services as audience
from audience.models import Contact, Identity, IdentityKind
from campaigns.domain import states
from campaigns.models import Campaign, Offer, Redemption, Target, TargetStatus
from campaigns.services import offer_rules
from common import clock, money, tenancy
from common.errors import Conflict, Invalid, NotFound

MOST_MINOR = 10**15  # an amount beyond this is a mistake of units

# The limits are judged and counted by the one statement that writes, so two at once cannot both take the last one:
# the offer's row makes them wait for each other, and the target's is held already. Plan: two key look-ups.
TAKE_SQL = """
WITH counted AS (
  UPDATE campaigns_offer SET taken_count = taken_count + 1
  WHERE id = %(offer)s AND organization_id = %(organization)s
    AND (limit_total IS NULL OR taken_count < limit_total)
    AND limit_per_contact > (SELECT count(*) FROM campaigns_redemption taken
                             WHERE taken.target_id = %(target)s AND taken.offer_id = %(offer)s)
  RETURNING id)
INSERT INTO campaigns_redemption (organization_id, offer_id, target_id, order_id, value_minor, currency, taken_at)
SELECT %(organization)s, id, %(target)s, %(order_id)s, %(value_minor)s, %(currency)s, %(at)s FROM counted"""


@dataclass(frozen=True)
class Who:
    """A contact as an app knows it: exactly one of these."""

    contact_id: int | None = None
    user_id: str = ""
    email: str = ""
    anonymous_id: str = ""


@dataclass(frozen=True)
class Taken:
    """How an offer was taken: without `offer_id` or `code` it is the campaign's first that stands.

    `order_id` names the order: a repeat changes nothing, another one counts again as often as the offer allows.
    """

    value: object = None
    currency: str = ""
    order_id: str = ""
    offer_id: int | None = None
    code: str = ""
    happened_at: datetime | None = None


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
            offer_rules.check_viewable(campaign, target, clock.now())
            target.status, target.viewed_at = TargetStatus.VIEWED, clock.now()
            target.save(update_fields=["status", "viewed_at"])
            _emit("offer_viewed", campaign, target, f"offer_viewed:{target.pk}")
    return target


def record_conversion(
    campaign: Campaign, who: Who, taken: Taken | None = None, *, value: object = None, currency: str = ""
) -> Target:
    """The contact took the offer, worth `value` of `currency`. The first report counts, repeats change nothing.

    Raises `Invalid` for an amount that cannot be, `Conflict` when the offer was never open to the contact, does not
    stand at that moment, or is used up.
    """
    said = taken or Taken(value, currency)
    contact = find_contact(who)
    value_minor = _minor(said.value, said.currency)
    at = _moment(said.happened_at)
    with transaction.atomic():
        target = _held_target(campaign, contact, states.OPEN_FOR_CONVERSIONS)
        if _is_known(target, said.order_id):
            return target
        offer = offer_rules.chosen(campaign, target, said.offer_id, said.code, at)
        if offer is not None:
            offer_rules.check_takeable(offer, target, campaign, value_minor, said.currency, at)
            _take(offer, target, said, value_minor, at)
        if offer is not None or target.status != TargetStatus.CONVERTED:
            _convert(campaign, target, said, value_minor, at)
    return target


NAMES = ("contact_id", "user_id", "email", "anonymous_id")


def _is_known(target: Target, order_id: str) -> bool:
    """Whether this was reported before: the same order, or no order named and taken already."""
    if not order_id:
        return target.status == TargetStatus.CONVERTED
    return Redemption.objects.filter(target=target, order_id=order_id).exists()


def _take(offer: Offer, target: Target, said: Taken, value_minor: int | None, at: datetime) -> None:
    """Count the redemption within the limits; raises `Conflict` when they are reached."""
    values: dict[str, Any] = {
        "organization": tenancy.required(), "offer": offer.pk, "target": target.pk, "order_id": said.order_id,
        "value_minor": value_minor, "currency": said.currency.upper() if value_minor is not None else "", "at": at,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(TAKE_SQL, values)
        if cursor.rowcount:
            return
    offer.refresh_from_db(fields=["taken_count", "limit_total"])
    if offer.limit_total is not None and offer.taken_count >= offer.limit_total:
        raise Conflict(f"All {offer.limit_total:,} of this offer are taken.", code="used_up")
    times = "once" if offer.limit_per_contact == 1 else f"{offer.limit_per_contact:,} times"
    raise Conflict(f"This contact may take the offer {times}, and has.", code="limit_reached")


def _convert(campaign: Campaign, target: Target, said: Taken, value_minor: int | None, at: datetime) -> None:
    """The target's own book: the first moment, and the worth of all its orders in the currency of the first."""
    key = f"offer_converted:{target.pk}"
    if target.status == TargetStatus.CONVERTED:
        key = f"{key}:{said.order_id}"
    target.status, target.converted_at = TargetStatus.CONVERTED, target.converted_at or at
    currency = said.currency.upper()
    if value_minor is not None and target.conversion_currency in ("", currency):
        target.conversion_value_minor = (target.conversion_value_minor or 0) + value_minor
        target.conversion_currency = currency
    target.save()
    _emit("offer_converted", campaign, target, key, at, value_minor, currency)


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
    if target.is_held_out:
        raise Conflict(
            f"This contact is held out of “{campaign}” by chance: it is offered nothing, so that the effect shows.",
            code="held_out",
        )
    return target


def _moment(happened_at: datetime | None) -> datetime:
    now = clock.now()
    if happened_at is not None and happened_at > now:
        raise Invalid("That is still to come.", details={"happened_at": "Cannot be in the future."})
    return happened_at or now


def _minor(value: object, currency: str) -> int | None:
    if value is None:
        return None
    if len(currency) != 3 or not currency.isalpha():
        raise Invalid("Say the currency of the value, such as GBP.", details={"currency": "Three letters, ISO 4217."})
    minor = money.to_minor(value, currency)
    if not 0 <= minor <= MOST_MINOR:
        raise Invalid(f"{value} {currency} is not a value a conversion can have.", details={"value": "Out of range."})
    return minor


def _emit(
    name: str, campaign: Campaign, target: Target, key: str, at: datetime | None = None,
    value_minor: int | None = None, currency: str = "",
) -> None:  # fmt: skip
    """Tell the audience's river, once per target and fact."""
    properties: dict[str, Any] = {"campaign_id": campaign.pk, "campaign_name": campaign.name}
    audience.record(
        [
            audience.InternalEvent(
                contact_id=target.contact_id,
                name=name,
                happened_at=at or clock.now(),
                properties=properties,
                message_id=key,
                value_minor=value_minor,
                currency=currency if value_minor is not None else None,
            )
        ]
    )
