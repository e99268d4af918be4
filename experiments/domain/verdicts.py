"""What a read-out says in one sentence, and what to do now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from math import ceil, isfinite

from experiments.domain.comparison import Difference
from experiments.domain.metrics import Metric

LONGEST_WAIT_DAYS = 365


@dataclass(frozen=True)
class Verdict:
    """`tone` is good, bad, wait or alarm; `sentence` is what we know, `what_now` what to do about it."""

    tone: str
    sentence: str
    what_now: str


def of_comparison(
    metric: Metric, arm: str, control: str, lift: Difference | None, change: Difference, amounts: tuple[str, str, str]
) -> str:
    """`B brings 4.1 % more Ordered than Control; between 1.2 % and 7.0 % more.` `amounts` are value, low and high of
    the change as they are to be shown, for metrics of which control has nothing."""
    told = lift if lift is not None else change
    if not told.is_significant:
        return (
            f"No difference in {metric.name} is shown yet between “{arm}” and “{control}”: "
            f"the truth lies between {_span(lift, amounts)}."
        )
    better = (told.value > 0) == (metric.sign > 0)
    word = "more" if told.value > 0 else "less"
    size = per_cent(abs(lift.value)) if lift is not None else amounts[0]
    end = "" if better == (told.value > 0) else ", which is better" if better else ", which is worse"
    return (
        f"“{arm}” brings {size} {word} {metric.name} than “{control}”{end}; "
        f"between {_span(lift, amounts)}, however often you look."
    )


def per_cent(share: float) -> str:
    return f"{share * 100:,.1f} %"


def signed(share: float) -> str:
    """`1.2 % less`, `7.0 % more`."""
    return f"{per_cent(abs(share))} {'less' if share < 0 else 'more'}"


def _span(lift: Difference | None, amounts: tuple[str, str, str]) -> str:
    if lift is None:
        return f"{amounts[1]} and {amounts[2]}"
    if lift.low >= 0 or lift.high <= 0:
        low, high = sorted((abs(lift.low), abs(lift.high)))
        return f"{per_cent(low)} and {per_cent(high)} {'more' if lift.low >= 0 else 'less'}"
    return f"{signed(lift.low)} and {signed(lift.high)}"


def wait(change: Difference, people: int, people_a_day: float, today: date) -> str:
    """When the lasting interval would leave out no difference, if things go on as they are.

    Its width shrinks with the root of the people, so they must grow by the square of what is missing.
    """
    reach = (change.high - change.low) / 2
    if not change.value or people_a_day <= 0 or not isfinite(reach):
        return "So far nothing points either way; let it run on, or test something bolder."
    missing = people * ((reach / change.value) ** 2 - 1)
    days = ceil(missing / people_a_day)
    if days > LONGEST_WAIT_DAYS:
        return "If it goes on like this no year would be enough to tell; stop it and test something bolder."
    end = today + timedelta(days=days)
    by = f"{end:%A}" if days < 7 else f"{end.day} {end:%B}" if end.year == today.year else f"{end.day} {end:%B %Y}"
    return f"Let it run: if it goes on like this there are enough people by {by}."
