"""When marketing of a domain or a campaign stops by itself, and when it may go on by itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from delivery.domain import rates
from delivery.domain.warmup import percent

WINDOW = timedelta(hours=24)
# A domain's pause may end by itself when it was the first for a long while, and once only.
RECOVERY = timedelta(hours=48)
MEMORY = timedelta(days=30)


@dataclass(frozen=True)
class Measure:
    """One thing that stops sending. Below `enough` mails only a rate that is surely above the limit counts."""

    name: str
    noun: str
    limit: float
    enough: int
    at_least: int  # so many cases, whatever the rate
    advice: str


MEASURES: tuple[Measure, ...] = (
    Measure(
        "bounces",
        "bounced",
        0.02,
        200,
        3,
        "Find out where these addresses came from, take the unverified ones out of the audience, then resume.",
    ),
    Measure(
        "complaints",
        "were reported as spam",
        0.001,
        1_000,
        2,
        "Send only to people who asked for it and opened lately, make unsubscribing easy to see, then resume.",
    ),
)
BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True)
class Tally:
    """What left and what came back in a window."""

    sent: int
    bounced: int
    complained: int

    def bad(self, measure: Measure) -> int:
        return self.bounced if measure.name == "bounces" else self.complained


@dataclass(frozen=True)
class Brake:
    """A pause that the numbers call for, and the sentence that says so."""

    measure: Measure
    sent: int
    bad: int
    sentence: str


def judge(tally: Tally, what: str) -> Brake | None:
    """Whether `what` ("news.example", "campaign 7") must stop. At a limit exactly it stops, too."""
    for measure in MEASURES:
        bad, sent = tally.bad(measure), max(tally.sent, tally.bad(measure))
        if bad < measure.at_least or rates.rate(bad, sent) < measure.limit:
            continue
        if sent >= measure.enough or rates.lower(bad, sent) >= measure.limit:
            share, hours = percent(rates.rate(bad, sent)), int(WINDOW.total_seconds() // 3600)
            sentence = (
                f"Marketing from {what} is paused: {bad:,} of {sent:,} mails of the last {hours} hours "
                f"{measure.noun} ({share}; the limit is {percent(measure.limit)})."
            )
            return Brake(measure, sent, bad, sentence)
    return None


def recovers(paused_at: datetime, earlier_pauses: int, now: datetime) -> str:
    """Why a pause ends by itself, or "" while it does not.

    One pause in 30 days ends after 48 hours; whoever is paused again waits for a person.
    """
    if earlier_pauses or now - paused_at < RECOVERY:
        return ""
    return "Resumed by itself after 48 hours: it was the first pause in 30 days. The next one waits for a person."


def recovery_hint(paused_at: datetime, earlier_pauses: int) -> datetime | None:
    """When it would go on by itself; None when a person must decide."""
    return None if earlier_pauses else paused_at + RECOVERY
