"""Let the contact have an offer of a campaign, with a code of their own where it has one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
from django.db import connection

from accounts.models import Organization
from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind, Traveller, skipped
from campaigns import services as campaigns
from campaigns.domain import offers
from campaigns.models import CampaignStatus, CodeKind, Offer
from campaigns.services.giving import Given
from common import tenancy
from common.errors import Permanent

# Plan: one probe of the primary key for each run, which the engine has locked.
KEEP_SQL = """
UPDATE automations_automationrun AS run SET facts = run.facts || jsonb_build_object('offer', given.offer)
  FROM json_to_recordset(%s::json) AS given(id bigint, offer jsonb)
 WHERE run.id = given.id AND run.organization_id = %s
"""


OF_A_CAMPAIGN = (
    "Of a campaign that is running. Later messages of the same run can say {{ offer.code }}, {{ offer.title }} and"
    " {{ offer.last_day }}."
)


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Its campaign has the contact among its targets from then on, so their app shows the offer. Messages that follow
    in the same run name it: `{{ offer.code }}`, `{{ offer.title }}`, `{{ offer.last_day }}`."""

    offer_id: Annotated[int, says("Offer", OF_A_CAMPAIGN, type="offer", examples=[3])]


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
    given = campaigns.give_offer(offer, group.contact_ids)
    results = {run.id: _result(offer, given.get(run.contact_id), group.now) for run in group.runs}
    having = [run for run in group.runs if results[run.id].outcome == StepOutcome.DONE]
    if having:
        zone = ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)
        _keep(having, {run.id: _variables(offer, given[run.contact_id], zone) for run in having})
    return results


def _result(offer: Offer, given: Given | None, now: datetime) -> Result:
    if given is None:
        return skipped("The contact is gone.")
    if given.is_held_out:
        return skipped(f"Held out of “{offer.campaign}” by chance: offered nothing, so that the effect shows.")
    if given.ends_at is not None and given.ends_at <= now:
        return skipped(f"The offer ended on {given.ends_at:%-d %B %Y}.")
    if not given.code and offer.codes != CodeKind.SHARED:
        return Result(StepOutcome.DONE, {"reason": "No code was left; one follows when codes are added."})
    return Result(StepOutcome.DONE, {"code": given.code} if given.code else {})


def _variables(offer: Offer, given: Given, zone: ZoneInfo) -> dict[str, str]:
    title = offers.Terms(offer.kind, offer.value, offer.unit).sentence
    return offers.variables(title, given.code, given.ends_at, zone)


def _keep(runs: Sequence[Traveller], variables: Mapping[int, dict[str, str]]) -> None:
    """Beside what started the run; the offer given last stands."""
    given = [{"id": run.id, "offer": variables[run.id]} for run in runs]
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(KEEP_SQL, [msgspec.json.encode(given).decode(), tenancy.required()])
    for run in runs:
        run.facts_json = msgspec.json.encode(run.facts | {"offer": variables[run.id]}).decode()


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
