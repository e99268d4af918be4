"""How invitations spread this month."""

from __future__ import annotations

from accounts.models import Organization
from dashboards import periods
from dashboards.cards.base import Card, Reading, change
from dashboards.selectors import kept
from dashboards.targets import level_of_k, number
from viral import selectors as viral

SECONDS = 60


def history(place: Organization) -> tuple[list[float | None], float | None]:
    """K of the last six months, and of last month as far as this one has come. Kept for a minute."""

    def read() -> tuple[list[float | None], float | None]:
        months = [viral.coefficient(span).coefficient for span in periods.months(place)]
        return months, viral.coefficient(periods.so_far_last_month(place)).coefficient

    return kept("k", SECONDS, read)


def _k(place: Organization) -> Reading:
    months, before = history(place)
    now = months[-1]
    trend = [value for value in months if value is not None]
    if now is None:
        return Reading("–", "nobody invited anybody this month", "/dashboards/viral/", trend)
    compared = None if before is None else change([before, now])
    return Reading(number(now), "friends per inviter", "/dashboards/viral/", trend, compared, level_of_k(now))


CARDS = [Card("k", "Viral coefficient K", "share", "viral", "Friends who qualified ÷ people who invited.", _k)]
