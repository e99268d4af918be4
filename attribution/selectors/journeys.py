"""The way of one contact: touchpoints and conversions, with the credit drawn on it (ATT-5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from attribution.models import Conversion, Credit, Touchpoint

MOST = 200


@dataclass(frozen=True)
class CreditOf:
    """Credit in one model: money in minor units and the part of the conversion, 0 … 1."""

    model: str
    conversion_id: int
    touchpoint_id: int
    amount_minor: int
    share: float


@dataclass(frozen=True)
class Stop:
    """One stop of the way. `kind`: click, visit, referral, offline or conversion.

    Credits of a touchpoint are what it earned, of a conversion to whom it went.
    """

    kind: str
    id: int
    happened_at: datetime
    title: str
    channel: str = ""
    campaign_id: int | None = None
    value_minor: int | None = None
    refunded_minor: int | None = None
    currency: str = ""
    is_attributed: bool | None = None
    credits: list[CreditOf] = field(default_factory=list)


@dataclass(frozen=True)
class Journey:
    """Oldest first; `is_cut` when only the newest 200 touchpoints or conversions are shown."""

    contact_id: int
    stops: list[Stop]
    is_cut: bool


def journey(contact_id: int) -> Journey:
    """The contact's touchpoints and conversions with their credits, in three queries."""
    touches = list(Touchpoint.objects.filter(contact_id=contact_id).order_by("-happened_at", "-pk")[: MOST + 1])
    made = Conversion.objects.filter(contact_id=contact_id).select_related("goal")
    conversions = list(made.order_by("-happened_at", "-pk")[: MOST + 1])
    is_cut = len(touches) > MOST or len(conversions) > MOST
    conversions = conversions[:MOST]
    credits = [
        CreditOf(row.model, row.conversion_id, row.touchpoint_id, row.amount_minor, row.share)
        for row in Credit.objects.filter(conversion__in=conversions).order_by("model", "pk")
    ]
    stops = [*_touch_stops(touches[:MOST], credits), *_conversion_stops(conversions, credits)]
    # A touch at the moment of its conversion came before it.
    stops.sort(key=lambda stop: (stop.happened_at, stop.kind == "conversion", stop.id))
    return Journey(contact_id, stops, is_cut)


def _touch_stops(touches: Sequence[Touchpoint], credits: Sequence[CreditOf]) -> list[Stop]:
    earned: dict[int, list[CreditOf]] = {}
    for credit in credits:
        earned.setdefault(credit.touchpoint_id, []).append(credit)
    return [
        Stop(
            kind=touch.kind,
            id=touch.pk,
            happened_at=touch.happened_at,
            title=str(touch),
            channel=touch.channel,
            campaign_id=touch.campaign_id,
            credits=earned.get(touch.pk, []),
        )
        for touch in touches
    ]


def _conversion_stops(conversions: Sequence[Conversion], credits: Sequence[CreditOf]) -> list[Stop]:
    given: dict[int, list[CreditOf]] = {}
    for credit in credits:
        given.setdefault(credit.conversion_id, []).append(credit)
    return [
        Stop(
            kind="conversion",
            id=made.pk,
            happened_at=made.happened_at,
            title=f"{made.goal} {made.order_id}".strip(),
            value_minor=made.value_minor,
            refunded_minor=made.refunded_minor,
            currency=made.currency,
            is_attributed=made.pk in given,
            credits=given.get(made.pk, []),
        )
        for made in conversions
    ]
