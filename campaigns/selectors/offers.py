"""Which offers stand for a contact, and what each is for them: their code, their end, their category."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import (
    Count,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
)
from django.db.models.functions import Coalesce, Greatest

from audience.models import Identity, IdentityKind
from campaigns.models import (
    Campaign,
    CampaignStatus,
    CodeKind,
    Offer,
    OfferCode,
    Redemption,
    ScopeKind,
    Target,
    TargetStatus,
)
from campaigns.services import offer_rules
from common import clock

A_DAY = Value(timedelta(days=1))


@dataclass(frozen=True)
class Personal:
    """An offer as it stands for one person. `scope` is theirs where it is about their favourite."""

    offer: Offer
    code: str
    expires_at: datetime | None
    scope_kind: str
    scope: list[str]
    left: int


def offered_to(queryset: QuerySet[Campaign], kind: IdentityKind, value: str) -> QuerySet[Campaign]:
    """Active campaigns with an offer that stands for this contact and may still be taken.

    Adds `target_status` and `target_id`. Nobody known by that name: no campaigns. Plan: the targets of one contact,
    a few rows, each with its campaign and offers by key.
    """
    later = Target.objects.filter(
        campaign=OuterRef("campaign"), contact=OuterRef("contact"), occurrence__gt=OuterRef("occurrence")
    )
    contact_ids = Identity.objects.filter(kind=kind, value=value).values("contact_id")
    targets = (
        Target.objects.filter(contact__in=contact_ids, is_held_out=False, campaign__status=CampaignStatus.ACTIVE)
        .exclude(status=TargetStatus.EXPIRED)
        .filter(Exists(_standing()), ~Exists(later))
    )
    return (
        queryset.filter(Q(ends_at=None) | Q(ends_at__gt=clock.now()), status=CampaignStatus.ACTIVE)
        .filter(targets__in=targets)
        .annotate(target_status=F("targets__status"), target_id=F("targets__id"))
    )


def _standing() -> QuerySet[Offer]:
    """Offers of the outer target's campaign that it may take now."""
    now = clock.now()
    moment = DateTimeField()
    created_at, starts_at = (
        ExpressionWrapper(OuterRef(name), output_field=moment) for name in ("created_at", "campaign__starts_at")
    )
    # PostgreSQL's GREATEST passes NULL over: a campaign without a start counts from the target's own.
    eligible_at = Greatest(created_at, starts_at, output_field=moment)
    lasts = ExpressionWrapper(F("valid_days") * A_DAY, output_field=DurationField())
    taken = Redemption.objects.filter(offer=OuterRef("pk"), target=OuterRef(OuterRef("pk")))
    code = OfferCode.objects.filter(offer=OuterRef("pk"), target=OuterRef(OuterRef("pk")))
    times = taken.order_by().values("offer").annotate(times=Count("*")).values("times")
    return (
        Offer.objects.filter(campaign=OuterRef("campaign_id"))
        .filter(Q(starts_at=None) | Q(starts_at__lte=now), Q(expires_at=None) | Q(expires_at__gt=now))
        .filter(Q(limit_total=None) | Q(taken_count__lt=F("limit_total")))
        .annotate(eligible_at=eligible_at, times=Coalesce(Subquery(times), 0))
        .filter(Q(valid_days=None) | Q(eligible_at__gt=ExpressionWrapper(now - lasts, output_field=DateTimeField())))
        .filter(limit_per_contact__gt=F("times"))
        .filter(Q(codes=CodeKind.SHARED) | Exists(code))
    )


def personal(campaigns: Sequence[Campaign]) -> None:
    """Put `personal_offers` on campaigns of `offered_to`: three queries, however many there are."""
    ids = {campaign.target_id: campaign for campaign in campaigns if hasattr(campaign, "target_id")}
    targets = {row.pk: row for row in Target.objects.filter(pk__in=ids).select_related("run")}
    codes = {
        (row.offer_id, row.target_id): row.code for row in OfferCode.objects.filter(target__in=ids).order_by("pk")
    }
    taken: dict[tuple[int, int], int] = {}
    for offer_id, target_id in Redemption.objects.filter(target__in=ids).values_list("offer_id", "target_id"):
        taken[offer_id, target_id] = taken.get((offer_id, target_id), 0) + 1
    for target_id, campaign in ids.items():
        target = targets[target_id]
        offers = [
            _personal(
                offer, campaign, target, codes.get((offer.pk, target_id), ""), taken.get((offer.pk, target_id), 0)
            )
            for offer in offer_rules.of_target(campaign, target)
        ]
        campaign.personal_offers = [offer for offer in offers if _is_open(offer)]  # type: ignore[attr-defined]


def _personal(offer: Offer, campaign: Campaign, target: Target, code: str, taken: int) -> Personal:
    is_favourite = offer.scope_kind == ScopeKind.FAVOURITE
    limits = [offer.limit_per_contact - taken]
    if offer.limit_total is not None:
        limits.append(offer.limit_total - offer.taken_count)
    return Personal(
        offer,
        offer.code if offer.codes == CodeKind.SHARED else code,
        offer_rules.ends_at(offer, campaign, target),
        ScopeKind.CATEGORY if is_favourite else offer.scope_kind,
        [target.favourite] if is_favourite and target.favourite else list(offer.scope),
        max(0, min(limits)),
    )


def _is_open(shown: Personal) -> bool:
    now = clock.now()
    begun = shown.offer.starts_at is None or shown.offer.starts_at <= now
    has_code = shown.offer.codes == CodeKind.SHARED or bool(shown.code)
    return begun and shown.left > 0 and has_code and (shown.expires_at is None or shown.expires_at > now)
