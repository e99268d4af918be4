"""What a contact chooses for themselves: topics and channels, how often, a pause, language and zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

from django.db import transaction

from accounts import audit
from audience import selectors as audience_selectors
from audience import services as audience
from audience.models import ConsentState, Contact, MessageChannel, Topic
from audience.notices import ContactsMerged
from common import clock
from common.errors import Invalid
from delivery.models import Frequency, Preference
from delivery.services import policy

PAUSE_DAYS = 30
HOW = "preference page"
# Which of a contact's fields says that a channel reaches them; the others show once something was said of them.
ADDRESS_OF = {MessageChannel.EMAIL: "email", MessageChannel.SMS: "phone"}


@dataclass(frozen=True)
class Row:
    """One line of the grid: a topic (None: everything else) and whether each channel brings it."""

    topic: Topic | None
    states: dict[str, bool]


@dataclass(frozen=True)
class Picture:
    """What a contact has chosen, as the page shows it."""

    contact: Contact
    channels: list[str]
    rows: list[Row]
    frequency: str
    paused_until: datetime | None

    @property
    def wants_nothing(self) -> bool:
        return not any(wanted for row in self.rows for wanted in row.states.values())


@dataclass(frozen=True)
class Choice:
    """What the page sends: the ticked pairs of (topic id or None, channel), and the rest."""

    ticked: frozenset[tuple[int | None, str]]
    frequency: str
    timezone: str = ""
    locale: str = ""


@dataclass(frozen=True)
class Proof:
    """By which message somebody came to the page, and from where."""

    message_id: int
    address: str = ""
    user_agent: str = ""
    wording: Mapping[int | None, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {"message_id": self.message_id, "address": self.address, "user_agent": self.user_agent[:300]}


def picture(contact: Contact) -> Picture:
    """What counts for the contact now, read as the policy reads it."""
    channels = channels_of(contact)
    states = {channel: audience_selectors.consent_states(contact.pk, channel) for channel in channels}
    unsaid = not policy.current().requires_consent

    def wants(topic_id: int | None, channel: str) -> bool:
        said = states[channel].get(topic_id)
        return unsaid if said is None else said == ConsentState.GRANTED

    topics: list[Topic | None] = [*Topic.objects.order_by("name", "pk"), None]
    rows = [
        Row(topic, {channel: wants(topic.pk if topic else None, channel) for channel in channels}) for topic in topics
    ]
    own = Preference.objects.filter(contact=contact).first()
    paused_until = own.paused_until if own and own.paused_until and own.paused_until > clock.now() else None
    return Picture(contact, channels, rows, own.frequency if own else Frequency.ANY, paused_until)


def channels_of(contact: Contact) -> list[str]:
    """The channels that reach the contact, or about which something was said."""
    said = {consent.channel for consent in audience_selectors.consents(contact.pk)}
    return [
        str(channel)
        for channel in MessageChannel.values
        if channel in said or (channel in ADDRESS_OF and getattr(contact, ADDRESS_OF[MessageChannel(channel)]))
    ]


def choose(contact: Contact, choice: Choice, proof: Proof) -> None:
    """Write what differs from the present: entries of the consent ledger, the frequency, zone and language.

    Raises `Invalid` for what the page does not offer; then nothing is written.
    """
    if choice.frequency not in Frequency.values:
        raise Invalid("Choose how often from the list.", details={"frequency": "unknown"})
    if choice.timezone and choice.timezone not in available_timezones():
        raise Invalid("Choose a time zone from the list.", details={"timezone": "unknown"})
    with transaction.atomic():
        held = Contact.objects.select_for_update(no_key=True).get(pk=contact.pk)
        now = picture(held)
        for channel in now.channels:
            _write_channel(held, now.rows, channel, choice.ticked, proof)
        _prefer(held, frequency=choice.frequency)
        changes: dict[str, Any] = {
            name: said
            for name, said in (("timezone", choice.timezone), ("locale", choice.locale))
            if said and said != getattr(held, name)
        }
        if changes:
            audience.update_contact(held, **changes)


def _write_channel(
    contact: Contact, rows: Sequence[Row], channel: str, ticked: frozenset[tuple[int | None, str]], proof: Proof
) -> None:
    """A word about everything covers the topics too; those that stay otherwise are said again, with the same time."""
    rest = next(row for row in rows if row.topic is None)
    wants_rest = (None, channel) in ticked
    is_rest_new = wants_rest != rest.states[channel]
    if is_rest_new:
        _say(contact, channel, None, wants_rest, proof)
    for row in rows:
        if row.topic is None:
            continue
        wanted = (row.topic.pk, channel) in ticked
        before = wants_rest if is_rest_new else row.states[channel]
        if wanted != before:
            _say(contact, channel, row.topic, wanted, proof)


def _say(contact: Contact, channel: str, topic: Topic | None, wanted: bool, proof: Proof) -> None:
    topic_id = topic.pk if topic else None
    if wanted:
        wording = f"{topic.name}: {topic.description}".rstrip(": ") if topic else "Everything else"
        audience.grant_consent([contact.pk], channel, topic_id, HOW, wording, proof.as_json(), is_confirmed=True)
    else:
        audience.withdraw_consent([contact.pk], channel, topic_id, HOW, "", proof.as_json())


def pause(contact: Contact) -> datetime:
    """No messages but the awaited ones for 30 days; returns until when."""
    until = clock.now() + timedelta(days=PAUSE_DAYS)
    _prefer(contact, paused_until=until)
    return until


def end_pause(contact: Contact) -> None:
    _prefer(contact, paused_until=None)


def refuse_everything(contact: Contact, proof: Proof) -> None:
    """Withdraw every channel that still brings something."""
    with transaction.atomic():
        now = picture(contact)
        for channel in now.channels:
            if any(row.states[channel] for row in now.rows):
                _say(contact, channel, None, False, proof)


def _prefer(contact: Contact, **changes: Any) -> None:
    with transaction.atomic():
        row = Preference.objects.select_for_update().filter(contact=contact).first()
        if row is None:
            if changes in ({"frequency": Frequency.ANY}, {"paused_until": None}):
                return
            row = Preference.objects.create(contact=contact, **changes)
            audit.created(row)
            return
        if any(getattr(row, name) != value for name, value in changes.items()):
            with audit.changing(row):
                for name, value in {**changes, "updated_at": clock.now()}.items():
                    setattr(row, name, value)
                row.save()


def follow_merges(merges: Iterable[ContactsMerged]) -> None:
    """The survivor keeps the stricter of both: the longer pause, the rarer rhythm. Idempotent."""
    order = list(Frequency.values)
    with transaction.atomic():
        for merge in merges:
            gone = Preference.objects.select_for_update().filter(contact_id=merge.merged_id).first()
            if gone is None:
                continue
            kept = Preference.objects.select_for_update().filter(contact_id=merge.survivor_id).first()
            if kept is None:
                Preference.objects.filter(pk=gone.pk).update(contact_id=merge.survivor_id)
                continue
            kept.frequency = max(kept.frequency, gone.frequency, key=order.index)
            pauses = [moment for moment in (kept.paused_until, gone.paused_until) if moment]
            kept.paused_until = max(pauses, default=None)
            kept.save()
            gone.delete()


def forget(contact_ids: Sequence[int]) -> None:
    """People who were deleted leave no wishes behind."""
    Preference.objects.filter(contact_id__in=contact_ids).delete()
