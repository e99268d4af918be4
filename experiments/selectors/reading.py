"""The read-out of an experiment: everything from sums, so it costs the same at a thousand people and ten million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from accounts.models import Organization
from common import clock
from experiments.domain import balance, families, read_outs, verdicts, winners
from experiments.domain import metrics as metric_rules
from experiments.domain.balance import Balance
from experiments.domain.comparison import Difference
from experiments.domain.metrics import Metric, Role
from experiments.domain.read_outs import MetricReadOut
from experiments.domain.strata import Stratum
from experiments.domain.verdicts import Verdict
from experiments.models import Arm, Experiment, ExperimentStatus, Problem
from experiments.selectors import sums, words

COUNTED_PEOPLE = 10_000  # beyond it the page says "more than"


@dataclass(frozen=True)
class ReadOut:
    """All that is known of an experiment now. Lists by arm stand in the order of `arms`.

    `people` have met their arm and are counted; `waiting` are still to be counted; `problems` are assignments that
    are not what they should be. `decision` is the winner that the rule would name, and why.
    """

    experiment: Experiment
    arms: list[Arm]
    control: int
    currency: str
    people: list[int]
    balance: Balance | None
    metrics: list[MetricReadOut]
    problems: dict[str, int]
    waiting: int
    days: int
    verdict: Verdict
    decision: tuple[int, str] | None

    @property
    def primary(self) -> MetricReadOut | None:
        """The metric that decides: the first primary one, else the first."""
        return self.metrics[0] if self.metrics else None

    @property
    def is_balanced(self) -> bool:
        return self.balance is None or not self.balance.is_off

    @property
    def harmed(self) -> list[tuple[MetricReadOut, int]]:
        """Guardrails that got worse, with the place of the arm that did it."""
        guardrails = [one for one in self.metrics if one.metric.role == Role.GUARDRAIL]
        return [(one, other.place) for one in guardrails for other in one.compared if other.is_harmed]


def read_out(experiment: Experiment) -> ReadOut:
    """Read an experiment. Two short queries and some thousands of sums; no event and no person is looked at."""
    arms = list(experiment.arms.order_by("position"))
    control = next((place for place, arm in enumerate(arms) if arm.is_control), 0)
    organization = Organization.objects.only("currency", "timezone").get(pk=experiment.organization_id)
    held = sums.spans(experiment, arms)
    everybody = held.get("", {})
    metrics = _adjusted(
        [
            read_outs.read(metric, list(held.get(metric.key, {}).values()), control)
            for metric in metric_rules.parse(experiment.metrics)
        ]
    )
    made = ReadOut(
        experiment=experiment,
        arms=arms,
        control=control,
        currency=organization.currency,
        people=[sum(span[place].n for span in everybody.values()) for place in range(len(arms))],
        balance=_balance(experiment, arms, everybody),
        metrics=metrics,
        problems=_problems(experiment),
        waiting=experiment.touched.all()[: COUNTED_PEOPLE + 1].count(),
        days=_days(experiment),
        verdict=verdicts.Verdict("wait", "", ""),
        decision=None,
    )
    made = replace(made, decision=_decision(made))
    return replace(made, verdict=words.verdict(made, _today(organization)))


def lift_over_time(made: ReadOut, metric: Metric, place: int) -> list[tuple[date, Difference]]:
    """After each day of exposures the lift of one arm, with the interval that holds over all days together."""
    days = sums.days(made.experiment, made.arms, metric.key)
    found = read_outs.over_time(metric, list(days.values()), made.control, place)
    return [(day, one) for day, one in zip(days, found, strict=True) if one is not None]


def _adjusted(metrics: Sequence[MetricReadOut]) -> list[MetricReadOut]:
    """Benjamini–Hochberg over all comparisons but those of guardrails, which are alarms and not finds."""
    family = [
        (one.metric.key, other.place)
        for one in metrics
        if one.metric.role != Role.GUARDRAIL
        for other in one.compared
    ]
    plain = {(one.metric.key, other.place): other.at_any_time.p_value for one in metrics for other in one.compared}
    found = dict(zip(family, families.adjusted([plain[key] for key in family]), strict=True))
    return [
        replace(
            one,
            compared=[
                replace(other, adjusted_p=found.get((one.metric.key, other.place), other.at_any_time.p_value))
                for other in one.compared
            ],
        )
        for one in metrics
    ]


def _balance(experiment: Experiment, arms: Sequence[Arm], everybody: Mapping[int, Stratum]) -> Balance | None:
    """Are the arms as large as they were meant to be? Of a bandit each span was meant to be something else."""
    counts = [sum(span[place].n for span in everybody.values()) for place in range(len(arms))]
    if not sum(counts):
        return None
    shares = {row.epoch: row.shares for row in experiment.allotments.all()}
    meant = [0.0] * len(arms)
    for epoch, span in everybody.items():
        people = sum(arm.n for arm in span)
        for place, arm in enumerate(arms):
            meant[place] += people * shares.get(epoch, {}).get(arm.key, 0.0)
    return balance.check(counts, meant) if all(meant) else None


def _problems(experiment: Experiment) -> dict[str, int]:
    """Kind of problem → how many assignments have it, counted no further than COUNTED_PEOPLE."""
    found: dict[str, int] = {}
    for problem in Problem.values:
        if problem:
            rows = experiment.assignments.filter(problem=problem)[: COUNTED_PEOPLE + 1]
            if count := rows.count():
                found[problem] = count
    return found


def _days(experiment: Experiment) -> int:
    if experiment.started_at is None:
        return 0
    return ((experiment.stopped_at or clock.now()) - experiment.started_at).days


def _today(organization: Organization) -> date:
    return clock.now().astimezone(ZoneInfo(organization.timezone)).date()


def _decision(made: ReadOut) -> tuple[int, str] | None:
    """What the rule would do now, were it on."""
    rule = winners.parse(made.experiment.winner_rule)
    primary = made.primary
    if primary is None or made.experiment.status != ExperimentStatus.RUNNING or not made.is_balanced or made.waiting:
        return None
    if winners.waits_for(rule, primary, made.days):
        return None
    return winners.decide(rule, primary, made.control, {place for _, place in made.harmed})
