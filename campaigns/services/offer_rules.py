"""Whether an offer stands for a person at a moment, and which one an order means."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from accounts.models import Organization
from campaigns.models import Campaign, CodeKind, Offer, OfferCode, Target
from common import money
from common.errors import Conflict, Invalid


def ends_at(offer: Offer, campaign: Campaign, target: Target) -> datetime | None:
    """When it ends for this person: its fixed end, its days since they became eligible, or the campaign's end."""
    ends = [moment for moment in (offer.expires_at, campaign.ends_at) if moment is not None]
    if offer.valid_days is not None:
        ends.append(eligible_at(campaign, target) + timedelta(days=offer.valid_days))
    return min(ends, default=None)


def eligible_at(campaign: Campaign, target: Target) -> datetime:
    """Since when the offer stands: a proposal's people wait until it begins."""
    return max(target.created_at, campaign.starts_at or target.created_at)


def of_target(campaign: Campaign, target: Target) -> list[Offer]:
    """The campaign's offers that are for this person: those of other arms of its experiment are not.

    Who has no arm gets the offer of the winner, once there is one.
    """
    offers = sorted(campaign.offers.all(), key=lambda offer: offer.pk)
    if campaign.experiment is None:
        return offers
    by_arm = {arm.pk: arm.payload.get("offer_id") for arm in campaign.experiment.arms.all()}
    arm_id = target.arm_id or (target.run.winner_id if target.run is not None else None)
    own = by_arm.get(arm_id) if arm_id is not None else None
    others = set(by_arm.values()) - {own}
    return [offer for offer in offers if offer.pk not in others]


def check_viewable(campaign: Campaign, target: Target, at: datetime) -> None:
    """Raises `Conflict` when every offer of the campaign has ended for this person, or begins later."""
    offers = of_target(campaign, target)
    if offers and not any(_stands(offer, campaign, target, at) for offer in offers):
        raise Conflict(_why_not(offers, campaign, target, at), code="offer_not_open")


def chosen(campaign: Campaign, target: Target, offer_id: int | None, code: str, at: datetime) -> Offer | None:
    """The offer an order means; None where the campaign has none. Raises `Invalid`, `Conflict` for a wrong code."""
    offers = of_target(campaign, target)
    if offer_id is not None:
        offers = [offer for offer in offers if offer.pk == offer_id]
        if not offers:
            said = f"This campaign has no offer {offer_id}."
            raise Invalid(said, details={"offer_id": said})
    if code:
        offers = [offer for offer in offers if _is_code(offer, target, code)]
        if not offers:
            raise Conflict(f"“{code[:80]}” is not this contact's code.", code="wrong_code")
    return next((offer for offer in offers if _stands(offer, campaign, target, at)), offers[0] if offers else None)


def check_takeable(
    offer: Offer, target: Target, campaign: Campaign, value_minor: int | None, currency: str, at: datetime
) -> None:
    """Raises `Conflict` when it does not stand at `at` or the order is too small, `Invalid` when that is not said."""
    if not _stands(offer, campaign, target, at):
        raise Conflict(_why_not([offer], campaign, target, at), code="offer_not_open")
    if offer.minimum_spend_minor is None:
        return
    home = Organization.objects.get().currency
    least = money.show(offer.minimum_spend_minor, home)
    if value_minor is None or currency.upper() != home:
        said = f"This offer needs an order of {least} or more; say its value in {home}."
        raise Invalid(said, details={"value": said})
    if value_minor < offer.minimum_spend_minor:
        raise Conflict(f"This offer needs an order of {least} or more.", code="minimum_spend")


def _is_code(offer: Offer, target: Target, code: str) -> bool:
    if offer.codes == CodeKind.SHARED:
        return offer.code.casefold() == code.strip().casefold()
    return OfferCode.objects.filter(offer=offer, target=target, code__iexact=code.strip()).exists()


def _stands(offer: Offer, campaign: Campaign, target: Target, at: datetime) -> bool:
    end = ends_at(offer, campaign, target)
    begun = at >= eligible_at(campaign, target) and (offer.starts_at is None or at >= offer.starts_at)
    return begun and (end is None or at < end)


def _why_not(offers: Sequence[Offer], campaign: Campaign, target: Target, at: datetime) -> str:
    ends = [ends_at(offer, campaign, target) for offer in offers]
    past = [end for end in ends if end is not None and end <= at]
    if past:
        return f"The offer ended for this contact on {max(past):%-d %B %Y at %H:%M} UTC."
    return "The offer has not begun yet for this contact."
