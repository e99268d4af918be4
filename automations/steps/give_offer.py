"""Let the contact have an offer of a campaign, with a code of their own where it has one."""

from __future__ import annotations

from typing import Annotated

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind, skipped
from campaigns import services as campaigns
from campaigns.models import CampaignStatus, Offer
from common.errors import Permanent


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its campaign has the contact among its targets from then on, so their app shows the offer."""

    offer_id: Annotated[int, says("Offer", "Of a campaign that is running.", type="offer", examples=[3])]


def _find(configuration: Configuration) -> Offer | None:
    return Offer.objects.select_related("campaign").filter(pk=configuration.offer_id).first()


def check(configuration: Configuration, wrong: Wrong) -> None:
    if _find(configuration) is None:
        wrong("offer_id", f"there is no offer {configuration.offer_id}")


def execute(configuration: Configuration, group: Group) -> Results:
    """Constant statements for the whole group; who has the offer already keeps it and its code."""
    offer = _find(configuration)
    if offer is None:
        raise Permanent(f"There is no offer {configuration.offer_id} any more.")
    if offer.campaign.status != CampaignStatus.ACTIVE:
        reason = f"The campaign “{offer.campaign}” is not running."
        return {run.id: skipped(reason) for run in group.runs}
    codes = campaigns.give_offer(offer, group.contact_ids)
    return {run.id: _given(codes.get(run.contact_id, "")) for run in group.runs}


def _given(code: str) -> Result:
    return Result(StepOutcome.DONE, {"code": code} if code else {})


def sentence(configuration: Configuration) -> str:
    offer = _find(configuration)
    if offer is None:
        return f"Give the offer {configuration.offer_id} (deleted)"
    return f"Give the offer “{offer}” of “{offer.campaign}”"


STEP = StepKind(
    "Give an offer",
    "Makes a campaign's offer the contact's, with a code of their own where it has one.",
    Configuration,
    execute,
    sentence,
    check,
    group="Rewards",
)
