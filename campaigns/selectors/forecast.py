"""What a campaign will probably do, learnt from comparable ones; and how such forecasts have fared."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from accounts.models import Organization
from campaigns.domain import forecast as domain
from campaigns.domain.forecast import Earned, Range, Seen
from campaigns.domain.likeness import Traits, likeness
from campaigns.models import Campaign, CampaignForecast, CampaignOutcome
from campaigns.selectors.audience import AudiencePreview, Chosen, segment_ids
from common import clock

READ_MOST, USED_MOST = 200, 60
SHOWN = 5
# Opens and clicks are in after three days, purchases a week after the click.
OPENS_DAYS, ORDERS_DAYS = 3, 10
LEAST_ALIKE = 0.05
METRICS = {"opens": "open_count", "clicks": "click_count", "conversions": "conversion_count",
           "revenue": "revenue_minor"}  # fmt: skip
RECORD_LENGTH = 100


@dataclass(frozen=True)
class Comparable:
    """A past campaign that was learnt from; rates of messages sent (offers alone: of people)."""

    outcome: CampaignOutcome
    likeness: float

    @property
    def open_rate(self) -> float | None:
        return _rate(self.outcome.open_count, self.outcome.sent_count)

    @property
    def click_rate(self) -> float | None:
        return _rate(self.outcome.click_count, self.outcome.sent_count)


@dataclass(frozen=True)
class Forecast:
    """Counts of people; `revenue` in minor units of `currency`. None: nothing comparable to learn from."""

    reach: int
    opens: Range | None
    clicks: Range | None
    conversions: Range | None
    revenue: Range | None
    currency: str
    level: float
    basis: str
    basis_count: int
    conversion_word: str
    comparables: list[Comparable] = field(default_factory=list)

    @property
    def figures(self) -> dict[str, Range | None]:
        return {name: getattr(self, name) for name in METRICS}


@dataclass(frozen=True)
class Told:
    """A metric as it was foreseen, and as it came; `held` is None while it is still coming in."""

    name: str
    foreseen: Range
    actual: int
    held: bool | None


@dataclass(frozen=True)
class TrackRecord:
    """How often intervals of past campaigns held what came."""

    held: int
    told: int

    @property
    def sentence(self) -> str:
        if not self.told:
            return "No forecast has met its outcome yet."
        return (
            f"Of {self.told} such intervals of earlier campaigns, {self.held} held what came "
            f"({self.held / self.told:.0%}; {domain.LEVEL:.0%} should)."
        )


def forecast(
    campaign: Campaign, people: AudiencePreview, chosen: Chosen | None = None, *, has_offers: bool | None = None
) -> Forecast:
    """What the campaign will probably do among `people`; one that is being written says whom and what it offers."""
    chosen = chosen or segment_ids(campaign)
    has_offers = campaign.offers.exists() if has_offers is None else has_offers
    reach = round(people.reachable_count * (100 - float(campaign.holdout_percent)) / 100)
    alike = _comparables(campaign, Traits(campaign.template_id, campaign.topic_id, chosen.include, has_offers))
    currency = Organization.objects.get().currency
    old = [each for each in alike if _age(each) >= ORDERS_DAYS and each.outcome.has_offers == has_offers]
    bought = _draws(old, reach, "conversion_count")
    paid = None if bought is None else domain.worth([_earned(each) for each in old], bought)
    sends = campaign.template_id is not None
    return Forecast(
        reach=reach,
        opens=_summed(_draws(alike, reach, "open_count")) if sends else None,
        clicks=_summed(_draws(alike, reach, "click_count")) if sends else None,
        conversions=_summed(bought),
        revenue=_summed(paid),
        currency=currency,
        level=domain.LEVEL,
        basis=_basis(campaign, alike, len(old)),
        basis_count=len(alike),
        conversion_word="offers taken" if has_offers else "buyers within a week after their click",
        comparables=alike[:SHOWN],
    )


def figures_json(made: Forecast) -> dict[str, Any]:
    """As it is kept."""
    return {name: list(asdict(each).values()) for name, each in made.figures.items() if each is not None}


def told(campaign: Campaign) -> list[Told]:
    """The forecast of the launch beside what came so far; empty without one."""
    kept = CampaignForecast.objects.filter(campaign=campaign).first()
    outcome = CampaignOutcome.objects.filter(campaign=campaign).first()
    return _told(kept, outcome) if kept is not None else []


def track_record(before: Campaign | None = None) -> TrackRecord:
    """How the intervals of the last campaigns fared; plan: two short tables by campaign."""
    kept = CampaignForecast.objects.select_related("campaign__outcome").filter(campaign__outcome__isnull=False)
    if before is not None:
        kept = kept.exclude(campaign=before)
    verdicts = [
        one.held
        for row in kept.order_by("-pk")[:RECORD_LENGTH]
        for one in _told(row, row.campaign.outcome)
        if one.held is not None
    ]
    return TrackRecord(sum(verdicts), len(verdicts))


def _told(kept: CampaignForecast, outcome: CampaignOutcome | None) -> list[Told]:
    lines = []
    for name, column in METRICS.items():
        if name in kept.figures:
            foreseen = Range(*kept.figures[name])
            actual = getattr(outcome, column) if outcome is not None else 0
            lines.append(Told(name, foreseen, actual, foreseen.holds(actual) if _is_in(outcome, name) else None))
    return lines


def _is_in(outcome: CampaignOutcome | None, name: str) -> bool:
    days = OPENS_DAYS if name in ("opens", "clicks") else ORDERS_DAYS
    return outcome is not None and outcome.counted_at - outcome.last_sent_at >= timedelta(days=days)


def _comparables(campaign: Campaign, traits: Traits) -> list[Comparable]:
    """Past campaigns of the same channel and kind, the most alike first. Plan: outcomes_alike, backwards."""
    channel = campaign.template.channel if campaign.template else ""
    kind = campaign.template.kind if campaign.template else ""
    outcomes = (
        CampaignOutcome.objects.filter(
            channel=channel, kind=kind, last_sent_at__lte=clock.now() - timedelta(days=OPENS_DAYS)
        )
        .exclude(campaign=campaign.pk)
        .select_related("campaign")
        .prefetch_related("campaign__audience")
        .order_by("-last_sent_at")
    )
    found = [
        Comparable(each, likeness(traits, _traits(each), (clock.now() - each.last_sent_at) / timedelta(days=1)))
        for each in outcomes[:READ_MOST]
    ]
    found.sort(key=lambda each: -each.likeness)
    return [each for each in found[:USED_MOST] if each.likeness >= LEAST_ALIKE]


def _traits(outcome: CampaignOutcome) -> Traits:
    past = outcome.campaign
    included = [row.segment_id for row in past.audience.all() if not row.is_excluded]
    return Traits(past.template_id, past.topic_id, included, outcome.has_offers)


def _draws(alike: list[Comparable], reach: int, column: str) -> domain.Draws | None:
    past = [
        Seen(_trials(each.outcome), min(getattr(each.outcome, column), _trials(each.outcome)), each.likeness)
        for each in alike
        if _trials(each.outcome)
    ]
    return domain.counts(past, reach) if past and reach else None


def _trials(outcome: CampaignOutcome) -> int:
    return outcome.sent_count if outcome.channel else outcome.target_count


def _summed(draws: domain.Draws | None) -> Range | None:
    return None if draws is None else domain.summed_up(draws)


def _earned(each: Comparable) -> Earned:
    outcome = each.outcome
    return Earned(outcome.conversion_count, float(outcome.revenue_minor), outcome.revenue_squares, each.likeness)


def _age(each: Comparable) -> float:
    return (clock.now() - each.outcome.last_sent_at) / timedelta(days=1)


def _basis(campaign: Campaign, alike: list[Comparable], with_orders: int) -> str:
    what = (
        f"{campaign.template.get_channel_display().replace('Email', 'e-mail')} campaign"
        if campaign.template
        else "offer"
    )
    if not alike:
        return (
            f"No comparable {what} is at least {OPENS_DAYS} days old yet, so only the reach is known. "
            "Forecasts begin with your second campaign of a kind."
        )
    few = " Few campaigns make wide intervals." if len(alike) < 5 else ""
    orders = "" if with_orders else f" Purchases take {ORDERS_DAYS} days to come in; none is old enough yet."
    closest = f"the closest is “{alike[0].outcome.campaign}”"
    return f"From {len(alike)} comparable {what}{'s' if len(alike) > 1 else ''}; {closest}.{few}{orders}"


def _rate(part: int, whole: int) -> float | None:
    return part / whole if whole else None
