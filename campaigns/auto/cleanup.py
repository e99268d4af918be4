"""The nightly clean-up: offers that ended, campaigns that are over, proposals nobody decided about, old rows."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts import actor
from accounts.models import Organization
from campaigns.auto import decisions
from campaigns.models import Campaign, CampaignStatus, Offer
from campaigns.services import control
from common import clock, tenancy
from common.errors import AppError

logger = logging.getLogger(__name__)

MOST_AT_ONCE = 20_000  # targets a transaction marks, so that nobody waits long for a row
PROPOSAL_DAYS = 14
OPEN = (CampaignStatus.ACTIVE, CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED,
        CampaignStatus.ARCHIVED)  # fmt: skip
# A target is over when every offer of its campaign has ended for it. Plan: campaigns with offers are few; their
# open targets by one_target_per_contact, MOST_AT_ONCE of them.
EXPIRE_SQL = """
WITH over AS (
  SELECT target.id FROM campaigns_campaign campaign
  JOIN campaigns_target target ON target.campaign_id = campaign.id AND target.organization_id = %(organization)s
  WHERE campaign.organization_id = %(organization)s AND campaign.status = ANY(%(open)s)
    AND campaign.starts_at IS NOT NULL AND target.status IN ('eligible', 'viewed')
    AND EXISTS (SELECT 1 FROM campaigns_offer offer WHERE offer.campaign_id = campaign.id)
    AND (campaign.status IN ('completed', 'cancelled', 'archived') OR campaign.ends_at <= %(now)s OR NOT EXISTS (
      SELECT 1 FROM campaigns_offer offer WHERE offer.campaign_id = campaign.id
        AND (offer.expires_at IS NULL OR offer.expires_at > %(now)s)
        AND (offer.valid_days IS NULL OR greatest(target.created_at, campaign.starts_at)
             + offer.valid_days * interval '1 day' > %(now)s)))
  LIMIT %(most)s)
UPDATE campaigns_target target SET status = 'expired' FROM over WHERE target.id = over.id"""


@dataclass
class Cleaned:
    """How many of each a clean-up ended or put away."""

    expired_targets: int = 0
    completed: int = 0
    declined: int = 0
    archived: int = 0


def run_everywhere() -> None:
    """The nightly round; one organisation's trouble is logged and does not stop the others."""
    with tenancy.engine():
        known = list(Organization.objects.order_by("pk").values_list("pk", flat=True))
    for organization_id in known:
        with tenancy.organization(organization_id), actor.acting(actor.Actor("Nightly clean-up")):
            try:
                run()
            except Exception as error:
                logger.error("The clean-up of organisation %s failed", organization_id, exc_info=error)


def run() -> Cleaned:
    """End and put away what is due in the present organisation."""
    now, done = clock.now(), Cleaned()
    done.completed = _each(_over(now), control.complete)
    done.declined = _each(_undecided(now), lambda campaign: decisions.decline(campaign, "Nobody decided about it."))
    done.expired_targets = _expire(now)
    done.archived = _each(_old(now), control.archive)
    return done


def _expire(now: datetime) -> int:
    values: dict[str, Any] = {
        "organization": tenancy.required(),
        "now": now,
        "open": list(OPEN),
        "most": MOST_AT_ONCE,
    }
    whole = 0
    while True:
        with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(EXPIRE_SQL, values)
            count: int = cursor.rowcount
        whole += count
        if count < MOST_AT_ONCE:
            return whole


def _over(now: datetime) -> QuerySet[Campaign]:
    """Offers that nobody can take any more, of campaigns without an end of their own."""
    offers = Offer.objects.filter(campaign=OuterRef("pk"))
    standing = offers.filter(Q(expires_at=None) | Q(expires_at__gt=now))
    return Campaign.objects.filter(Exists(offers), ~Exists(standing), status=CampaignStatus.ACTIVE)


def _undecided(now: datetime) -> QuerySet[Campaign]:
    since = now - timedelta(days=PROPOSAL_DAYS)
    return Campaign.objects.filter(status=CampaignStatus.PROPOSED, updated_at__lte=since)


def _old(now: datetime) -> QuerySet[Campaign]:
    since = now - timedelta(days=settings.CAMPAIGN_ARCHIVE_DAYS)
    done = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED)
    return Campaign.objects.filter(status__in=done, updated_at__lte=since)


def _each(found: QuerySet[Campaign], act: Callable[[Campaign], object]) -> int:
    """Do it to each; one that somebody moved meanwhile, or that still sends, is left to the next night."""
    count = 0
    for campaign in found.order_by("pk"):
        try:
            act(campaign)
        except AppError as refusal:
            logger.info("%s is left as it is: %s", campaign, refusal.message)
        else:
            count += 1
    return count
