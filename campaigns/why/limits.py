"""What the policy looks at, each with its evidence. Whether it stops a message the judge itself is asked."""

from __future__ import annotations

from datetime import timedelta

from audience.models import Consent, ConsentRequest, Contact, Suppression, Topic
from campaigns.why.steps import FACT, Step, row, when
from common import clock
from delivery.domain import quiet
from delivery.domain.caps import Cap
from delivery.models import (
    HeldOut,
    Holdout,
    Message,
    MessageKind,
    MessageStatus,
    Preference,
    SendingPause,
)
from delivery.services import policy
from delivery.services.policy import limits

MOST_SHOWN = 6
COUNTED = (MessageStatus.SENDING, MessageStatus.SENT, MessageStatus.UNCERTAIN)


def steps(contact: Contact, kind: str, channel: str, topic_id: int | None) -> list[Step]:
    """Consent, suppression, wishes, holdouts, caps and quiet hours, as far as they speak of such a message."""
    found = [_consent(contact, channel, topic_id), *_suppression(contact, channel)]
    if kind != MessageKind.TRANSACTIONAL:
        found += [*_wishes(contact), *_holdouts(contact), *_caps(contact, kind, channel, topic_id)]
        found += _quiet(contact, channel)
    return [*found, *_pauses()]


def _consent(contact: Contact, channel: str, topic_id: int | None) -> Step:
    """Newest first, by the rule of audience.selectors.LATEST_CONSENT: the first one counts."""
    entries = [
        entry
        for entry in Consent.objects.filter(contact=contact, channel=channel).select_related("topic")
        if entry.topic_id in (None, topic_id)
    ]
    entries.sort(key=lambda entry: (entry.happened_at, entry.topic_id is not None, entry.pk), reverse=True)
    waiting = ConsentRequest.objects.filter(
        contact=contact, channel=channel, confirmed_at=None, expires_at__gt=clock.now()
    )
    told = [
        f"{entry.get_state_display()} for {entry.topic or 'all topics'} {when(entry.happened_at)} ({entry.how})"
        for entry in entries[:MOST_SHOWN]
    ]
    told += [f"waiting for a click since {when(asked.requested_at)}" for asked in waiting]
    sentence = "; before that: ".join([told[0], "; ".join(told[1:])]) if len(told) > 1 else "".join(told)
    links = [row("audience_consent", entry.pk, f"Entry {entry.pk}") for entry in entries[:MOST_SHOWN]]
    return Step("consent", "Consent", FACT, f"{sentence or 'Nothing is recorded'}.", links)


def _suppression(contact: Contact, channel: str) -> list[Step]:
    address = (contact.phone if channel in ("sms", "whatsapp") else contact.email).strip().lower()
    entry = Suppression.objects.filter(channel=channel, address=address).first() if address else None
    if entry is None:
        return [Step("suppression", "Suppression list", FACT, "The address is not on it.")]
    sentence = f"{entry.address} is on it since {when(entry.created_at)}: {entry.reason}."
    return [Step("suppression", "Suppression list", FACT, sentence, [row("audience_suppression", entry.pk, "Entry")])]


def _wishes(contact: Contact) -> list[Step]:
    own = Preference.objects.filter(contact=contact).first()
    if own is None:
        return []
    paused = own.paused_until is not None and own.paused_until > clock.now()
    sentence = f"Wants messages: {own.get_frequency_display().lower()}."
    if paused and own.paused_until is not None:
        sentence += f" Paused until {when(own.paused_until)}."
    return [Step("wishes", "What the contact chose", FACT, sentence)]


def _holdouts(contact: Contact) -> list[Step]:
    rows = HeldOut.objects.filter(contact_id=contact.pk).select_related("holdout").order_by("-pk")[:MOST_SHOWN]
    told = [f"“{each.holdout}” {when(each.happened_at)}" for each in rows]
    if not told and not Holdout.objects.filter(percent__gt=0).exists():
        return []
    sentence = f"Held out of {', '.join(told)}." if told else "Never held out so far."
    return [Step("holdouts", "Holdouts", FACT, sentence)]


def _caps(contact: Contact, kind: str, channel: str, topic_id: int | None) -> list[Step]:
    """Each cap that covers the message, with the messages that used it up."""
    covering = [cap for cap in policy.caps(policy.current()) if cap.covers(kind, channel, topic_id)]
    if not covering:
        return []
    since = clock.now() - max(cap.reach for cap in covering)
    went = Message.objects.filter(contact=contact, claimed_at__gt=since, status__in=COUNTED, kind=kind)
    rows = list(went.exclude(source_type="test").select_related("content").order_by("-claimed_at"))
    return [_cap(cap, rows) for cap in covering]


def _cap(cap: Cap, rows: list[Message]) -> Step:
    now = clock.now()
    counted = [row for row in rows if cap.covers(row.kind, row.channel, row.topic_id) and row.claimed_at]
    within = [one for one in counted if one.claimed_at and one.claimed_at > now - timedelta(hours=cap.per_hours)]
    topic = Topic.objects.filter(pk=cap.topic_id).first() if cap.topic_id else None
    scope = " ".join(part for part in (cap.channel and f"by {cap.channel}", topic and f"about “{topic}”") if part)
    told = []
    if cap.most is not None:
        told.append(f"{len(within)} of {cap.most} in {cap.per_hours} hours used")
    if cap.hours_between and counted and counted[0].claimed_at:
        told.append(f"the last one {when(counted[0].claimed_at)}, and {cap.hours_between} hours must lie between")
    elif cap.hours_between:
        told.append(f"{cap.hours_between} hours must lie between two, and none went")
    sentence = f"{'; '.join(told)}{f' ({scope})' if scope else ''}.".capitalize()
    links = [row("delivery_message", one.pk, f"“{one.content.name}”") for one in counted[:MOST_SHOWN]]
    return Step("caps", "Cap", FACT, sentence, links)


def _quiet(contact: Contact, channel: str) -> list[Step]:
    now = clock.now()
    name = contact.timezone if quiet.zone(contact.timezone) else limits.home()
    until = policy.resume_at(now, name, policy.current(), channel)
    where = quiet.zone(name)
    local = f"It is {now.astimezone(where):%H:%M} where the contact lives ({name})"
    if name != contact.timezone:
        local += ", taken from the organisation"
    sentence = f"{local}, quiet until {when(until)}." if until else f"{local}, and not quiet."
    return [Step("quiet_hours", "Quiet hours", FACT, sentence)]


def _pauses() -> list[Step]:
    return [
        Step("pauses", "Sending is paused", FACT, f"{pause.get_scope_display()} {pause.target}: {pause.reason}")
        for pause in SendingPause.objects.filter(resumed_at=None)[:MOST_SHOWN]
    ]
