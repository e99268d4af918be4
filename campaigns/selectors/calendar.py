"""What goes out when: sends of all kinds in a span of days, and offers for as long as they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Q, QuerySet

from accounts.models import Organization
from campaigns.domain import recurrence
from campaigns.models import Campaign, CampaignRun, CampaignStatus, RunStatus, Timing
from common import clock
from common.errors import Invalid

LONGEST = timedelta(days=92)
MOST = 5_000
SHOWN = (
    CampaignStatus.PROPOSED, CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE,
    CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED,
)  # fmt: skip
REPEATING = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED, CampaignStatus.ACTIVE, CampaignStatus.PAUSED)


@dataclass(frozen=True)
class Entry:
    """A moment of a campaign, or of an offer the span from `starts_at` to `ends_at` (None: no end known).

    `kind` is plan (a draft), send, repeat (one of many) or offer. `rivals` are other campaigns that write to one of
    the same segments on the same day.
    """

    campaign: Campaign
    kind: str
    starts_at: datetime
    ends_at: datetime | None
    segment_ids: frozenset[int]
    rivals: tuple[str, ...] = ()


def calendar(first: date, last: date) -> list[Entry]:
    """Everything between two days (both included) of the organisation's zone, in order of time.

    Raises `Invalid` for a span that runs backwards or is longer than a quarter.
    """
    if last < first or last - first > LONGEST:
        raise Invalid(
            "The calendar shows up to 92 days, and its first day comes before its last.",
            details={"to": f"From {first} to at most {first + LONGEST}."},
        )
    zone = ZoneInfo(Organization.objects.get().timezone)
    begin, end = (datetime.combine(day, time.min, zone).astimezone(UTC) for day in (first, last + timedelta(days=1)))
    entries = [*_once(begin, end), *_ran(begin, end), *_coming(begin, end, zone)]
    entries.sort(key=lambda entry: (entry.starts_at, entry.campaign.pk))
    return _with_rivals(entries[:MOST], zone)


def _campaigns() -> QuerySet[Campaign]:
    return Campaign.objects.filter(status__in=SHOWN).prefetch_related("audience", "offers")


def _once(begin: datetime, end: datetime) -> Iterable[Entry]:
    """Campaigns that go out once, and offers that stand. Plan: one pass over the campaigns, which are few."""
    rows = _campaigns().exclude(timing=Timing.RECURRING).filter(starts_at__lt=end)
    standing = Q(offers__isnull=False) & (Q(ends_at__gte=begin) | Q(ends_at=None, status=CampaignStatus.ACTIVE))
    for campaign in rows.filter(Q(starts_at__gte=begin) | standing).distinct().order_by("pk")[:MOST]:
        assert campaign.starts_at is not None
        if campaign.offers.all():
            yield _entry(campaign, "offer", campaign.starts_at, campaign.ends_at)
        else:
            kind = "plan" if campaign.status in (CampaignStatus.DRAFT, CampaignStatus.PROPOSED) else "send"
            yield _entry(campaign, kind, campaign.starts_at, None)


def _ran(begin: datetime, end: datetime) -> Iterable[Entry]:
    """Sends of recurring campaigns that have begun."""
    runs = CampaignRun.objects.filter(
        campaign__timing=Timing.RECURRING, snapshot_at__gte=begin, snapshot_at__lt=end
    ).exclude(status=RunStatus.CANCELLED)
    for run in runs.select_related("campaign").prefetch_related("campaign__audience")[:MOST]:
        assert run.snapshot_at is not None
        yield _entry(run.campaign, "repeat", run.snapshot_at, None)


def _coming(begin: datetime, end: datetime, zone: ZoneInfo) -> Iterable[Entry]:
    """Dates to come of recurring campaigns, worked out of their repetition."""
    rows = _campaigns().filter(timing=Timing.RECURRING, status__in=REPEATING, starts_at__lt=end)
    for campaign in rows[:MOST]:
        assert campaign.starts_at is not None
        again = recurrence.parse(campaign.recurrence)
        first = again.day_of(campaign.starts_at, zone)
        after = max(begin, clock.now(), campaign.starts_at)
        until = min(end, campaign.ends_at or end)
        left = _left(campaign, again)
        moment = again.after(after, first, zone, or_at=True)
        while moment < until and left > 0:
            yield _entry(campaign, "repeat", moment, None)
            moment, left = again.after(moment, first, zone), left - 1


def _left(campaign: Campaign, again: recurrence.Recurrence) -> int:
    """How many sends are still to come."""
    if again.most_runs is None:
        return recurrence.MOST_RUNS
    return again.most_runs - campaign.runs.filter(snapshot_at__isnull=False).count()


def _entry(campaign: Campaign, kind: str, starts_at: datetime, ends_at: datetime | None) -> Entry:
    included = frozenset(row.segment_id for row in campaign.audience.all() if not row.is_excluded)
    return Entry(campaign, kind, starts_at, ends_at, included)


def _with_rivals(entries: Sequence[Entry], zone: ZoneInfo) -> list[Entry]:
    """Name, for each send, the others of its day that write to one of its segments."""
    writing: dict[tuple[date, int], dict[int, str]] = {}
    for entry in entries:
        if _writes(entry):
            for segment_id in entry.segment_ids:
                key = (entry.starts_at.astimezone(zone).date(), segment_id)
                writing.setdefault(key, {})[entry.campaign.pk] = entry.campaign.name
    return [replace(entry, rivals=_rivals(entry, writing, zone)) if _writes(entry) else entry for entry in entries]


def _writes(entry: Entry) -> bool:
    return entry.campaign.template_id is not None and entry.campaign.status != CampaignStatus.CANCELLED


def _rivals(entry: Entry, writing: dict[tuple[date, int], dict[int, str]], zone: ZoneInfo) -> tuple[str, ...]:
    day = entry.starts_at.astimezone(zone).date()
    names = {
        pk: name
        for segment_id in entry.segment_ids
        for pk, name in writing[day, segment_id].items()
        if pk != entry.campaign.pk
    }
    return tuple(names[pk] for pk in sorted(names))
