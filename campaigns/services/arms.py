"""A campaign's experiment: its arms as they are written, what each of them sends, and when people are let in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from campaigns.domain import arms as plans
from campaigns.domain.arms import ArmPlan
from campaigns.models import Campaign, CampaignRun, EmailTemplate, RunArm
from common.errors import AppError, Conflict, Invalid, Permanent
from delivery import services as delivery
from delivery.models import Content
from experiments import services as experiments
from experiments.domain import metrics as rules
from experiments.models import Arm, Experiment, ExperimentStatus
from experiments.services import ArmDraft

SEVERAL = 2
CLICK_DAYS = 3


@dataclass(frozen=True)
class Planned:
    """An arm with what it means."""

    arm: Arm
    plan: ArmPlan


def write(campaign: Campaign, drafts: Sequence[ArmDraft]) -> None:
    """Replace the arms; the first ones make a draft of an experiment, none take it away. Raises `Invalid`."""
    drafts = [replace(draft, payload=plans.parse(draft.payload, draft.key).as_json()) for draft in drafts]
    experiment = campaign.experiment
    if not drafts:
        _take_away(campaign)
    elif len(drafts) < SEVERAL:
        sentence = "An experiment compares two arms or more."
        raise Invalid(sentence, details={"arms": sentence})
    elif experiment is None:
        values = {"name": f"{campaign.name}"[:200], "metrics": clicks(campaign)}
        campaign.experiment = experiments.create_experiment(
            values, drafts, source_type="campaign", source_id=campaign.pk
        )
        campaign.save(update_fields=["experiment"])
    else:
        experiments.update_experiment(experiment, {}, arms=drafts)


def arms_of(campaign: Campaign) -> list[ArmDraft]:
    """The arms as drafts; none without an experiment."""
    return experiments.arms_of(campaign.experiment) if campaign.experiment is not None else []


def clicks(campaign: Campaign) -> list[dict[str, Any]]:
    """What decides unless somebody chooses otherwise: who clicked in this campaign's message."""
    where = [{"property": "campaign_id", "operator": "equals", "value": campaign.pk}]
    return [
        {
            "key": "clicked", "name": "Clicked", "kind": "conversion", "event": "email_clicked", "where": where,
            "role": "primary", "window_days": CLICK_DAYS,
        }
    ]  # fmt: skip


def copy(campaign: Campaign, source: Campaign, offers: dict[int, int]) -> None:
    """The same experiment as a new draft for a copy; `offers`: the ids of the old offers and of the new ones."""
    if source.experiment is None:
        return
    drafts = []
    for draft in arms_of(source):
        plan = plans.parse(draft.payload, draft.key)
        offer_id = offers.get(plan.offer_id) if plan.offer_id is not None else None
        drafts.append(replace(draft, payload=replace(plan, offer_id=offer_id).as_json()))
    write(campaign, drafts)
    assert campaign.experiment is not None
    old = source.experiment
    metrics = clicks(campaign) if old.metrics == _dumped(clicks(source)) else old.metrics
    values = {"hypothesis": old.hypothesis, "metrics": metrics, "winner_rule": old.winner_rule}
    experiments.update_experiment(campaign.experiment, values)


def missing(campaign: Campaign) -> dict[str, str]:
    """What keeps the experiment from starting with the campaign, by field."""
    if campaign.experiment is None:
        return {"test_percent": "There is nothing to test: add arms first."} if campaign.test_percent else {}
    if campaign.experiment.status not in (ExperimentStatus.DRAFT, ExperimentStatus.RUNNING):
        return {"experiment": f"“{campaign.experiment}” is {campaign.experiment.status}; duplicate it to ask again."}
    wrong: dict[str, str] = {}
    try:
        arms = planned(campaign)
    except Invalid as error:
        return dict(error.details)
    if len(arms) < SEVERAL:
        wrong["experiment"] = "An experiment compares two arms or more."
    for each in arms:
        wrong |= _missing_of(each, campaign)
    channels = {template.channel for template in _templates(campaign, arms)}
    if len(channels) > 1:
        wrong["experiment"] = "The arms of a campaign speak on one channel, so that their cost can be compared."
    return wrong | _missing_of_test(campaign, arms)


def planned(campaign: Campaign) -> list[Planned]:
    """The arms in their order, read; raises `Invalid`."""
    if campaign.experiment is None:
        return []
    return [Planned(arm, plans.parse(arm.payload, arm.key)) for arm in campaign.experiment.arms.order_by("position")]


def first_content(campaign: Campaign) -> Content | None:
    """What the campaign sends where an arm says nothing; of arms that all have their own, that of the first."""
    published = campaign.template.published if campaign.template is not None else None
    if published is not None:
        return published.content
    templates = _templates(campaign, planned(campaign))
    return templates[0].published.content if templates and templates[0].published is not None else None


