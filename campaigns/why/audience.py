"""Was the contact in the audience of the campaign, and in the snapshot that was taken of it?"""

from __future__ import annotations

from django.db.models import F
from django.urls import reverse

from audience.models import Contact
from campaigns.models import Campaign, CampaignRun, Target, TimedBy
from campaigns.why.steps import FACT, GOOD, STOP, WAIT, Link, Step, row, when
from segments.models import Membership, Segment


def steps(campaign: Campaign, contact: Contact) -> list[Step]:
    """The audience as it stands now, and as it was when the campaign started."""
    begun_first = F("snapshot_at").desc(nulls_last=True)
    run = CampaignRun.objects.filter(campaign=campaign).order_by(begun_first, "-pk").first()
    target = Target.objects.filter(campaign=campaign, contact=contact, run=run).first()
    now = _audience(campaign, contact, decides=run is None or run.snapshot_at is None)
    return [now, *_snapshot(campaign, run, target)]


def _audience(campaign: Campaign, contact: Contact, *, decides: bool) -> Step:
    chosen = list(campaign.audience.select_related("segment").order_by("segment__name"))
    inside = set(
        Membership.objects.filter(
            contact=contact, left_at=None, segment_id__in=[each.segment_id for each in chosen]
        ).values_list("segment_id", flat=True)
    )
    left_out = [each.segment for each in chosen if each.is_excluded and each.segment_id in inside]
    taken_in = [each.segment for each in chosen if not each.is_excluded and each.segment_id in inside]
    links = [_why_segment(each.segment, contact) for each in chosen]
    stop = STOP if decides else FACT
    if campaign.is_found:
        return Step(
            "audience", "Audience", FACT, f"Its people were found {campaign.get_origin_display().lower()}.", []
        )
    if not any(not each.is_excluded for each in chosen):
        return Step("audience", "Audience", stop, "The campaign goes to no segment yet.", links)
    if left_out:
        return Step("audience", "Audience", stop, f"Left out: the contact is in {_names(left_out)}.", links)
    if not taken_in:
        wanted = _names([each.segment for each in chosen if not each.is_excluded])
        return Step("audience", "Audience", stop, f"The contact is not in {wanted}.", links)
    return Step("audience", "Audience", GOOD if decides else FACT, f"The contact is in {_names(taken_in)}.", links)


def _snapshot(campaign: Campaign, run: CampaignRun | None, target: Target | None) -> list[Step]:
    if run is None:
        said = {"scheduled": "It has not started yet.", "draft": "It has not been launched yet."}
        sentence = said.get(campaign.status, "It never started.")
        return [Step("snapshot", "Start of the campaign", WAIT if campaign.status in said else STOP, sentence)]
    if run.snapshot_at is None:
        sentence = run.error or f"Its audience is taken {when(run.run_at)}."
        return [Step("snapshot", "Start of the campaign", WAIT, sentence)]
    if target is None:
        sentence = f"The contact was not in the audience when it was taken, {when(run.snapshot_at)}."
        return [Step("snapshot", "Start of the campaign", STOP, sentence)]
    if target.is_held_out:
        sentence = (
            "Held out by chance when the people were found: offered and sent nothing, so that the effect shows."
        )
        return [Step("snapshot", "Start of the campaign", STOP, sentence)]
    sentence = f"Taken into the audience {when(target.created_at)}, one of {run.target_count:,}."
    found = [Step("snapshot", "Start of the campaign", GOOD, sentence)]
    if not run.is_queued and target.pk > run.queued_through_id:
        found.append(_timing(target) if target.send_at is not None else _pacing(campaign, run, target))
    return found


def _timing(target: Target) -> Step:
    """It waits for a time by the contact's own clock, or for the hour in which it usually reads."""
    assert target.send_at is not None
    chosen = {
        TimedBy.OWN: "when the contact usually reads",
        TimedBy.ORGANIZATION: "when your contacts usually read, for too little is known of this one",
        TimedBy.FALLBACK: "the time set for contacts of whom nothing is known",
    }
    why = chosen.get(TimedBy(target.timed_by), "by the contact's own clock")
    return Step("timing", "Time of the message", WAIT, f"It goes out {when(target.send_at)}: {why}.")


def _pacing(campaign: Campaign, run: CampaignRun, target: Target) -> Step:
    """How many are before the contact; their message is written when their turn comes."""
    before = Target.objects.filter(run=run, pk__gt=run.queued_through_id, pk__lt=target.pk).count()
    pace = f" at {campaign.messages_per_minute:,} a minute" if campaign.messages_per_minute else ""
    sentence = f"Its turn has not come: {before:,} people are before the contact{pace}."
    if campaign.status == "paused":
        sentence = f"The campaign is paused; {before:,} people are before the contact."
    link = row("campaigns_campaign", campaign.pk, str(campaign))
    return Step("pacing", "Pace of the campaign", WAIT, sentence, [link])


def _why_segment(segment: Segment, contact: Contact) -> Link:
    address = reverse("admin:segments_segment_why", args=[segment.pk])
    return Link(f"Why “{segment}”", f"{address}?contact={contact.pk}")


def _names(segments: list[Segment]) -> str:
    return " or ".join(f"“{segment}”" for segment in segments)
