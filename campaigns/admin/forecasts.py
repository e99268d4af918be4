"""A forecast in the words of a page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from campaigns import selectors
from campaigns.domain.forecast import Range
from campaigns.models import Campaign
from campaigns.selectors import Forecast, Told, launching
from common import money

WORDS = {"opens": "Opens", "clicks": "Clicks", "conversions": "Conversions", "revenue": "Revenue"}


@dataclass(frozen=True)
class Line:
    """A metric: its middle and its interval, as read."""

    label: str
    middle: str
    interval: str
    hint: str = ""


@dataclass(frozen=True)
class Past:
    """A campaign that was learnt from."""

    name: str
    address: str
    said: str


@dataclass(frozen=True)
class Shown:
    reach: int
    lines: list[Line]
    basis: str
    level: str
    past: list[Past]


@dataclass(frozen=True)
class Verdict:
    """A metric as it was foreseen and as it came."""

    label: str
    foreseen: str
    actual: str
    verdict: str
    level: str


def shown(made: Forecast) -> Shown:
    """The forecast as lines; metrics nobody can foresee are left out."""
    lines = [
        _line(name, figure, made.currency, made.conversion_word if name == "conversions" else "")
        for name, figure in made.figures.items()
        if figure is not None
    ]
    past = [
        Past(
            each.outcome.campaign.name,
            reverse("admin:campaigns_campaign_change", args=[each.outcome.campaign_id]),
            f"{each.outcome.sent_count:,} sent, {_percent(each.open_rate)} opened, "
            f"{_percent(each.click_rate)} clicked",
        )
        for each in made.comparables
    ]
    return Shown(made.reach, lines, made.basis, f"{made.level:.0%}", past)


def verdicts(lines: list[Told], currency: str) -> list[Verdict]:
    """The forecast of the launch beside what came."""
    said = {True: ("Held", "good"), False: ("Missed", "warning"), None: ("Still coming in", "plain")}
    return [
        Verdict(
            WORDS[line.name],
            _line(line.name, line.foreseen, currency).interval,
            _amount(line.name, line.actual, currency),
            *said[line.held],
        )
        for line in lines
    ]


def _line(name: str, figure: Range, currency: str, hint: str = "") -> Line:
    low, high = (_amount(name, each, currency) for each in (figure.low, figure.high))
    return Line(WORDS[name], _amount(name, figure.middle, currency), low if low == high else f"{low} – {high}", hint)


def _amount(name: str, value: float, currency: str) -> str:
    return money.show(round(value), currency) if name == "revenue" else f"{round(value):,}"


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def before_launch(campaign: Campaign) -> dict[str, Any]:
    """Whom it reaches and what will probably come of it."""
    preview = selectors.audience_preview(campaign)
    made, planned = selectors.forecast(campaign, preview), launching.plan(campaign, preview.reachable_count)
    return {
        "preview": preview,
        "plan": planned,
        "overlaps": planned.overlaps,
        "foreseen": shown(made),
        "record": selectors.track_record(before=campaign),
    }
