"""The offers of a campaign as people write them; edited in place, so that codes and counts stay with their offer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from decimal import Decimal

from accounts import versions
from campaigns.domain.offers import Terms
from campaigns.models import Campaign, CodeKind, Offer, ScopeKind
from common.errors import Invalid


@dataclass(frozen=True)
class OfferDraft:
    """What is offered: `value` in `unit` (percent, points, points_per_unit or a currency code).

    It ends at `expires_at`, or `valid_days` after a person became eligible, whichever comes first.
    """

    kind: str
    value: Decimal
    unit: str = "percent"
    code: str = ""
    expires_at: datetime | None = None
    codes: str = "shared"
    starts_at: datetime | None = None
    valid_days: int | None = None
    limit_per_contact: int = 1
    limit_total: int | None = None
    minimum_spend_minor: int | None = None
    scope_kind: str = ""
    scope: Sequence[str] = ()
    terms: str = ""


NAMES = [field.name for field in fields(OfferDraft)]


def offers_of(campaign: Campaign) -> list[OfferDraft]:
    """The campaign's offers, in their order."""
    return [_draft(offer) for offer in campaign.offers.order_by("pk")]


def write(campaign: Campaign, offers: Sequence[OfferDraft]) -> None:
    """Replace the offers one by one; raises `Invalid` naming the offer that is wrong, before anything is written."""
    stored = list(campaign.offers.order_by("pk"))
    rows = [stored[index] if index < len(stored) else Offer(campaign=campaign) for index in range(len(offers))]
    for index, (row, offer) in enumerate(zip(rows, offers, strict=True)):
        for name, value in asdict(offer).items():
            setattr(row, name, list(value) if name == "scope" else value)
        if details := _problems(row):
            whole = {f"offers[{index}].{place}": sentence for place, sentence in details.items()}
            raise Invalid(next(iter(details.values())), details=whole)
    for row in rows:
        row.save()
    for row in stored[len(rows) :]:
        row.delete()


def _draft(offer: Offer) -> OfferDraft:
    values = {name: getattr(offer, name) for name in NAMES}
    return OfferDraft(**values | {"scope": tuple(offer.scope)})


def _problems(offer: Offer) -> dict[str, str]:
    """What is wrong with an offer, by field."""
    try:
        versions.clean(offer)
    except Invalid as error:
        return dict(error.details)
    wrong = Terms(offer.kind, offer.value, offer.unit).problems()
    needs_names = offer.scope_kind in (ScopeKind.CATEGORY, ScopeKind.PRODUCT)
    if needs_names and not offer.scope:
        wrong["scope"] = f"Name the {offer.scope_kind} it is good for."
    if offer.scope and not needs_names:
        wrong["scope"] = "Say whether these are categories or products."
    if offer.starts_at and offer.expires_at and offer.expires_at <= offer.starts_at:
        wrong["expires_at"] = "It would end before it begins."
    if offer.codes == CodeKind.LISTED and offer.code:
        wrong["code"] = "The codes come from the list; leave this empty."
    if offer.codes == CodeKind.GENERATED and len(offer.code) > 40:
        wrong["code"] = "What generated codes begin with has 40 characters at most."
    return wrong
