"""What happened in the river → referrals; and people who turned out to be one."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import F

from audience.notices import ContactsMerged, RecordedEvent
from common import clock, turns
from viral.models import CodeVisit, Program, Referral, ReferralCode, ReferralStatus, Reward
from viral.services import arrivals, binding, qualifying

LOCK = "viral"


def record_events(events: Sequence[RecordedEvent]) -> None:
    """Take note of recorded events, all at once; the same events again change nothing.

    As many statements for many events as for a few; one when there is no programme.
    """
    programs = list(Program.objects.filter(is_active=True))
    if not programs or not events:
        return
    with turns.taking(LOCK):
        sign_ups = arrivals.read(events, programs)
        binding.bind(sign_ups)
        qualifying.qualify(programs, {event.contact_id for event in events})


def follow_merges(merges: Sequence[ContactsMerged]) -> None:
    """Move codes, referrals and rewards of merged contacts to the contact that stayed. Idempotent.

    Who turns out to have invited himself, or to be one invitee with another, loses the referral with a reason.
    """
    if not merges:
        return
    with turns.taking(LOCK):
        for merge in merges:
            _move(merge)
        survivors = {merge.survivor_id for merge in merges}
        reject(
            list(
                Referral.objects.filter(invitee_id__in=survivors, inviter_id=F("invitee_id"))
                .exclude(status=ReferralStatus.REJECTED)
                .values_list("pk", flat=True)
            ),
            "same_contact",
        )
        programs = list(Program.objects.filter(is_active=True))
        binding.bind(arrivals.by_earlier_visit(survivors, programs))
        qualifying.qualify(programs, survivors)


def reject(referral_ids: Sequence[int], reason: str) -> None:
    """Refuse referrals, whatever their state, and take their rewards back. `reason` is a key of `fraud.REASONS`."""
    if not referral_ids:
        return
    Referral.objects.filter(pk__in=referral_ids).update(
        status=ReferralStatus.REJECTED, reason=reason, rejected_at=clock.now()
    )
    labels = dict(Referral._meta.get_field("reason").flatchoices)
    qualifying.take_back(referral_ids, str(labels[reason]))


def _move(merge: ContactsMerged) -> None:
    away, to = merge.merged_id, merge.survivor_id
    held = ReferralCode.objects.filter(contact_id=to, is_current=True).values("program_id")
    mine = ReferralCode.objects.filter(contact_id=away)
    mine.filter(is_current=True, program_id__in=held).update(is_current=False)
    mine.update(contact_id=to)
    known = CodeVisit.objects.filter(contact_id=to).values("code_id")
    CodeVisit.objects.filter(contact_id=away, code_id__in=known).delete()
    CodeVisit.objects.filter(contact_id=away).update(contact_id=to)
    _drop_second(away, to)
    Referral.objects.filter(invitee_id=away).update(invitee_id=to)
    Referral.objects.filter(inviter_id=away).update(inviter_id=to)
    Reward.objects.filter(contact_id=away).update(contact_id=to)


def _drop_second(away: int, to: int) -> None:
    """Both were invited in one programme: the earlier sign-up stays."""
    both = Referral.objects.filter(invitee_id__in=[away, to]).exclude(status=ReferralStatus.REJECTED)
    seen: set[int] = set()
    second = []
    for pk, program_id in both.order_by("signed_up_at", "pk").values_list("pk", "program_id"):
        if program_id in seen:
            second.append(pk)
        seen.add(program_id)
    reject(second, "duplicate")
