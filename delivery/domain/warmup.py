"""Warm-up of a sending domain: how many marketing mails a day, when more, when fewer; each decision with its reason.

Numbers. Vendors' schedules start at 50–200 a day and agree to grow by no more than twice at a step and to take
30–90 days (SocketLabs, "IP and domain warm-up"; SparkPost and Twilio SendGrid warm-up guides); Google asks bulk
senders to "increase slowly", with engaged people first, and draws its line at 5 000 a day (Email sender
guidelines, 2024). Bounces below 2 % and complaints below 0.1 % are the same guides' marks; Google's never-reach
line is 0.3 %.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from delivery.domain import rates

BOUNCE_LIMIT = 0.02
COMPLAINT_LIMIT = 0.001
# From here a step back is not enough: two.
BAD_FACTOR = 2.5
# A day proves something when so much of its budget was used.
USED_SHARE = 0.5


@dataclass(frozen=True)
class Tier:
    """`per_day` mails on each of at least `days` days."""

    per_day: int
    days: int


TIERS: tuple[Tier, ...] = (
    Tier(50, 2), Tier(100, 2), Tier(200, 2), Tier(400, 2), Tier(800, 2), Tier(1_500, 2), Tier(3_000, 2),
    Tier(5_000, 3), Tier(10_000, 3), Tier(20_000, 3), Tier(40_000, 3), Tier(70_000, 3), Tier(100_000, 3),
    Tier(150_000, 3), Tier(250_000, 3), Tier(400_000, 3), Tier(600_000, 3), Tier(1_000_000, 3),
)  # fmt: skip
MOST_PER_DAY = TIERS[-1].per_day


class Verdict(StrEnum):
    PROMOTE = "promote"
    KEEP = "keep"
    DEMOTE = "demote"
    FINISH = "finish"


@dataclass(frozen=True)
class Record:
    """What happened on a tier: days that used at least half of their budget, mails and what came back."""

    days: int
    sent: int
    bounced: int
    complained: int


@dataclass(frozen=True)
class Decision:
    """The tier from now on, why, and what the next promotion still needs."""

    verdict: Verdict
    tier: int
    sentence: str
    needs: tuple[str, ...] = ()


def budget(tier: int, goal: int, reduction: int = 0) -> int:
    """Mails a day on a tier, never above the goal; `reduction` tiers fewer where a mailbox provider slows us."""
    return min(TIERS[max(0, min(tier - reduction, len(TIERS) - 1))].per_day, goal)


def last_tier(goal: int) -> int:
    """The first tier that carries the goal."""
    return next((index for index, tier in enumerate(TIERS) if tier.per_day >= goal), len(TIERS) - 1)


def decide(tier: int, goal: int, record: Record) -> Decision:
    """Up, down, stay or done. Never up on thin data, never more than one tier up."""
    trouble = _trouble(record)
    if trouble:
        sentence, steps = trouble
        lower = max(0, tier - steps)
        if lower < tier:
            return Decision(Verdict.DEMOTE, lower, f"{sentence}, so it goes back to {budget(lower, goal):,} a day.")
        return Decision(
            Verdict.KEEP, tier, f"{sentence}; it stays at {budget(tier, goal):,} a day until that is better."
        )
    needs = _needs(tier, record)
    if needs:
        said = f"It stays at {budget(tier, goal):,} a day: the next step needs {_and(needs)}."
        return Decision(Verdict.KEEP, tier, said, needs)
    kept = f"{_days(record.days)} kept with {_kept(record)}"
    if tier >= last_tier(goal):
        return Decision(Verdict.FINISH, tier, f"{kept}: the warm-up is done, {goal:,} a day and more may go.")
    return Decision(Verdict.PROMOTE, tier + 1, f"{kept}: {budget(tier + 1, goal):,} a day from now on.")


def _trouble(record: Record) -> tuple[str, int] | None:
    """What is surely above its limit, and how many tiers back that leads."""
    found: list[tuple[str, int]] = []
    for noun, bad, limit in (
        ("bounced", record.bounced, BOUNCE_LIMIT),
        ("were reported as spam", record.complained, COMPLAINT_LIMIT),
    ):
        # Two of anything, so that one angry or mistyped person decides nothing.
        surely = rates.lower(bad, record.sent)
        if bad >= 2 and surely >= limit:
            share = percent(rates.rate(bad, record.sent))
            sentence = f"{bad:,} of {record.sent:,} mails {noun} ({share}, limit {percent(limit)})"
            found.append((sentence, 2 if surely >= BAD_FACTOR * limit else 1))
    return max(found, key=lambda each: each[1], default=None)


def _needs(tier: int, record: Record) -> tuple[str, ...]:
    needs = []
    missing_days = TIERS[tier].days - record.days
    if missing_days > 0:
        needs.append(f"{_days(missing_days)} more that use half of the day's amount")
    clean = rates.enough(record.bounced, BOUNCE_LIMIT)
    if record.sent < clean:
        mails = f"{clean - record.sent:,} more mails without another bounce"
        needs.append(f"{mails} (to be sure that fewer than {percent(BOUNCE_LIMIT)} bounce)")
    if record.complained:
        calm = int(record.complained / COMPLAINT_LIMIT) + 1
        if record.sent < calm:
            needs.append(f"{calm - record.sent:,} more mails without another complaint")
    return tuple(needs)


def _kept(record: Record) -> str:
    bounced = percent(rates.rate(record.bounced, record.sent))
    complained = percent(rates.rate(record.complained, record.sent))
    return f"{bounced} bounces and {complained} complaints among {record.sent:,} mails"


def percent(value: float) -> str:
    """0.02 → 2 %, 0.0013 → 0.13 %, at most two places."""
    return f"{value * 100:.2f}".rstrip("0").rstrip(".") + " %"


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _and(parts: tuple[str, ...]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


# --- the plan for a new domain -----------------------------------------------------------------------


@dataclass(frozen=True)
class PlannedDay:
    """One day of the calendar: how many may go, and what to look at."""

    day: date
    number: int
    tier: int
    mails: int
    watch: str


def plan(goal: int, first_day: date) -> list[PlannedDay]:
    """The calendar to `goal` mails a day when everything goes well: the last line is the first day at the goal."""
    days: list[PlannedDay] = []
    for tier in range(last_tier(goal) + 1):
        is_last = tier == last_tier(goal)
        for kept in range(1 if is_last else TIERS[tier].days):
            number = len(days)
            days.append(
                PlannedDay(
                    first_day + timedelta(days=number), number + 1, tier, budget(tier, goal), _watch(tier, kept)
                )
            )
    return days


def _watch(tier: int, kept: int) -> str:
    if kept:
        return "The same amount again: bounces under 2 %, complaints under 0.1 %."
    if tier == 0:
        return "Only people who opened or clicked in the last 30 days. SPF, DKIM and DMARC must pass before."
    if TIERS[tier].per_day <= 400:
        return "Still the most engaged. Look for deferrals by one mailbox provider."
    if TIERS[tier].per_day <= 3_000:
        return "People active in the last 90 days. Does the share of opens at Gmail and Outlook hold?"
    if TIERS[tier].per_day == 5_000:
        return "From here Gmail and Yahoo count you as a bulk sender: DMARC and one-click unsubscribe are required."
    return "The whole list without those silent for a year. Compare opens by mailbox provider with the day before."