def fix_contents(run: CampaignRun) -> None:
    """What each arm sends from now on, whatever is published later."""
    run.arms.all().delete()
    arms = [each for each in planned(run.campaign) if each.plan.template_id is not None]
    templates = EmailTemplate.objects.select_related("published").in_bulk([each.plan.template_id for each in arms])
    for each in arms:
        published = templates[each.plan.template_id].published if each.plan.template_id in templates else None
        if published is not None:
            RunArm.objects.create(run=run, arm=each.arm, content_id=published.content_id)


def begin(campaign: Campaign) -> Experiment | None:
    """The experiment, held and running, or None where there is none to take part in. Starts a draft.

    A first test takes in only its share of the people. Raises `Permanent` when it cannot start.
    """
    if campaign.experiment_id is None:
        return None
    held = Experiment.objects.select_for_update(no_key=True).get(pk=campaign.experiment_id)
    if held.status == ExperimentStatus.DRAFT:
        try:
            if campaign.test_percent:
                held = experiments.update_experiment(held, {"coverage": campaign.test_percent / 100})
            held = experiments.start(held)
        except AppError as error:
            raise Permanent(f"Its experiment cannot start: {error}") from error
    return held if held.status == ExperimentStatus.RUNNING else None


def standing_winner(campaign: Campaign) -> Arm | None:
    """Once an experiment named its winner, everybody gets it."""
    return campaign.experiment.winner if campaign.experiment is not None else None


ASSIGNED = """
SELECT contact_id FROM campaigns_target
WHERE organization_id = %(organization)s AND run_id = %(run)s AND arm_id IS NOT NULL
"""


def assign(run: CampaignRun, experiment: Experiment) -> None:
    """Write down the arms that the snapshot drew, by the same hash. Who is addressed has met the arm."""
    experiments.assign_selected(experiment, ASSIGNED, {"run": run.pk}, is_exposed=True)


def stop(campaign: Campaign, reason: str) -> None:
    """A campaign that is cancelled asks nothing any more."""
    if campaign.experiment_id is None:
        return
    held = Experiment.objects.select_for_update(no_key=True).get(pk=campaign.experiment_id)
    shared = Campaign.objects.filter(experiment=held, status__in=["active", "paused"]).exclude(pk=campaign.pk)
    if held.status == ExperimentStatus.RUNNING and not shared.exists():
        experiments.stop(held, reason=reason)


def _take_away(campaign: Campaign) -> None:
    experiment = campaign.experiment
    if experiment is None:
        return
    campaign.experiment = None
    campaign.save(update_fields=["experiment"])
    is_own = experiment.source_type == "campaign" and experiment.source_id == campaign.pk
    if is_own and experiment.status == ExperimentStatus.DRAFT:
        experiments.delete_experiment(experiment)


def _templates(campaign: Campaign, arms: Sequence[Planned]) -> list[EmailTemplate]:
    """Every template that may go out, the campaign's own first."""
    ids = [each.plan.template_id for each in arms if each.plan.template_id is not None]
    found = EmailTemplate.objects.select_related("published__content").in_bulk(ids)
    own = [campaign.template] if campaign.template is not None else []
    return own + [found[pk] for pk in ids if pk in found]


def _missing_of(each: Planned, campaign: Campaign) -> dict[str, str]:
    place, wrong = f"arms.{each.arm.key}", {}
    if each.plan.template_id is not None:
        template = EmailTemplate.objects.filter(pk=each.plan.template_id).first()
        if template is None:
            wrong[f"{place}.template_id"] = f"There is no template {each.plan.template_id}."
        elif template.published is None:
            wrong[f"{place}.template_id"] = f"“{template}” is not published yet; publish it first."
        elif nothing := delivery.no_way_for(template.channel):
            wrong[f"{place}.template_id"] = nothing
    elif campaign.template is None and each.plan.send_at is not None:
        wrong[f"{place}.send_at"] = "There is no message to send at that time: choose a template."
    if each.plan.offer_id is not None and not campaign.offers.filter(pk=each.plan.offer_id).exists():
        wrong[f"{place}.offer_id"] = f"The campaign has no offer {each.plan.offer_id}."
    return wrong


def _missing_of_test(campaign: Campaign, arms: Sequence[Planned]) -> dict[str, str]:
    if not campaign.test_percent:
        return {}
    wrong: dict[str, str] = {}
    if not campaign.test_hours:
        wrong["test_hours"] = "Say after how many hours at the latest the rest follows."
    if campaign.timing == "recurring":
        wrong["test_percent"] = "What goes out again and again is compared among everybody, not in a first test."
    if any(each.plan.send_at is not None for each in arms):
        wrong["test_percent"] = "Times of day are compared among everybody: the rest could not wait for the best one."
    return wrong


def _dumped(metrics: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return rules.dump(rules.parse(metrics))


def check_free(campaign: Campaign) -> None:
    """Raises `Conflict` for an experiment that another campaign asks."""
    if campaign.experiment is None:
        return
    other = Campaign.objects.filter(experiment=campaign.experiment).exclude(pk=campaign.pk).first()
    if other is not None:
        raise Conflict(f"“{campaign.experiment}” belongs to the campaign “{other}”.", code="in_use")
