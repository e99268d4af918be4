"""What now? Sentences from the real state of the organisation, the most pressing first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.urls import reverse

from accounts.backends import allowed
from accounts.models import ApiKey, ApiKeyKind, Organization
from attribution import selectors as attribution
from audience.models import Contact, RejectedEvent
from automations.models import Automation, AutomationRun, RunStatus
from campaigns.models import Campaign, CampaignStatus, EmailTemplate
from common.models import NoticeDelivery, WorkStatus
from dashboards import periods, targets
from dashboards.cards import money
from dashboards.cards import viral as invitations
from dashboards.links import listing
from dashboards.selectors import kept
from delivery.models import Message, MessageStatus, Sender
from segments.models import AnalysisKind, Finding, Segment, SegmentStatus

MOST = 6


@dataclass(frozen=True)
class Recommendation:
    """`level`: critical (something is wrong), warning (something waits), idea (something worth doing)."""

    level: str
    text: str
    action: str
    link: str
    resource: str


def _count(queryset: Any) -> int:
    # Enough to say "99 or more"; never a count of a long table.
    return len(queryset.values_list("pk")[:99])


def _many(count: int, one: str, many: str) -> str:
    return f"{count}{'+' if count >= 99 else ''} {one if count == 1 else many}"


def _uncertain(place: Organization) -> Recommendation | None:
    if not (count := _count(Message.objects.filter(status=MessageStatus.UNCERTAIN))):
        return None
    text = (
        f"{_many(count, 'message', 'messages')} may or may not have left when a worker stopped. "
        "We never send marketing mail again by ourselves."
    )
    return Recommendation(
        "critical", text, "Decide", listing("delivery.message", status__exact="uncertain"), "delivery"
    )


def _failed_notices(place: Organization) -> Recommendation | None:
    if not (count := _count(NoticeDelivery.objects.filter(status=WorkStatus.FAILED))):
        return None
    text = f"{_many(count, 'announcement', 'announcements')} between rooms could not be handled: dead letters."
    return Recommendation("critical", text, "Look at health", "/health/", "dashboards")


def _failed_runs(place: Organization) -> Recommendation | None:
    if not (count := _count(AutomationRun.objects.filter(status=RunStatus.FAILED))):
        return None
    text = f"{_many(count, 'person is', 'people are')} stuck in an automation whose step failed."
    return Recommendation(
        "critical", text, "See the runs", listing("automations.automationrun", status__exact="failed"), "automations"
    )


def _failed_segments(place: Organization) -> Recommendation | None:
    broken = Segment.objects.filter(status=SegmentStatus.FAILED).values_list("name", flat=True)[:3]
    if not broken:
        return None
    text = f"{' and '.join(broken)} could not be built."
    return Recommendation(
        "critical", text, "See the segments", listing("segments.segment", status__exact="failed"), "segments"
    )


def _rejected(place: Organization) -> Recommendation | None:
    if not (count := _count(RejectedEvent.objects.filter(replayed_at=None))):
        return None
    text = f"{_many(count, 'event', 'events')} arrived and could not be used; each says why."
    return Recommendation("warning", text, "See the reasons", listing("audience.rejectedevent"), "audience")


def _drafts(place: Organization) -> Recommendation | None:
    drafts = Campaign.objects.filter(status=CampaignStatus.DRAFT)
    if not (count := _count(drafts)):
        return None
    text = f"{_many(count, 'campaign is', 'campaigns are')} a draft and wait{'s' if count == 1 else ''} for you."
    return Recommendation(
        "warning", text, "Finish it", listing("campaigns.campaign", status__exact="draft"), "campaigns"
    )


def _proposals(place: Organization) -> Recommendation | None:
    if not (count := _count(Campaign.objects.filter(status=CampaignStatus.PROPOSED))):
        return None
    text = f"{_many(count, 'campaign was', 'campaigns were')} found worth making and wait{'s' if count == 1 else ''}."
    return Recommendation("warning", text, "Approve or decline", reverse("automatic-campaigns"), "campaigns")


def _no_sender(place: Organization) -> Recommendation | None:
    if Sender.objects.exists():
        return None
    text = "Nobody is named as sender yet, so mail goes out under the installation's own address."
    return Recommendation("warning", text, "Name a sender", listing("delivery.sender"), "delivery")


def _no_key(place: Organization) -> Recommendation | None:
    if ApiKey.objects.filter(kind=ApiKeyKind.WRITE, revoked_at=None).exists():
        return None
    text = "No site or app can send events yet: it needs a write key."
    return Recommendation("warning", text, "Make a key", listing("accounts.apikey"), "keys")


def _low_k(place: Organization) -> Recommendation | None:
    now = invitations.history(place)[0][-1]
    if now is None or targets.level_of_k(now) == "good":
        return None
    fades = "below 1 the loop fades by itself" if now < targets.CRITICAL_K else "one bad month and the loop fades"
    text = f"Ten people who invite bring {10 * now:.0f} friends (K is {targets.number(now)}): {fades}."
    return Recommendation("warning", text, "See where friends are lost", "/dashboards/viral/", "viral")


def _losing_campaigns(place: Organization) -> Recommendation | None:
    def read() -> list[str]:
        rows = attribution.campaign_roi(periods.months(place)[-1]).campaigns
        losing = [(one.roi_percent, one.name) for one in rows if one.roi_percent is not None and one.roi_percent < 0]
        return [name for _, name in sorted(losing)]

    names = kept("losing", money.SECONDS, read)
    if not names:
        return None
    others = f" and {len(names) - 1} more" if len(names) > 1 else ""
    text = f"“{names[0]}”{others} cost more this month than orders brought back."
    return Recommendation("warning", text, "See what each earned", money.MONEY_PAGE, "attribution")


def _suggested_segments(place: Organization) -> Recommendation | None:
    if not (count := _count(Finding.objects.filter(analysis__kind=AnalysisKind.SUGGESTIONS, segment=None))):
        return None
    text = (
        f"{_many(count, 'group of people stands', 'groups of people stand')} out in your data and could be segments."
    )
    return Recommendation("idea", text, "Look at them", reverse("segments:suggestions"), "segments")


def _no_contacts(place: Organization) -> Recommendation | None:
    if Contact.objects.exists():
        return None
    text = "Nobody is known yet. Send events with a Segment or PostHog SDK, or import a file of contacts."
    return Recommendation("idea", text, "Read how", listing("audience.contact"), "audience")


def _no_segment(place: Organization) -> Recommendation | None:
    if Segment.objects.exists():
        return None
    text = "No segment yet. Start with people who were here in the last 30 days and did not buy."
    return Recommendation("idea", text, "Make a segment", listing("segments.segment"), "segments")


def _no_template(place: Organization) -> Recommendation | None:
    if EmailTemplate.objects.exclude(published=None).exists():
        return None
    text = "No e-mail template is published, so neither campaigns nor automations can write to anybody."
    return Recommendation("idea", text, "Write one", listing("campaigns.emailtemplate"), "campaigns")


def _no_automation(place: Organization) -> Recommendation | None:
    if Automation.objects.filter(is_active=True).exists():
        return None
    text = "No automation is switched on. A welcome mail is the one that earns most for least work."
    return Recommendation("idea", text, "Build it", listing("automations.automation"), "automations")


RULES: list[Callable[[Organization], Recommendation | None]] = [
    _uncertain,
    _failed_notices,
    _failed_runs,
    _failed_segments,
    _no_key,
    _rejected,
    _no_sender,
    _drafts,
    _proposals,
    _losing_campaigns,
    _low_k,
    _no_contacts,
    _no_segment,
    _no_template,
    _no_automation,
    _suggested_segments,
]


def recommend(place: Organization, user: Any) -> list[Recommendation]:
    """The most pressing things this person can do something about; none when all is well."""
    found = []
    for rule in RULES:
        item = rule(place)
        if item is not None and item.link and allowed(user, item.resource):
            found.append(item)
        if len(found) == MOST:
            break
    return found
