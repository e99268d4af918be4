"""Campaigns as people write them: fields, audience and offers, edited as one thing with one history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from django.db import transaction
from django.db.models import Model

from accounts import audit, versions
from audience.models import Topic
from campaigns.domain import recurrence, states
from campaigns.models import Campaign, CampaignAudience, EmailTemplate, RunStatus
from campaigns.services import arms as experiment_arms
from campaigns.services import offer_drafts
from campaigns.services.offer_drafts import OfferDraft, offers_of
from common import clock, doorbell
from common.errors import Conflict, Invalid
from delivery import services as delivery
from delivery.models import Sender, SourceType
from experiments.models import Experiment
from experiments.services import ArmDraft
from segments.models import Segment

WORK = "campaign_runs"
FIELDS = states.EVERYTHING - {"audience", "offers", "arms"}


MADE_ELSEWHERE: tuple[tuple[str, type[Model]], ...] = (
    ("template_id", EmailTemplate),
    ("sender_id", Sender),
    ("topic_id", Topic),
    ("experiment_id", Experiment),
)


@dataclass(frozen=True)
class Audience:
    """Segment ids: everybody in any of `include` who is in none of `exclude`."""

    include: Sequence[int]
    exclude: Sequence[int] = ()


def create_campaign(
    values: Mapping[str, Any],
    *,
    audience: Audience | None = None,
    offers: Sequence[OfferDraft] = (),
    arms: Sequence[ArmDraft] = (),
) -> Campaign:
    """A new draft with its audience, offers and the arms of its experiment. Raises `Invalid` by field."""
    campaign = Campaign(**_known(values))
    _check_fields(campaign)
    with transaction.atomic():
        campaign.save()
        _write_audience(campaign, audience or Audience(()))
        offer_drafts.write(campaign, offers)
        experiment_arms.check_free(campaign)
        if arms:
            experiment_arms.write(campaign, arms)
        _hold_out(campaign)
        audit.record("create", campaign, after=picture(campaign))
    return campaign


def update_campaign(
    campaign: Campaign,
    changes: Mapping[str, Any],
    *,
    audience: Audience | None = None,
    offers: Sequence[OfferDraft] | None = None,
    arms: Sequence[ArmDraft] | None = None,
    expected_version: int | None = None,
) -> Campaign:
    """Change fields, audience, offers, arms (None: untouched). Raises `Conflict` when somebody else was quicker or
    the campaign's state has settled what is to change, `Invalid` by field."""
    with transaction.atomic():
        held = versions.lock(Campaign, campaign.pk)
        versions.check(held, expected_version)
        wanted = _known(changes)
        differing = {name for name, value in wanted.items() if getattr(held, name) != value}
        differing |= {"audience"} if audience is not None and audience_of(held) != _sorted(audience) else set()
        differing |= {"offers"} if offers is not None and offers_of(held) != list(offers) else set()
        differing |= {"arms"} if arms is not None and experiment_arms.arms_of(held) != list(arms) else set()
        states.check_editable(held.status, differing)
        with recorded(held):
            versions.write(held, wanted)
            _check_fields(held)
            if audience is not None and "audience" in differing:
                _write_audience(held, audience)
            if offers is not None and "offers" in differing:
                offer_drafts.write(held, offers)
            if "experiment_id" in differing:
                experiment_arms.check_free(held)
            if arms is not None and "arms" in differing:
                experiment_arms.write(held, arms)
        _hold_out(held)
        if differing & {"ends_at", "messages_per_minute", "message_cost_minor", "budget_minor", "cost_minor"}:
            _wake_run(held)
    return held


def _hold_out(campaign: Campaign) -> None:
    """Delivery draws who is held out, when their message's turn comes."""
    delivery.set_holdout(SourceType.CAMPAIGN, campaign.pk, f"Campaign “{campaign}”", campaign.holdout_percent)


def _wake_run(campaign: Campaign) -> None:
    """A new pace or end counts at once, not at the next block."""
    begun = campaign.runs.filter(status=RunStatus.PENDING, snapshot_at__isnull=False)
    if begun.update(run_at=clock.now()):
        doorbell.ring(WORK)


