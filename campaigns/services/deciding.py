"""A first test of the arms on some of the people: the rest waits for the winner, or for the time it was given."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction

from accounts import versions
from campaigns.models import Campaign, CampaignRun, RunStatus
from common import clock, doorbell
from common.errors import Conflict, Invalid
from experiments import selectors as experiments_read
from experiments import services as experiments
from experiments.models import Arm, Experiment, ExperimentStatus

WORK = "campaign_runs"
OPEN = (RunStatus.PENDING, RunStatus.HELD, RunStatus.FAILED)


def decide(campaign: Campaign, arm: Arm, *, expected_version: int | None = None) -> Campaign:
    """A person decides before the time: the rest gets this arm from now on.

    Raises `Conflict` when no test waits, `Invalid` for an arm of another experiment.
    """
    with transaction.atomic():
        held = versions.lock(Campaign, campaign.pk)
        versions.check(held, expected_version)
        run = _waiting(held)
        if run is None or held.experiment is None:
            raise Conflict(f"No test of “{held}” waits for a decision.", code="state_forbids")
        if arm.experiment_id != held.experiment_id:
            raise Invalid(f"“{arm}” is no arm of this campaign.", details={"arm": "Choose one of its arms."})
        if held.experiment.status == ExperimentStatus.RUNNING:
            experiments.stop(held.experiment, arm, "Decided by a person.")
        take(run, arm)
    return held


def waits_for_winner(campaign: Campaign) -> bool:
    """Whether most of the campaign's people wait for the winner of a first test."""
    return _waiting(campaign) is not None


def decided(experiment_id: int) -> None:
    """The experiment stopped, by its rule or by a person: who waits for its winner goes on."""
    campaigns = list(Campaign.objects.filter(experiment_id=experiment_id).values_list("pk", flat=True))
    for campaign_id in campaigns:
        with transaction.atomic():
            held = versions.lock(Campaign, campaign_id)
            run = _waiting(held)
            if run is not None and held.experiment is not None:
                take(run, held.experiment.winner or _control(held.experiment))


def is_over(run: CampaignRun) -> bool:
    """Whether the time of the run's first test has come."""
    return run.is_testing and run.test_ends_at is not None and run.test_ends_at <= clock.now()


def wait(run: CampaignRun) -> None:
    """The test group has its messages; from now on the clock runs."""
    hours = run.campaign.test_hours or 0
    run.test_ends_at = run.test_ends_at or clock.now() + timedelta(hours=hours)
    run.run_at = run.test_ends_at


def by_time(run: CampaignRun) -> None:
    """Nobody decided in time: the winner by the rule, else the arm most likely to be the best, else the control."""
    assert run.campaign.experiment_id is not None
    experiment = Experiment.objects.select_for_update(no_key=True).get(pk=run.campaign.experiment_id)
    if experiment.status != ExperimentStatus.RUNNING:
        take(run, experiment.winner or _control(experiment))
        return
    winner, reason = _likeliest(experiment)
    experiments.stop(experiment, winner, reason)
    take(run, winner)


def take(run: CampaignRun, arm: Arm) -> None:
    """The rest gets this arm. The caller holds the campaign."""
    run.winner, run.decided_at, run.run_at = arm, clock.now(), clock.now()
    run.save(update_fields=["winner", "decided_at", "run_at"])
    doorbell.ring(WORK)


def _likeliest(experiment: Experiment) -> tuple[Arm, str]:
    read = experiments_read.read_out(experiment)
    if read.decision is not None:
        place, reason = read.decision
        return read.arms[place], reason
    primary = read.primary
    if primary is None or primary.best is None or not any(figure.total for figure in primary.arms):
        return read.arms[read.control], "Nothing came back in the time of the test, so the control goes on."
    best, chance = read.arms[primary.best], primary.arms[primary.best].to_be_best
    return best, f"The time of the test was over; “{best}” is the best with a chance of {chance:.0%}."


def _control(experiment: Experiment) -> Arm:
    return experiment.arms.get(is_control=True)


def _waiting(campaign: Campaign) -> CampaignRun | None:
    """The run whose rest waits."""
    runs = CampaignRun.objects.filter(campaign=campaign, status__in=OPEN, test_through_id__gt=0, decided_at=None)
    return runs.order_by("pk").first()
