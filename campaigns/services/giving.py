"""Offers given to people one by one, by workflows instead of a campaign's own audience."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from campaigns.models import CodeKind, Offer, OfferCode, Target
from campaigns.services import offer_codes, offer_rules


@dataclass(frozen=True)
class Given:
    """What one person has of an offer: the code that is good for them, and when it ends for them."""

    code: str
    ends_at: datetime | None
    is_held_out: bool


def give_offer(offer: Offer, contact_ids: Sequence[int]) -> dict[int, Given]:
    """Make these contacts eligible targets of the offer's campaign; returns what each of them has.

    Idempotent: who is a target already stays one, with the code they have. A list of codes may be too short, and who
    is held out of the campaign is given none.
    """
    campaign = offer.campaign
    Target.objects.bulk_create(
        [Target(campaign=campaign, contact_id=contact_id) for contact_id in contact_ids], ignore_conflicts=True
    )
    if offer.codes != CodeKind.SHARED:
        offer_codes.give(campaign)
    rows = Target.objects.filter(campaign=campaign, contact_id__in=contact_ids).order_by("occurrence", "pk")
    targets = {target.contact_id: target for target in rows}
    codes = _codes(offer, targets.values())
    return {
        contact_id: Given(
            "" if target.is_held_out else codes.get(target.pk, ""),
            offer_rules.ends_at(offer, campaign, target),
            target.is_held_out,
        )
        for contact_id, target in targets.items()
    }


def _codes(offer: Offer, targets: Iterable[Target]) -> dict[int, str]:
    ids = [target.pk for target in targets]
    if offer.codes == CodeKind.SHARED:
        return dict.fromkeys(ids, offer.code)
    return dict(OfferCode.objects.filter(offer=offer, target__in=ids).values_list("target_id", "code"))
