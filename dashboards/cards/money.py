"""What this month earned, beside the months before."""

from __future__ import annotations

from dataclasses import dataclass

from accounts.models import Organization
from attribution import selectors as attribution
from common import figures
from common.periods import Period
from dashboards import periods
from dashboards.cards.base import Card, Reading, change
from dashboards.selectors import kept

SECONDS = 60
MONEY_PAGE = "/dashboards/campaigns/?period=30d"


@dataclass(frozen=True)
class Month:
    """One month's money, in minor units."""

    attributed_minor: int
    conversions: int
    roi_percent: float | None
    conversion_rate: float | None


def _read(span: Period) -> Month:
    report = attribution.campaign_roi(span)
    totals = report.totals
    # Campaigns that were sent elsewhere earn, too, and have no messages to divide by.
    sent = [campaign for campaign in report.campaigns if campaign.sends]
    sends, conversions = sum(one.sends for one in sent), sum(one.conversions for one in sent)
    return Month(
        attributed_minor=totals.revenue_minor - totals.unattributed_minor,
        conversions=totals.conversions,
        roi_percent=report.total.roi_percent,
        conversion_rate=conversions / sends if sends else None,
    )


def history(place: Organization) -> tuple[list[Month], Month]:
    """The last six months, and last month as far as this one has come. Kept for a minute."""
    return kept(
        "months",
        SECONDS,
        lambda: ([_read(span) for span in periods.months(place)], _read(periods.so_far_last_month(place))),
    )


def _revenue(place: Organization) -> Reading:
    months, before = history(place)
    now = months[-1].attributed_minor
    return Reading(
        figures.headline(now, place.currency),
        f"of {months[-1].conversions:,} orders",
        "/dashboards/attribution/",
        [month.attributed_minor for month in months],
        change([before.attributed_minor, now]),
    )


def _roi(place: Organization) -> Reading:
    months, before = history(place)
    now = months[-1].roi_percent
    trend = [month.roi_percent for month in months if month.roi_percent is not None]
    if now is None:
        return Reading("–", "no campaign has a cost this month", MONEY_PAGE, trend)
    compared = change([before.roi_percent, now]) if before.roi_percent is not None else None
    return Reading(f"{now:,.0f} %".replace("-", "−"), "back on what campaigns cost", MONEY_PAGE, trend, compared)


def _conversion(place: Organization) -> Reading:
    months, before = history(place)
    now = months[-1].conversion_rate
    trend = [month.conversion_rate for month in months if month.conversion_rate is not None]
    if now is None:
        return Reading("–", "no campaign sent anything this month", MONEY_PAGE, trend)
    compared = change([before.conversion_rate, now]) if before.conversion_rate is not None else None
    return Reading(f"{now:.1%}", "orders credited per message", MONEY_PAGE, trend, compared)


CARDS = [
    Card(
        "revenue", "Attributed revenue", "payments", "attribution", "Orders our marketing is credited with.", _revenue
    ),
    Card("roi", "Return on campaigns", "trending_up", "attribution", "(Revenue − cost) ÷ cost, linear model.", _roi),
    Card(
        "conversion", "Conversion", "shopping_cart", "attribution", "Credited orders per message sent.", _conversion
    ),
]
