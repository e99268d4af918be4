"""From what happened to the pairs of segment and contact that must be looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from django.db.models import Q

from audience.notices import ContactsChanged, EventsRecorded
from segments.models import Segment, SegmentDependency, SegmentKind
from segments.services import members, refresh
from segments.services.refresh import Pair

# Every event may move these, without a word about them in ContactsChanged.
MOVED_BY_EVENTS = ("first_seen_at", "last_seen_at", "updated_at")
MOVED_BY_CHANGES = ("updated_at",)


def audience_moved(notices: Iterable[ContactsChanged | EventsRecorded]) -> int:
    """Look again at everybody these notices are about, in the segments they may move, in one evaluation.

    Returns how many memberships changed.
    """
    pairs: set[Pair] = set()
    for notice in notices:
        pairs |= _pairs_of_events(notice) if isinstance(notice, EventsRecorded) else _pairs_of_contacts(notice)
    return refresh.refresh(sorted(pairs))


def _pairs_of_events(notice: EventsRecorded) -> set[Pair]:
    """The contacts of new events, in the segments whose rules read those events."""
    contacts_by_definition: dict[int, set[int]] = defaultdict(set)
    for event in notice.events:
        contacts_by_definition[event.definition_id].add(event.contact_id)
    everybody = set().union(*contacts_by_definition.values())
    affected = _dependencies(Q(definition__in=contacts_by_definition) | Q(field__in=MOVED_BY_EVENTS))
    pairs: set[Pair] = set()
    for segment_id, definition_id, _ in affected:
        contacts = everybody if definition_id is None else contacts_by_definition[definition_id]
        pairs.update((segment_id, contact_id) for contact_id in contacts)
    return pairs


def _pairs_of_contacts(notice: ContactsChanged) -> set[Pair]:
    """Contacts that came, changed or were merged."""
    pairs = _pairs_of_changes(notice)
    survivors = {merge.merged_id: merge.survivor_id for merge in notice.merged}
    newcomers = {*notice.created, *survivors.values()}
    if survivors:
        members.follow_merges(survivors)
    # Evaluation finds the merged gone, which closes their memberships.
    everywhere = newcomers | survivors.keys()
    if everywhere:
        dynamic = Segment.objects.filter(kind=SegmentKind.DYNAMIC).values_list("pk", flat=True)
        pairs |= {(segment_id, contact_id) for segment_id in dynamic for contact_id in everywhere}
    return pairs


def _pairs_of_changes(notice: ContactsChanged) -> set[Pair]:
    contacts_by_field: dict[str, set[int]] = defaultdict(set)
    for change in notice.changes:
        for field in (change.attribute, *MOVED_BY_CHANGES):
            contacts_by_field[field].add(change.contact_id)
    if not contacts_by_field:
        return set()
    return {
        (segment_id, contact_id)
        for segment_id, _, field in _dependencies(Q(field__in=list(contacts_by_field)))
        for contact_id in contacts_by_field[field]
    }


def _dependencies(condition: Q) -> Iterable[tuple[int, int | None, str]]:
    rows = SegmentDependency.objects.filter(condition, segment__is_active=True)
    return rows.values_list("segment_id", "definition_id", "field")
