"""What others read about people."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from audience.models import Consent, ConsentState, Contact, Event, Identity, Topic

# Which entry of the consent ledger decides for a channel and a topic: of those about the topic and those about
# all topics the newest; of two of the same moment the one about the topic; then the one written last.
LATEST_CONSENT = "entry.happened_at DESC, entry.topic_id IS NULL, entry.id DESC"


def living() -> QuerySet[Contact]:
    """Contacts that were not merged away."""
    return Contact.objects.filter(merged_into=None)


def search(contacts: QuerySet[Contact], words: str) -> QuerySet[Contact]:
    """Contacts whose name, e-mail, phone or any identity begins with `words`.

    Identities answer from their unique index; the row scan for names stays within one organisation.
    """
    text = words.strip()
    if not text:
        return contacts
    named = Identity.objects.filter(value__startswith=text).values("contact_id")
    by_name = Q(name__istartswith=text) | Q(email__istartswith=text) | Q(phone__startswith=text)
    return contacts.filter(by_name | Q(pk__in=named))


def events_of(contact_id: int) -> QuerySet[Event]:
    """A contact's events; read newest first through `event_by_contact`, partition by partition."""
    return Event.objects.filter(contact_id=contact_id).select_related("definition")


def consents(contact_id: int) -> list[Consent]:
    """The entry that counts for each channel and topic: the latest one."""
    entries = Consent.objects.filter(contact_id=contact_id).select_related("topic")
    return list(entries.order_by("channel", "topic_id", "-happened_at", "-pk").distinct("channel", "topic_id"))


def consent_states(contact_id: int, channel: str) -> dict[int | None, str]:
    """Per topic (None: all the others) what counts now, by the rule of LATEST_CONSENT; no key where nothing does."""
    general: Consent | None = None
    latest: dict[int, Consent] = {}
    for entry in Consent.objects.filter(contact_id=contact_id, channel=channel).order_by("happened_at", "pk"):
        if entry.topic_id is None:
            general = entry
        else:
            latest[entry.topic_id] = entry
    states: dict[int | None, str] = {} if general is None else {None: general.state}
    for topic_id in Topic.objects.values_list("pk", flat=True):
        own = latest.get(topic_id)
        if own is not None and (general is None or own.happened_at >= general.happened_at):
            states[topic_id] = own.state
        elif general is not None:
            states[topic_id] = general.state
    return states


def may_reach(contact_ids: Sequence[int], channel: str) -> set[int]:
    """Which of these contacts said yes to a channel for all topics, as of their last word."""
    entries = Consent.objects.filter(contact_id__in=contact_ids, channel=channel, topic=None)
    latest = entries.order_by("contact_id", "-happened_at", "-pk").distinct("contact_id")
    return {entry.contact_id for entry in latest if entry.state == ConsentState.GRANTED}
