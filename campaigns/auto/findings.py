"""Whom each preset finds among the customers read, and the campaign that is made of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from accounts import audit
from campaigns.auto import decisions, presets
from campaigns.auto.customers import Read
from campaigns.models import (
    AnalysisCycle,
    ApprovalPolicy,
    AutoFinding,
    AutoPreset,
    Campaign,
    CampaignOrigin,
    CampaignRun,
    CampaignStatus,
    Outcome,
    ScopeKind,
)
from campaigns.services.campaigns import create_campaign, picture
from campaigns.services.offer_drafts import OfferDraft
from common import clock, money, tenancy
from common.errors import AppError

DECLINE_REST_DAYS = 7  # what was declined is not proposed again the next morning

# condition → its SQL over the table `customer`
CONDITIONS = {
    "least_spent_minor": "spent >= %(least_spent)s",
    "least_transactions": "transactions >= %(least_transactions)s",
    "fewer_than_transactions": "transactions < %(fewer_than_transactions)s",
    "most_locations": "locations BETWEEN 1 AND %(most_locations)s",
    "inactive_days": "last_at <= %(quiet_since)s",
    "growth_percent": "oldest > 0 AND middle > oldest * %(growth)s AND newest > middle * %(growth)s",
}
# Who is in a campaign of the preset that stands, or rests after one. A proposal that nobody touched is renewed by
# the next one, so its people do not count. Plan: a few campaigns by preset, one_target_per_contact of each.
TAKEN_SQL = """
SELECT target.contact_id FROM campaigns_campaign campaign
JOIN campaigns_target target ON target.campaign_id = campaign.id AND target.organization_id = %(organization)s
WHERE campaign.organization_id = %(organization)s AND campaign.preset_id = %(preset)s
  AND (campaign.status IN ('scheduled', 'active', 'paused') OR campaign.status = 'proposed' AND campaign.version > 1
       OR campaign.starts_at IS NOT NULL
          AND coalesce(campaign.ends_at, campaign.updated_at) > %(now)s - %(rest)s * interval '1 day')"""
# Plan: one pass over `customer`, hashed against those taken.
COUNT_SQL = f"""
WITH taken AS (SELECT DISTINCT contact_id FROM ({TAKEN_SQL}) standing)
SELECT count(*), count(taken.contact_id), coalesce(sum(spent), 0), coalesce(sum(transactions), 0)::bigint
FROM customer LEFT JOIN taken USING (contact_id) WHERE {{found}}"""
# Held out by the first 32 bits of a hash of campaign and contact: the same for ever, and drawn anew in each campaign.
TARGETS_SQL = f"""
INSERT INTO campaigns_target
  (organization_id, campaign_id, run_id, contact_id, status, created_at, is_held_out, favourite)
SELECT %(organization)s, %(campaign)s, %(run)s, contact_id, 'eligible', %(now)s,
       ('x' || left(md5(%(campaign)s::text || ':' || contact_id::text), 8))::bit(32)::bigint %% 10000 < %(held)s,
       {{favourite}}
