"""A read-out in words a marketer uses."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from common import money
from experiments.domain import verdicts, winners
from experiments.domain.metrics import Kind, Metric
from experiments.domain.read_outs import Compared, MetricReadOut
from experiments.domain.verdicts import Verdict
from experiments.models import ExperimentStatus

if TYPE_CHECKING:
    from experiments.selectors.reading import ReadOut


def amount(metric: Metric, value: float, currency: str) -> str:
    """A value of a metric: a share in per cent, money with its currency, else a number."""
    if metric.kind == Kind.CONVERSION:
        return f"{value * 100:,.2f} %"
    if metric.is_money:
        return money.show(round(value), currency)
    return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"


def verdict(made: ReadOut, today: date) -> Verdict:
    """What is known, and what to do now. Alarms come before finds: numbers that lie are not told."""
    status = made.experiment.status
    if status == ExperimentStatus.DRAFT:
        return Verdict("wait", "It has not started.", "Check the arms and the planner, then start it.")
    if not sum(made.people):
        return Verdict("wait", "Nobody has met an arm yet.", _how_people_come(made))
    if not made.is_balanced:
        return _unbalanced(made)
    if made.harmed:
        return _harmed(made)
    primary = made.primary
    if primary is None:
        return Verdict(
            "wait", f"{sum(made.people):,} people have met their arm.", "Add a metric, to compare the arms."
        )
    if primary.is_empty or not primary.compared:
        return Verdict("wait", "There are too few people to compare the arms.", "Let it run.")
    if not any(arm.value for arm in primary.arms):
        nothing = f"Nothing that “{primary.metric.name}” counts has happened yet, in any arm."
        return Verdict("wait", nothing, "Let it run; if it stays so, look whether the event is sent.")
    return _found(made, primary, today)


def sentence(made: ReadOut, one: MetricReadOut, other: Compared) -> str:
    """One comparison of one metric in words."""
    change = other.at_any_time
    amounts = tuple(
        amount(one.metric, value, made.currency) for value in (abs(change.value), change.low, change.high)
    )
    told = verdicts.of_comparison(
        one.metric,
        made.arms[other.place].name,
        made.arms[made.control].name,
        other.lift_at_any_time,
        change,
        (amounts[0], amounts[1], amounts[2]),
    )
    return f"{told} {_worth(made, one, other)}" if one.metric.is_money and other.is_shown else told


def _worth(made: ReadOut, one: MetricReadOut, other: Compared) -> str:
    """A lift of money in money: per person (or per event), and for everybody where it is per person."""
    change = other.at_any_time.value
    word = "more" if change > 0 else "less"
    each = money.show(round(abs(change)), made.currency)
    if one.metric.is_ratio:
        return f"That is {each} {word} each time."
    people = sum(one.people)
    whole = money.show(round(abs(change) * people), made.currency)
    return f"That is {each} {word} a person; {whole} {word}, had all {people:,} got it."


def _how_people_come(made: ReadOut) -> str:
    if made.waiting:
        return "They are being counted; look again in a moment."
    if made.experiment.source_type:
        return "They come when what uses the experiment runs."
    return (
        "Have your app ask for the arm, or send an “experiment_viewed” event with experiment and arm, "
        "when somebody meets it."
    )


def _unbalanced(made: ReadOut) -> Verdict:
    assert made.balance is not None
    told = ", ".join(
        f"“{arm.name}” has {count:,} people where {round(wanted):,} were expected"
        for arm, count, wanted in zip(made.arms, made.people, made.balance.expected, strict=True)
    )
    return Verdict(
        "alarm",
        f"The arms did not get the people they were meant to get: {told}. Do not trust any number below.",
        "Find what loses people of one arm (a redirect, a crash, an app that reports only one arm), mend it, and "
        "begin a new experiment.",
    )


def _harmed(made: ReadOut) -> Verdict:
    one, place = made.harmed[0]
    other = one.against(place)
    assert other is not None
    return Verdict(
        "bad",
        f"A guardrail is harmed: {sentence(made, one, other)}",
        f"Stop it, or change “{made.arms[place].name}”: it cannot win while it does this.",
    )


def _found(made: ReadOut, primary: MetricReadOut, today: date) -> Verdict:
    told = _most_telling(made, primary)
    text = sentence(made, primary, told)
    sign = primary.metric.sign
    if made.experiment.status != ExperimentStatus.RUNNING:
        winner = made.experiment.winner
        what_now = f"“{winner.name}” was named the winner; everybody gets it." if winner else "It is over."
        return Verdict("good" if told.is_shown and told.at_any_time.value * sign > 0 else "wait", text, what_now)
    if not told.is_shown:
        rate = sum(made.people) / max(made.days, 1)
        return Verdict("wait", text, verdicts.wait(told.at_any_time, sum(made.people), rate, today))
    is_better = told.at_any_time.value * sign > 0
    return Verdict("good" if is_better else "bad", text, _act(made, primary, told.place, is_better=is_better))


def _act(made: ReadOut, primary: MetricReadOut, place: int, *, is_better: bool) -> str:
    rule = winners.parse(made.experiment.winner_rule)
    name = made.arms[place if is_better else made.control].name
    if rule.is_on and (reason := winners.waits_for(rule, primary, made.days)):
        return f"The rule names the winner when it may: {reason}"
    if is_better or len(made.arms) == 2:
        return f"Stop it and name “{name}” the winner."
    return "Let the others run, or stop it and keep the control."


def _most_telling(made: ReadOut, primary: MetricReadOut) -> Compared:
    """The comparison of the likeliest best treatment; where it is the control, of the next best."""
    order = sorted(primary.compared, key=lambda one: primary.arms[one.place].to_be_best, reverse=True)
    shown = [one for one in order if one.is_shown and one.at_any_time.value * primary.metric.sign > 0]
    return (shown or order)[0]
