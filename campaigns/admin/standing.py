"""How a campaign stands, for its page, its report and the part that asks again every two seconds."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.models import Organization
from campaigns import selectors
from campaigns.domain import states
from campaigns.models import Campaign, TimedBy
from common import money

BADGES = {
    "active": "good", "scheduled": "good", "proposed": "warning", "paused": "warning", "cancelled": "critical"
}  # fmt: skip

# What a best time was chosen from.
BEST_TIMES = {
    TimedBy.OWN: "at the hour at which each of them usually reads",
    TimedBy.ORGANIZATION: "when your contacts usually read, for too little is known of them",
    TimedBy.FALLBACK: "at the time that was set, or at once, for nothing is known yet",
}


def badge(status: str) -> SafeString:
    return format_html('<span class="gs-badge gs-badge--{}">{}</span>', BADGES.get(status, "plain"), status.title())


def context(campaign: Campaign) -> dict[str, Any]:
    """State and progress; `spent` and `budget` are money as people read it."""
    progress = selectors.progress(campaign) if campaign.status != states.State.DRAFT else None
    shown: dict[str, Any] = {
        "campaign": campaign,
        "badge": badge(campaign.status),
        "progress": progress,
        "is_live": campaign.status in (states.State.SCHEDULED, states.State.ACTIVE),
    }
    if progress is not None:
        shown["timed_by"] = [
            {"name": name.value, "count": progress.timed_by[name], "sentence": sentence}
            for name, sentence in BEST_TIMES.items()
            if progress.timed_by.get(name)
        ]
    if progress is not None and progress.budget_minor is not None:
        currency = Organization.objects.get().currency
        shown |= {
            "spent": money.show(progress.spent_minor, currency),
            "budget": money.show(progress.budget_minor, currency),
        }
    return shown
