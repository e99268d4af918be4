"""How far a campaign is, read from the ledger."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from campaigns.domain import pacing
from campaigns.models import Campaign, CampaignRun
from common import clock, tenancy
from delivery.models import SourceType

RATE_SECONDS = 60

# Plan: messages_by_source gives the rows of one campaign; one pass counts all there is to know.
COUNT_SQL = """
SELECT status, CASE WHEN status = 'refused' THEN reason ELSE '' END AS why, count(*),
       count(*) FILTER (WHERE sent_at > %(since)s), min(sent_at)
FROM delivery_message
WHERE organization_id = %(organization)s AND source_type = %(source_type)s AND source_id = %(campaign)s
GROUP BY 1, 2
"""


@dataclass(frozen=True)
class Refusal:
    reason: str
    count: int


@dataclass(frozen=True)
class Progress:
    """Counts of messages by where they stand; `percent` of targets that are settled, 0–100."""

    status: str
    target_count: int
    queued_count: int
    held_count: int
    sending_count: int
    sent_count: int
    refused_count: int
    failed_count: int
    uncertain_count: int
    cancelled_count: int
    refusals: list[Refusal]
    per_minute: int
    seconds_left: int | None
    percent: int
    started_at: datetime | None
    finished_at: datetime | None
    note: str
    sends: bool

    @property
    def open_count(self) -> int:
        """Targets whose message is not settled yet."""
        settled = self.sent_count + self.refused_count + self.failed_count + self.uncertain_count
        return max(0, self.target_count - settled - self.cancelled_count) if self.sends else 0

    @property
    def waiting_count(self) -> int:
        """… and is not held either."""
        return max(0, self.open_count - self.held_count)


def progress(campaign: Campaign) -> Progress:
    """Where the campaign's messages stand now; two queries."""
    run = CampaignRun.objects.filter(campaign=campaign).order_by("-pk").first()
    counts, refusals, recent, first_sent_at = _count(campaign)
    sends = run is not None and run.content_id is not None
    targets = run.target_count if run else 0
    settled = sum(counts.get(status, 0) for status in ("sent", "refused", "failed", "uncertain", "cancelled"))
    per_minute = _per_minute(recent, first_sent_at)
    return Progress(
        status=campaign.status,
        target_count=targets,
        **{
            f"{status}_count": counts.get(status, 0)
            for status in ("queued", "held", "sending", "sent", "refused", "failed", "uncertain", "cancelled")
        },
        refusals=refusals,
        per_minute=per_minute,
        seconds_left=_seconds_left(campaign, max(0, targets - settled) if sends else 0, per_minute),
        percent=_percent(campaign, settled, targets, sends=sends),
        started_at=run.snapshot_at if run else None,
        finished_at=run.finished_at if run else None,
        note=run.error if run else "",
        sends=sends,
    )


def _count(campaign: Campaign) -> tuple[dict[str, int], list[Refusal], int, datetime | None]:
    counts: dict[str, int] = {}
    refusals: list[Refusal] = []
    recent, firsts = 0, []
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            COUNT_SQL,
            {
                "organization": tenancy.required(),
                "source_type": SourceType.CAMPAIGN.value,
                "campaign": campaign.pk,
                "since": clock.now() - timedelta(seconds=RATE_SECONDS),
            },
        )
        for status, reason, count, recent_count, first_sent_at in cursor.fetchall():
            counts[status] = counts.get(status, 0) + count
            recent += recent_count
            if status == "refused":
                refusals.append(Refusal(reason, count))
            if first_sent_at is not None:
                firsts.append(first_sent_at)
    return counts, sorted(refusals, key=lambda refusal: -refusal.count), recent, min(firsts, default=None)


def _per_minute(recent: int, first_sent_at: datetime | None) -> int:
    """Messages a minute over the last minute, or over the time since the first one when that is shorter."""
    if not recent or first_sent_at is None:
        return 0
    seconds = min(RATE_SECONDS, max(1.0, (clock.now() - first_sent_at).total_seconds()))
    return round(recent * 60 / seconds)


def _seconds_left(campaign: Campaign, remaining: int, per_minute: int) -> int | None:
    if campaign.status not in ("active", "scheduled"):
        return None
    return pacing.seconds_left(remaining, per_minute, campaign.messages_per_minute)


def _percent(campaign: Campaign, settled: int, targets: int, *, sends: bool) -> int:
    if campaign.status == "completed" or (targets and not sends):
        return 100
    return min(100, settled * 100 // targets) if targets else 0
