"""A campaign of one call: a name, whom, what is offered, for how long; active at once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from accounts import audit
from campaigns.auto import decisions
from campaigns.domain import states
from campaigns.models import Campaign, CampaignOrigin, CampaignRun
from campaigns.services import control
from campaigns.services.campaigns import Audience, create_campaign, picture
from campaigns.services.offer_drafts import OfferDraft
from common import clock, tenancy
from common.errors import Invalid
from segments import rules
from segments.rules import compiler

# Plan: the full build's SELECT of the rule, once; the draw is that of automatic campaigns.
TARGETS_SQL = """
INSERT INTO campaigns_target (organization_id, campaign_id, run_id, contact_id, status, created_at, is_held_out)
SELECT %(organization)s, %(campaign)s, %(run)s, contact_id, 'eligible', %(created_at)s,
       {held} FROM ({found}) verdict WHERE truth ORDER BY contact_id"""
HELD = """('x' || left(md5(%(campaign)s::text || ':' || contact_id::text), 8))::bit(32)::bigint %% 10000 < %(held)s"""


def launch(
    values: dict[str, Any], offers: list[OfferDraft], duration_days: int, *, segment_id: int | None = None,
    rule: Any = None,
) -> Campaign:  # fmt: skip
    """Make a campaign for a segment, or for those whom a rule finds now, and start it. Raises `Invalid` by field."""
    if (segment_id is None) == (rule is None):
        said = "Say whom by exactly one of segment_id and filter."
        raise Invalid(said, details={"segment_id": said})
    whole = values | {"ends_at": clock.now() + timedelta(days=duration_days)}
    drafts = [replace(offer, valid_days=offer.valid_days or duration_days) for offer in offers]
    with transaction.atomic():
        if segment_id is not None:
            campaign = create_campaign(whole, audience=Audience([segment_id]), offers=drafts)
            return control.launch(campaign)
        parsed = rules.parse(rule)
        campaign = create_campaign(whole | {"holdout_percent": 0}, offers=drafts)
        campaign.origin = CampaignOrigin.FILTER
        run = decisions.waiting_run(campaign)
        _write_targets(run, parsed, float(values.get("holdout_percent") or 0))
        return _start(campaign, run)


def _write_targets(run: CampaignRun, rule: Any, holdout_percent: float) -> None:
    query = compiler.everybody(rule, tenancy.required(), clock.now())
    own = {
        "organization": tenancy.required(), "campaign": run.campaign_id, "run": run.pk, "created_at": clock.now(),
        "held": round(holdout_percent * 100),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TARGETS_SQL.format(found=query.sql, held=HELD), query.parameters | own)


def _start(campaign: Campaign, run: CampaignRun) -> Campaign:
    before = picture(campaign)
    decisions.count_targets(run)
    decisions.start(campaign)
    campaign.status = states.move(campaign.status, "launch")
    campaign.save()
    audit.record("launch", campaign, before=before, after=picture(campaign))
    return campaign