FROM customer WHERE {{found}} AND contact_id NOT IN (SELECT contact_id FROM ({TAKEN_SQL}) standing)
ORDER BY contact_id"""


@dataclass(frozen=True)
class Found:
    """What a preset finds: people who meet its conditions, of whom `already` are in one of its campaigns."""

    preset: AutoPreset
    sentence: str
    people: int = 0
    already: int = 0
    spent_minor: int = 0
    transactions: int = 0
    problem: str = ""

    @property
    def fresh(self) -> int:
        return self.people - self.already


def count(preset: AutoPreset, read: Read) -> Found:
    """Whom the preset finds in the table `customer`; nothing is written."""
    sentence = presets.conditions(preset, read.currency, read.window_days)
    if problem := _problem(preset, read):
        return Found(preset, sentence, problem=problem)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_SQL.format(found=_found(preset)), _values(preset, read))
        people, already, spent, transactions = cursor.fetchone()
    return Found(preset, sentence, people, already, money.to_minor(spent, read.currency), transactions)


def _problem(preset: AutoPreset, read: Read) -> str:
    """Why the conditions cannot be told from the data; empty when they can."""
    needs_money = preset.least_spent_minor is not None or preset.growth_percent is not None
    if needs_money and not read.money:
        return f"No property of “{read.event}” holds an amount of money; name one in the pattern settings."
    if preset.most_locations is not None and not read.place:
        return f"Neither “{read.event}” nor most contacts say where; name a field in the pattern settings."
    if preset.is_for_favourite and not read.category:
        return f"No property of “{read.event}” names a category or product; name one in the pattern settings."
    return ""


def _found(preset: AutoPreset) -> str:
    said = [sql for name, sql in CONDITIONS.items() if getattr(preset, name) is not None]
    return " AND ".join([*said, *(["favourite IS NOT NULL"] if preset.is_for_favourite else [])])


def _values(preset: AutoPreset, read: Read) -> dict[str, Any]:
    least = preset.least_spent_minor
    return {
        "organization": tenancy.required(), "preset": preset.pk, "now": read.until, "rest": preset.cooldown_days,
        "least_spent": money.to_decimal(least, read.currency) if least is not None else None,
        "least_transactions": preset.least_transactions,
        "fewer_than_transactions": preset.fewer_than_transactions,
        "most_locations": preset.most_locations,
        "quiet_since": read.until - timedelta(days=preset.inactive_days or 0),
        "growth": 1 + Decimal(preset.growth_percent or 0) / 100,
    }  # fmt: skip


def keep(cycle: AnalysisCycle, found: Found, read: Read) -> AutoFinding:
    """Write down what was found, and make the campaign where there are enough people and none stands in the way.

    A preset has one campaign in a cycle: asked again, it stands as it is. Inside the cycle's transaction.
    """
    kept, _ = AutoFinding.objects.get_or_create(
        cycle=cycle, preset=found.preset, defaults={"outcome": Outcome.NOBODY, "sentence": found.sentence}
    )
    if kept.campaign_id is not None:
        return kept
    kept.found_count, kept.already_count, kept.held_out_count = found.people, found.already, 0
    kept.spent_minor, kept.transaction_count = found.spent_minor, found.transactions
    kept.sentence, kept.currency = found.sentence, read.currency
    kept.outcome, kept.reason = _outcome(found)
    if kept.outcome == Outcome.MADE:
        _make(kept, found, read)
    kept.save()
    return kept


def _outcome(found: Found) -> tuple[Outcome, str]:
    preset = found.preset
    if found.problem:
        return Outcome.MISSING, found.problem
    if not found.fresh:
        reason = (
            "All of them are in a campaign of it already, or rest."
            if found.people
            else "No recent customer meets it."
        )
        return Outcome.NOBODY, reason
    if found.fresh < preset.least_people:
        return Outcome.WAITS, f"{found.fresh:,} of the {preset.least_people:,} people it waits for."
    if declined_at := _declined_at(preset):
        again = declined_at + timedelta(days=DECLINE_REST_DAYS)
        return Outcome.WAITS, f"Declined on {declined_at:%-d %B}; proposed again from {again:%-d %B}."
    return Outcome.MADE, ""


def _declined_at(preset: AutoPreset) -> datetime | None:
    since = clock.now() - timedelta(days=DECLINE_REST_DAYS)
    declined = AutoFinding.objects.filter(
        preset=preset, decided_at__gt=since, campaign__status=CampaignStatus.CANCELLED, campaign__starts_at=None
    )
    return declined.order_by("-decided_at").values_list("decided_at", flat=True).first()


def _make(kept: AutoFinding, found: Found, read: Read) -> None:
    decisions.withdraw_untouched(found.preset)
    campaign = _campaign(found, kept.cycle)
    kept.campaign = campaign
    run = decisions.waiting_run(campaign)
    _write_targets(run, found.preset, read)
    kept.held_out_count = decisions.count_targets(run)
    if found.preset.policy != ApprovalPolicy.LAUNCH:
        return
    kept.save()
    try:
        decisions.approve(campaign)
    except AppError as refusal:
        kept.reason = f"It could not be launched by itself, so it waits for you: {refusal.message}"
    else:
        kept.decided_at = clock.now()


def _campaign(found: Found, cycle: AnalysisCycle) -> Campaign:
    preset = found.preset
    offer = OfferDraft(
        preset.offer_kind, preset.offer_value, preset.offer_unit, valid_days=preset.duration_days,
        scope_kind=ScopeKind.FAVOURITE if preset.is_for_favourite else ScopeKind.EVERYTHING,
    )  # fmt: skip
    values = {
        "name": f"{preset.name}, {cycle.day:%-d %B %Y}",
        "description": f"{found.sentence} {presets.offer(preset)}.",
        "template_id": preset.template_id,
    }
    campaign = create_campaign(values, offers=[offer])
    before = picture(campaign)
    campaign.status, campaign.origin, campaign.preset = CampaignStatus.PROPOSED, CampaignOrigin.AUTO, preset
    campaign.save(update_fields=["status", "origin", "preset"])
    audit.record("propose", campaign, before=before, after=picture(campaign))
    return campaign


def _write_targets(run: CampaignRun, preset: AutoPreset, read: Read) -> None:
    statement = TARGETS_SQL.format(found=_found(preset), favourite="favourite" if preset.is_for_favourite else "''")
    values = _values(preset, read) | {
        "campaign": run.campaign_id, "run": run.pk, "held": int(preset.holdout_percent * 100),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
