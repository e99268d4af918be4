"""Why somebody is in a segment, or is not: what the rule says now beside what is written down."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from accounts.models import AuditEntry
from audience.models import Contact
from common import clock
from common.errors import NotFound
from segments import rules
from segments.models import Membership, Segment, SegmentKind, SegmentStatus
from segments.rules import explain as explaining
from segments.rules.explain import Node

MOST_MERGES = 20
# What the audit log calls the ways in and out of a static segment, and how many ids an entry lists.
WAYS = {True: ("add_contacts", "upload_add"), False: ("remove_contacts", "upload_remove")}
LISTED_IDS = 100
WHY_DIFFERENT = {
    SegmentStatus.BUILDING: "The segment is being built; until that is done, the earlier members stay.",
    SegmentStatus.FAILED: "The segment has stopped, so its members stand still.",
    SegmentStatus.READY: "Something changed a moment ago; the membership follows within a second.",
}
INACTIVE = "The segment is inactive: its members stand as they were when it was switched off."


@dataclass(frozen=True)
class Explanation:
    """`is_match`, `node` and `sentence` are empty for a static segment; `agrees` is false while membership and
    rule differ, and `note` says why, or who put somebody in by hand. `flips_at`: see `Node`.
    """

    segment: Segment
    contact: Contact
    is_member: bool
    entered_at: datetime | None
    left_at: datetime | None
    note: str
    is_match: bool | None = None
    agrees: bool = True
    flips_at: datetime | None = None
    sentence: str = ""
    node: Node | None = None

    @property
    def verdict(self) -> str:
        """The answer in a few words."""
        if self.is_member:
            return f"{self.contact} is in “{self.segment}”"
        return f"{self.contact} is not in “{self.segment}”"


def explain(segment: Segment, contact: Contact) -> Explanation:
    """Why this contact is in the segment, or is not. One who was merged is answered as the one who stayed.

    Raises `Invalid` when the stored rule cannot be read. Plan: four small statements (memberships by contact,
    verdicts, events, and for static segments the audit log of the segment).
    """
    contact = _survivor(contact)
    stays = Membership.objects.filter(segment=segment, contact=contact)
    stay = stays.filter(left_at=None).first() or stays.order_by("-left_at").first()
    if segment.kind == SegmentKind.STATIC:
        return _told(segment, contact, stay, _by_whom(segment, contact, stay))
    rule = rules.parse_stored(segment.rule)
    node = explaining.explain(rule, contact.pk, clock.now())
    if node is None:
        raise NotFound(f"There is no contact {contact.pk} here.")
    found = _told(segment, contact, stay, "")
    agrees = node.is_true == found.is_member
    return replace(
        found,
        note="" if agrees else _why_different(segment),
        is_match=node.is_true,
        agrees=agrees,
        flips_at=node.flips_at,
        sentence=rules.sentence(rule),
        node=node,
    )


def _told(segment: Segment, contact: Contact, stay: Membership | None, note: str) -> Explanation:
    """What is written down."""
    if stay is None:
        return Explanation(segment, contact, False, None, None, note)
    return Explanation(segment, contact, stay.left_at is None, stay.entered_at, stay.left_at, note)


def find_contact(contact_id: int) -> Contact:
    """The contact with this id; raises `NotFound`."""
    contact = Contact.objects.filter(pk=contact_id).first()
    if contact is None:
        raise NotFound(f"There is no contact {contact_id} here.")
    return contact


def _survivor(contact: Contact) -> Contact:
    for _ in range(MOST_MERGES):
        if contact.merged_into is None:
            break
        contact = contact.merged_into
    return contact


def _why_different(segment: Segment) -> str:
    return WHY_DIFFERENT[SegmentStatus(segment.status)] if segment.is_active else INACTIVE


def _by_whom(segment: Segment, contact: Contact, stay: Membership | None) -> str:
    """Who put somebody into a static segment, or took them out, as the audit log has it."""
    if stay is None:
        return "Nobody has put this contact in yet."
    is_member = stay.left_at is None
    word, moment = ("Put in", stay.entered_at) if is_member else ("Taken out", stay.left_at)
    entry = _audited(segment, contact, moment, WAYS[is_member])
    if entry is None:
        return f"{word} when two contacts were found to be one person."
    how = " with an uploaded file" if entry.action.startswith("upload") else ""
    return f"{word} by {entry.actor or 'the system'}{how}."


def _audited(
    segment: Segment, contact: Contact, moment: datetime | None, actions: tuple[str, ...]
) -> AuditEntry | None:
    """The first entry at or after the moment that names the contact, or is too long to name everybody."""
    entries = AuditEntry.objects.filter(
        object_type=Segment._meta.label_lower, object_id=str(segment.pk), action__in=actions, happened_at__gte=moment
    )
    for entry in entries.order_by("pk")[:50]:
        listed = (entry.after or {}).get("contact_ids", [])
        if contact.pk in listed or (entry.after or {}).get("contact_count", 0) > LISTED_IDS:
            return entry
    return None