def duplicate_campaign(campaign: Campaign) -> Campaign:
    """A new draft with the same words, audience, offers and experiment; nobody is in it yet."""
    values = {name: getattr(campaign, name) for name in FIELDS - {"starts_at", "ends_at", "experiment_id"}}
    values["name"] = f"{campaign.name} (copy)"[:200]
    with transaction.atomic():
        copy = create_campaign(values, audience=audience_of(campaign), offers=offers_of(campaign))
        old, new = (one.offers.order_by("pk").values_list("pk", flat=True) for one in (campaign, copy))
        experiment_arms.copy(copy, campaign, dict(zip(old, new, strict=True)))
    return copy


def delete_campaign(campaign: Campaign) -> None:
    """Remove a draft; raises `Conflict` for a campaign that was ever launched, whose numbers others rely on."""
    with transaction.atomic():
        held = versions.lock(Campaign, campaign.pk)
        if held.status != states.State.DRAFT or held.runs.exists():
            raise Conflict(
                f"“{held}” is {held.status}; only drafts can be deleted. Archive it instead.", code="in_use"
            )
        audit.record("delete", held, before=picture(held))
        experiment_arms.write(held, ())
        held.delete()


def audience_of(campaign: Campaign) -> Audience:
    rows = list(campaign.audience.order_by("segment_id").values_list("segment_id", "is_excluded"))
    return Audience([pk for pk, out in rows if not out], [pk for pk, out in rows if out])


def picture(campaign: Campaign) -> dict[str, Any]:
    """The campaign with its audience and offers as plain JSON, for the audit log."""
    whole = audience_of(campaign)
    return audit.snapshot(campaign) | {
        "include": list(whole.include),
        "exclude": list(whole.exclude),
        "offers": [{key: str(value) for key, value in asdict(offer).items()} for offer in offers_of(campaign)],
        "arms": [asdict(arm) for arm in experiment_arms.arms_of(campaign)],
    }


@contextmanager
def recorded(campaign: Campaign, action: str = "change") -> Iterator[None]:
    """Record what the block changes on the campaign, its audience and its offers."""
    before = picture(Campaign.objects.get(pk=campaign.pk))
    yield
    audit.record(action, campaign, before=before, after=picture(campaign))


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise Invalid(f"A campaign has no {', '.join(unknown)}.", details=dict.fromkeys(unknown, "Unknown field."))
    known = dict(values)
    if "recurrence" in known:
        known["recurrence"] = recurrence.parse(known["recurrence"]).as_json() if known["recurrence"] else {}
    return known


def _sorted(audience: Audience) -> Audience:
    return Audience(sorted(audience.include), sorted(audience.exclude))


def _check_fields(campaign: Campaign) -> None:
    versions.clean(campaign)
    wrong: dict[str, str] = {}
    if campaign.cost_minor < 0:
        wrong["cost_minor"] = "A cost is zero or more."
    if campaign.messages_per_minute == 0:
        wrong["messages_per_minute"] = "At least one a minute; leave it empty for as fast as possible."
    if campaign.local_time is not None and recurrence.read_time(campaign.local_time) is None:
        wrong["local_time"] = "A time in whole minutes, such as 09:00."
    for name, model in MADE_ELSEWHERE:
        pk = getattr(campaign, name)
        if pk is not None and not model._default_manager.filter(pk=pk).exists():
            wrong[name] = f"There is no {model._meta.verbose_name} {pk}."
    if wrong:
        raise Invalid("Some fields are wrong; details says which and why.", details=wrong)


def _write_audience(campaign: Campaign, audience: Audience) -> None:
    """Replace who is in and who is out."""
    both = sorted(set(audience.include) & set(audience.exclude))
    wanted = {*audience.include, *audience.exclude}
    known = set(Segment.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    if both or wanted - known:
        sentence = (
            f"Segment {both[0]} cannot be both in and out."
            if both
            else f"There is no segment {', '.join(map(str, sorted(wanted - known)))}."
        )
        raise Invalid(sentence, details={"audience": sentence})
    campaign.audience.all().delete()
    CampaignAudience.objects.bulk_create(
        CampaignAudience(campaign=campaign, segment_id=pk, is_excluded=pk in set(audience.exclude))
        for pk in sorted(wanted)
    )
