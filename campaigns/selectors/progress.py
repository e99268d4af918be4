"""How far a campaign is, read from the ledger."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection

from campaigns.domain import budget, pacing
from campaigns.models import Campaign, CampaignRun, RunStatus, Target
from common import clock, tenancy
from delivery.models import SourceType

RATE_SECONDS = 60

# Plan: messages_by_source gives the rows of one campaign; one pass counts all there is to know.
COUNT_SQL = """
SELECT status, CASE WHEN status = 'refused' THEN reason ELSE '' END AS why, count(*),
       count(*) FILTER (WHERE sent_at > %(since)s), min(sent_at),
       sum(parts) FILTER (WHERE status IN ('sent', 'uncertain'))
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
    """Counts of messages by where they stand; `percent` of targets that are settled, 0–100.

    Of a recurring campaign all sends together: `run_count` of them have begun. `next_at`: its next send, or the next
    messages that wait for their moment. `timed_by`: targets by what their moment was chosen from. `test_count`
    people are in a first test; those without an arm get the `winner`.
    """

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
    run_count: int
    next_at: datetime | None
    timed_by: dict[str, int]
    test_count: int
    test_ends_at: datetime | None
    winner: str
    spent_minor: int
    budget_minor: int | None

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
    runs = list(CampaignRun.objects.filter(campaign=campaign).select_related("winner").order_by("pk"))
    begun = [run for run in runs if run.snapshot_at is not None]
    counts, refusals, recent, first_sent_at, paid = _count(campaign)
    sends = any(run.content_id is not None for run in runs)
    targets = sum(run.target_count for run in runs)
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
        started_at=begun[0].snapshot_at if begun else None,
        finished_at=runs[-1].finished_at if runs and not _is_open(runs) else None,
        note=next((run.error for run in reversed(runs) if run.error), ""),
        sends=sends,
        run_count=len(begun),
        next_at=_next_at(runs),
        timed_by=dict(sum((Counter(run.timed_by) for run in begun), Counter())),
        test_count=sum(run.test_count for run in runs),
        test_ends_at=next((run.test_ends_at for run in runs if run.is_testing), None),
        winner=next((run.winner.key for run in reversed(runs) if run.winner is not None), ""),
        spent_minor=budget.spent(campaign.cost_minor, campaign.message_cost_minor, paid),
        budget_minor=campaign.budget_minor,
    )


def _count(campaign: Campaign) -> tuple[dict[str, int], list[Refusal], int, datetime | None, int]:
    """Messages by status, why they were refused, how many left lately, when the first did, and how many parts were
    paid for: what left, or may have left."""
    counts: dict[str, int] = {}
    refusals: list[Refusal] = []
    recent, firsts, paid = 0, [], 0
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
        for status, reason, count, recent_count, first_sent_at, parts in cursor.fetchall():
            counts[status] = counts.get(status, 0) + count
            recent += recent_count
            paid += parts or 0
            if status == "refused":
                refusals.append(Refusal(reason, count))
            if first_sent_at is not None:
                firsts.append(first_sent_at)
    return counts, sorted(refusals, key=lambda refusal: -refusal.count), recent, min(firsts, default=None), paid


def _is_open(runs: list[CampaignRun]) -> bool:
    return any(run.status in (RunStatus.PENDING, RunStatus.HELD, RunStatus.FAILED) for run in runs)


def _next_at(runs: list[CampaignRun]) -> datetime | None:
    """When something is to go out that waits for its moment; None when all is on its way, or over."""
    waiting = [run for run in runs if run.status == RunStatus.PENDING and not run.is_queued]
    moments = [_next_message_at(run) or run.run_at for run in waiting]
    return min((moment for moment in moments if moment > clock.now()), default=None)


def _next_message_at(run: CampaignRun) -> datetime | None:
    """Messages are written a little before their moment. Plan: one probe of target_by_run."""
    if run.snapshot_at is None:
        return None
    following = Target.objects.filter(run=run, pk__gt=run.queued_through_id).order_by("pk")
    return following.values_list("send_at", flat=True).first()


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
