"""How often lines of the assistant win against people's wordings, counted so that nobody can make it look better.

What does not help, and why:
- Taking more lines, or ignoring the bad ones: only randomised tests count, no acceptance.
- Letting the assistant meet itself: a test against a wording it ever proposed does not count, decided when the test
  is made, before there is a result.
- Dropping tests that go badly: every test that was started counts for ever; an experiment that ran cannot be deleted.
  One that is stopped, or has run for 30 days, without a proof is no success.
- Stopping at a lucky moment: a success needs the interval that holds at any look.
- Small or lopsided tests: without enough people there is no proof; with a wrong split of people (sample ratio) there
  is no success.
- Robots and scanners that click: their clicks make no event. Clicks while surely more people unsubscribe, or fewer
  buy, are no success.
- Many lines in one test: a test has one line of the assistant and one wording of a person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from django.db import connection

from campaigns.copy.testing import BOUGHT, CLICKED, LEFT
from campaigns.copy.writing import readable
from campaigns.models import CopyTest
from common import clock, tenancy
from delivery.domain import rates
from experiments.domain import balance, comparison, estimates
from experiments.domain.comparison import Difference
from experiments.domain.estimates import Estimate
from experiments.domain.moments import Moments
from experiments.models import ExperimentStatus

LONGEST = timedelta(days=30)
Z = 1.96
WON, LOST, EVEN, OPEN, EXCLUDED = "won", "lost", "even", "open", "excluded"

# Per test and arm the people, those who clicked, left and bought. Plan: all tests of the organisation (a handful a
# week), for each one range of one_sum_per_day; no event and no person is looked at.
SUMS_SQL = """
SELECT test.id, daily.arm_id, daily.metric, sum(daily.n)::bigint, sum(daily.y)::bigint
FROM campaigns_copytest test
CROSS JOIN LATERAL (
  SELECT arm_id, metric, n, y FROM experiments_metricdaily
  WHERE organization_id = %(organization)s AND experiment_id = test.experiment_id
    AND metric = ANY(%(metrics)s)) daily
WHERE test.organization_id = %(organization)s
GROUP BY test.id, daily.arm_id, daily.metric"""


@dataclass(frozen=True)
class Result:
    """One test. `lift` is the assistant's clicks over the person's, with the interval that holds at any look."""

    test: CopyTest
    outcome: str
    sentence: str
    own_people: int = 0
    own_clicks: int = 0
    assistant_people: int = 0
    assistant_clicks: int = 0
    lift: Difference | None = None

    @property
    def texts_shown(self) -> tuple[str, str]:
        """The assistant's line and the person's, as a reader sees them."""
        return readable(self.test.assistant_text), readable(self.test.own_text)

    @property
    def lift_shown(self) -> str:
        return "–" if self.lift is None else _change(self.lift.value, self.lift.low, self.lift.high)


@dataclass(frozen=True)
class Success:
    """`rate` is won / (won + lost + even), with Wilson's 95 %; None before a test is over.

    `lift` is the average over all started tests that count, open ones too (inverse variance, random effects).
    """

    won: int
    lost: int
    even: int
    open: int
    excluded: int
    rate: float | None
    low: float | None
    high: float | None
    lift: float | None
    lift_low: float | None
    lift_high: float | None
    sentence: str
    results: Sequence[Result]

    @property
    def rate_shown(self) -> str:
        return "–" if self.rate is None else f"{self.rate:.0%} ({self.low:.0%} to {self.high:.0%})"

    @property
    def lift_shown(self) -> str:
        if self.lift is None or self.lift_low is None or self.lift_high is None:
            return "–"
        return _change(self.lift, self.lift_low, self.lift_high)


def _change(value: float, low: float, high: float) -> str:
    return f"{value:+.1%} ({low:+.1%} to {high:+.1%})".replace("-", "−")


def success() -> Success:
    """The assistant's success in this organisation. Two queries."""
    tests = (
        CopyTest.objects.exclude(experiment__status=ExperimentStatus.DRAFT)
        .select_related("experiment", "own_arm", "assistant_arm")
        .order_by("-pk")
    )
    sums, now = _sums(), clock.now()
    return summed([_result(test, sums.get(test.pk, {}), now) for test in tests])


def summed(results: Sequence[Result]) -> Success:
    """All results together. Pure."""
    count = {name: sum(each.outcome == name for each in results) for name in (WON, LOST, EVEN, OPEN, EXCLUDED)}
    over = count[WON] + count[LOST] + count[EVEN]
    lift, lift_low, lift_high = _average([each for each in results if each.outcome != EXCLUDED])
    return Success(
        won=count[WON], lost=count[LOST], even=count[EVEN], open=count[OPEN], excluded=count[EXCLUDED],
        rate=count[WON] / over if over else None,
        low=rates.lower(count[WON], over, Z) if over else None,
        high=rates.upper(count[WON], over, Z) if over else None,
        lift=lift, lift_low=lift_low, lift_high=lift_high,
        sentence=_sentence(count, over), results=results,
    )  # fmt: skip


def _sentence(count: dict[str, int], over: int) -> str:
    if not over and not count[OPEN]:
        return "No test has begun. Ask for lines beside a subject and press “Test against mine”."
    if not over:
        return f"{count[OPEN]} tests are under way; none is over yet."
    return (
        f"In {count[WON]} of {over} finished tests surely more people clicked the assistant's line, in {count[LOST]} "
        f"the person's; in {count[EVEN]} nothing was proven, which counts as no success."
    )


