"""What others read about people."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Q, QuerySet

from audience.models import Consent, ConsentState, Contact, Event, Identity


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


def may_reach(contact_ids: Sequence[int], channel: str) -> set[int]:
    """Which of these contacts said yes to a channel for all topics, as of their last word."""
    entries = Consent.objects.filter(contact_id__in=contact_ids, channel=channel, topic=None)
    latest = entries.order_by("contact_id", "-happened_at", "-pk").distinct("contact_id")
    return {entry.contact_id for entry in latest if entry.state == ConsentState.GRANTED}
