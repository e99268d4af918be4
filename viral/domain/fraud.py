"""Whether somebody invites himself."""

from __future__ import annotations

from collections.abc import Callable, Set
from dataclasses import dataclass, field

from viral.domain.addresses import email_key, phone_key

REASONS = {
    "same_contact": "Inviter and invitee are the same contact.",
    "same_email": "Inviter and invitee share an e-mail address.",
    "same_phone": "Inviter and invitee share a phone number.",
    "same_device": "The sign-up came from a device of the inviter.",
    "existing_customer": "The invitee was a customer before the sign-up.",
    "duplicate": "The invitee is one person with somebody who was invited before.",
    "refunded": "The order that qualified was refunded.",
}


@dataclass(frozen=True)
class Person:
    """What tells people apart. `marks`: device and anonymous ids, of the contact or the event it sent."""

    contact_id: int
    emails: Set[str] = field(default_factory=frozenset)
    phones: Set[str] = field(default_factory=frozenset)
    marks: Set[str] = field(default_factory=frozenset)


def self_referral(inviter: Person, invitee: Person) -> str:
    """Why these two are one person (a key of REASONS), or "" when they seem to be two."""
    if inviter.contact_id == invitee.contact_id:
        return "same_contact"
    if _keys(inviter.emails, email_key) & _keys(invitee.emails, email_key):
        return "same_email"
    if _keys(inviter.phones, phone_key) & _keys(invitee.phones, phone_key):
        return "same_phone"
    if inviter.marks & invitee.marks:
        return "same_device"
    return ""


def _keys(values: Set[str], key: Callable[[str], str]) -> set[str]:
    return {found for value in values if (found := key(value))}
