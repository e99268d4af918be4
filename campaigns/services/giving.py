"""Offers given to people one by one, by workflows instead of a campaign's own audience."""

from __future__ import annotations

from collections.abc import Sequence

from campaigns.models import CodeKind, Offer, OfferCode, Target
from campaigns.services import offer_codes


def give_offer(offer: Offer, contact_ids: Sequence[int]) -> dict[int, str]:
    """Make these contacts eligible targets of the offer's campaign; returns the code of each who has one.

    Idempotent: who is a target already stays one, with the code they have. A list of codes may be too short.
    """
    campaign = offer.campaign
    Target.objects.bulk_create(
        [Target(campaign=campaign, contact_id=contact_id) for contact_id in contact_ids], ignore_conflicts=True
    )
    if offer.codes == CodeKind.SHARED:
        return dict.fromkeys(contact_ids, offer.code) if offer.code else {}
    offer_codes.give(campaign)
    rows = OfferCode.objects.filter(offer=offer, target__contact__in=contact_ids, target__campaign=campaign)
    return dict(rows.values_list("target__contact_id", "code"))