# --- one test -------------------------------------------------------------------------------------------------


def _result(test: CopyTest, sums: dict[tuple[int, str], tuple[int, int]], now: datetime) -> Result:
    own, ours = (sums.get((arm_id, CLICKED), (0, 0)) for arm_id in (test.own_arm_id, test.assistant_arm_id))
    lift = _lift(own, ours)
    outcome, sentence = _outcome(test, own, ours, _harm(test, sums), now)
    return Result(test, outcome, sentence, *own, *ours, lift)


def _outcome(
    test: CopyTest, own: tuple[int, int], ours: tuple[int, int], harm: str, now: datetime
) -> tuple[str, str]:
    """What became of it, and why in a sentence."""
    if test.exclusion:
        return EXCLUDED, test.exclusion
    experiment = test.experiment
    started = experiment.started_at or now
    is_over = experiment.status != ExperimentStatus.RUNNING or now - started > LONGEST
    difference = _difference(own, ours)
    is_proven = difference is not None and difference.is_significant
    if is_proven and difference is not None and difference.value < 0:
        return LOST, "More people clicked the person's wording."
    if is_proven and not _is_balanced(test, own[0], ours[0]):
        return _unproven(is_over, "the split of people is not what it should be")
    if is_proven and harm:
        return _unproven(is_over, harm)
    if is_proven:
        return WON, "More people clicked the assistant's line."
    return _unproven(is_over, "the difference may be chance")


def _unproven(is_over: bool, why: str) -> tuple[str, str]:
    return (EVEN, f"Over without a proof: {why}.") if is_over else (OPEN, f"Under way: {why}.")


def _estimate(counts: tuple[int, int]) -> Estimate:
    n, y = counts
    return estimates.mean(Moments(n, y, y))


def _difference(own: tuple[int, int], ours: tuple[int, int]) -> Difference | None:
    """The difference of click rates that holds at any look; None while one arm is too small."""
    if min(own[0], ours[0]) < 2 or not own[1] + ours[1]:
        return None
    return comparison.absolute_at_any_time(_estimate(own), _estimate(ours))


def _lift(own: tuple[int, int], ours: tuple[int, int]) -> Difference | None:
    if min(own[0], ours[0]) < 2 or not own[1]:
        return None
    return comparison.relative_at_any_time(_estimate(own), _estimate(ours))


def _harm(test: CopyTest, sums: dict[tuple[int, str], tuple[int, int]]) -> str:
    """What surely got worse with the assistant's line; empty when nothing did."""
    for metric, sign, words in ((LEFT, 1, "more people unsubscribed"), (BOUGHT, -1, "fewer people bought")):
        own, ours = (sums.get((arm_id, metric), (0, 0)) for arm_id in (test.own_arm_id, test.assistant_arm_id))
        difference = _difference(own, ours)
        if difference is not None and difference.is_significant and difference.value * sign > 0:
            return words
    return ""


def _is_balanced(test: CopyTest, own: int, ours: int) -> bool:
    """Whether each arm got the people that it was meant to get."""
    weights = [test.own_arm.weight, test.assistant_arm.weight]
    return min(weights) > 0 and not balance.check([own, ours], weights).is_off


# --- all together ---------------------------------------------------------------------------------------------


def _average(results: Sequence[Result]) -> tuple[float | None, float | None, float | None]:
    """The mean lift with 95 %: DerSimonian and Laird (1986), for tests differ in more than chance."""
    rows = []
    for each in results:
        if min(each.own_clicks, each.assistant_clicks) > 0:
            own, ours = each.own_clicks / each.own_people, each.assistant_clicks / each.assistant_people
            variance = (ours / own) ** 2 * ((1 - own) / each.own_clicks + (1 - ours) / each.assistant_clicks)
            rows.append((ours / own - 1, max(variance, 1e-9)))
    if not rows:
        return None, None, None
    weights = [1 / variance for _, variance in rows]
    fixed = sum(weight * lift for weight, (lift, _) in zip(weights, rows, strict=True)) / sum(weights)
    spread = sum(weight * (lift - fixed) ** 2 for weight, (lift, _) in zip(weights, rows, strict=True))
    scale = sum(weights) - sum(weight**2 for weight in weights) / sum(weights)
    between = max(0.0, (spread - (len(rows) - 1)) / scale) if scale > 0 else 0.0
    weights = [1 / (variance + between) for _, variance in rows]
    mean = sum(weight * lift for weight, (lift, _) in zip(weights, rows, strict=True)) / sum(weights)
    error = 1 / sqrt(sum(weights))
    return mean, mean - 1.96 * error, mean + 1.96 * error


def _sums() -> dict[int, dict[tuple[int, str], tuple[int, int]]]:
    """Test → (arm, metric) → people and how many of them did."""
    values: dict[str, Any] = {"organization": tenancy.required(), "metrics": [CLICKED, LEFT, BOUGHT]}
    found: dict[int, dict[tuple[int, str], tuple[int, int]]] = {}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(SUMS_SQL, values)
        for test_id, arm_id, metric, people, did in cursor.fetchall():
            found.setdefault(test_id, {})[arm_id, metric] = (people, did)
    return found
