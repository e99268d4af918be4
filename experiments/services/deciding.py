"""What the clock does with running experiments: a bandit's shares follow its results, and a rule names the winner."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from accounts import versions
from common import clock, doorbell, tenancy
from experiments.domain import bandits, estimates, read_outs, strata, winners
from experiments.domain import metrics as metric_rules
from experiments.domain.metrics import Kind, Metric
from experiments.domain.strata import Stratum
from experiments.models import Allocation, Allotment, Arm, Experiment, ExperimentStatus
from experiments.selectors import reading, sums
from experiments.services import control

SMALLEST_STEP = 0.01  # shares that would move less than this stay
# A span of constant shares is compared by itself, so it must hold enough people.
SHORTEST_SPAN = timedelta(hours=1)


def decide_everywhere() -> None:
    """Every organisation with a running experiment, one after another."""
    for organization_id in sorted(doorbell.organizations_with("experiments_experiment", "status = 'running'")):
        with tenancy.organization(organization_id):
            decide()


def decide() -> None:
    """Allot anew and name winners in the current organisation."""
    for experiment in Experiment.objects.filter(status=ExperimentStatus.RUNNING).order_by("pk"):
        if winners.parse(experiment.winner_rule).is_on and name_winner(experiment):
            continue
        if experiment.allocation == Allocation.BANDIT:
            allot(experiment)


def name_winner(experiment: Experiment) -> bool:
    """Stop an experiment whose rule has found its winner; returns whether it did."""
    made = reading.read_out(experiment)
    if made.decision is None:
        return False
    place, reason = made.decision
    control.stop(experiment, winner=made.arms[place], reason=reason)
    return True


def allot(experiment: Experiment) -> Allotment | None:
    """Give each arm the share of people with which it is likely the best; None where nothing is to change.

    New people are drawn by the new shares; who has an arm keeps it. Every change is a row, and a new span.
    """
    with transaction.atomic():
        held = versions.lock(Experiment, experiment.pk)
        last = held.allotments.order_by("-epoch").first()
        if held.status != ExperimentStatus.RUNNING or last is None or clock.now() - last.decided_at < SHORTEST_SPAN:
            return None
        arms = list(held.arms.order_by("position"))
        shares = _shares(held, arms)
        if shares is None or all(
            abs(new - last.shares[arm.key]) < SMALLEST_STEP for arm, new in zip(arms, shares, strict=True)
        ):
            return None
        for arm, new in zip(arms, shares, strict=True):
            arm.weight = new
        Arm.objects.bulk_update(arms, ["weight"])
        held.epoch = last.epoch + 1
        held.save(update_fields=["epoch"])
        return Allotment.objects.create(
            experiment=held,
            epoch=held.epoch,
            shares={arm.key: arm.weight for arm in arms},
            reason="The chance of each arm to be the best, from the results so far.",
        )


def _shares(experiment: Experiment, arms: list[Arm]) -> list[float] | None:
    """None while the current span, or any arm, has too few people to learn from."""
    metrics = metric_rules.parse(experiment.metrics)
    spans = sums.spans(experiment, arms).get(metrics[0].key, {}) if metrics else {}
    if experiment.epoch not in spans or any(arm.n < strata.ENOUGH for arm in spans[experiment.epoch]):
        return None
    return shares_of(metrics[0], list(spans.values()))


def shares_of(metric: Metric, spans: list[Stratum]) -> list[float] | None:
    """Thompson's shares. A share of people has a posterior of its own; other metrics are near normal."""
    if metric.kind == Kind.CONVERSION:
        whole = strata.total(spans)
        turned = whole if metric.sign > 0 else [type(arm)(arm.n, arm.n - arm.y) for arm in whole]
        return bandits.shares(turned)
    values = strata.weighted(spans, read_outs.estimator(metric))
    if any(one.variance <= 0 for one in values):
        return None
    return bandits.shares_of_means(
        [estimates.Estimate(metric.sign * one.value, one.variance, one.n) for one in values]
    )
