"""From what happened to the pairs of segment and contact that must be looked at again."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, Q

from audience.notices import ContactsChanged, EventsRecorded, PredictionsChanged
from common import doorbell
from segments.models import Segment, SegmentDependency, SegmentKind, SegmentStatus
from segments.notices import MembershipChanged
from segments.rules import needs
from segments.rules.conditions.prediction import FIELD as PREDICTION
from segments.services import members, progress, refresh
from segments.services.refresh import Pair

MOVED_BY_CHANGES = ("updated_at",)
# More contacts than this of one segment at once: a full build of those that refer to it is cheaper.
MOST_MOVED = 20_000


def audience_moved(notices: Iterable[ContactsChanged | EventsRecorded]) -> int:
    """Look again at everybody these notices are about, in the segments they may move, in one evaluation.

    Returns how many memberships changed.
    """
    pairs: set[Pair] = set()
    happened: set[Pair] = set()
    for notice in notices:
        if isinstance(notice, EventsRecorded):
            happened |= _pairs_of_events(notice)
        else:
            pairs |= _pairs_of_contacts(notice)
    return refresh.refresh(pairs, happened - pairs)


def memberships_moved(notices: Iterable[MembershipChanged]) -> int:
    """Look again at contacts that entered or left a segment, in the segments whose rules refer to it.

    Where very many moved at once the whole segment is built anew instead. Returns how many memberships changed.
    """
    moved: dict[int, set[int]] = defaultdict(set)
    for notice in notices:
        moved[notice.segment_id].update(notice.entered, notice.left)
    pairs: set[Pair] = set()
    for segment_id, needed_id in _dependants(moved):
        if len(moved[needed_id]) <= MOST_MOVED or not build_anew(segment_id):
            pairs.update((segment_id, contact_id) for contact_id in moved[needed_id])
    return refresh.refresh(sorted(pairs))


def predictions_moved(notices: Iterable[PredictionsChanged]) -> int:
    """Look again at contacts of whom something else is expected, in the segments whose rules ask for just that.

    Where very many moved at once the whole segment is built anew instead. Returns how many memberships changed.
    """
    moved: dict[str, set[int]] = defaultdict(set)
    for notice in notices:
        moved[f"{PREDICTION}{notice.name}"].update(notice.contact_ids)
    pairs: set[Pair] = set()
    for segment_id, _, field in _dependencies(Q(field__in=list(moved))):
        if len(moved[field]) <= MOST_MOVED or not build_anew(segment_id):
            pairs.update((segment_id, contact_id) for contact_id in moved[field])
    return refresh.refresh(sorted(pairs))


def concerned(notices: Sequence[MembershipChanged]) -> list[bool]:
    """Which of these are about segments that a live rule refers to. Asked under the refreshers' lock: a rule that
    is made meanwhile is built after it."""
    needed = {needed_id for _, needed_id in _dependants({notice.segment_id for notice in notices})}
    return [notice.segment_id in needed for notice in notices]


def zone_changed() -> None:
    """Build the segments anew whose rules ask for a day where the contact lives."""
    local = SegmentDependency.objects.filter(field__in=(needs.ZONE, needs.HOME), segment__is_active=True)
    for segment_id in sorted(set(local.values_list("segment_id", flat=True))):
        _build_over(segment_id)


def _build_over(segment_id: int) -> None:
    """Have a segment built, and once more when a build is under way that may have read what was before.

    The update waits for a build that is at its end; one that is not will see the count and do it again.
    """
    standing = [SegmentStatus.READY, SegmentStatus.BUILDING]
    asked = Segment.objects.filter(pk=segment_id, status__in=standing, is_active=True)
    if asked.update(status=SegmentStatus.BUILDING, asked_count=F("asked_count") + 1):
        transaction.on_commit(lambda: progress.interrupt(segment_id))
        doorbell.ring("segment_builds")


def build_anew(segment_id: int) -> bool:
    """Have a ready segment built; False when it is being built already, or stands still."""
    is_asked = Segment.objects.filter(pk=segment_id, status=SegmentStatus.READY, is_active=True).update(
        status=SegmentStatus.BUILDING
    )
    if is_asked:
        doorbell.ring("segment_builds")
    return bool(is_asked)


def _dependants(needed: Iterable[int]) -> list[tuple[int, int]]:
    """(segment, the segment it refers to) for live segments."""
    rows = SegmentDependency.objects.filter(needed__in=list(needed), segment__is_active=True)
    return list(rows.values_list("segment_id", "needed_id"))


def _pairs_of_events(notice: EventsRecorded) -> set[Pair]:
    """The contacts of new events, in the segments whose rules read those events."""
    contacts_by_definition: dict[int, set[int]] = defaultdict(set)
    for event in notice.events:
        contacts_by_definition[event.definition_id].add(event.contact_id)
    everybody = set().union(*contacts_by_definition.values())
    affected = _dependencies(Q(definition__in=contacts_by_definition) | Q(field__in=needs.MOVED_BY_EVENTS))
    pairs: set[Pair] = set()
    for segment_id, definition_id, _ in affected:
        contacts = everybody if definition_id is None else contacts_by_definition[definition_id]
        pairs.update((segment_id, contact_id) for contact_id in contacts)
    return pairs


def _pairs_of_contacts(notice: ContactsChanged) -> set[Pair]:
    """Contacts that came, changed or were merged; those that are gone leave at once."""
    if notice.deleted:
        members.forget(notice.deleted)
    pairs = _pairs_of_changes(notice)
    survivors = {merge.merged_id: merge.survivor_id for merge in notice.merged}
    newcomers = {*notice.created, *survivors.values()}
    if survivors:
        members.follow_merges(survivors)
    # Evaluation finds the merged and the deleted gone, which closes what is left of them, also after a build.
    everywhere = newcomers | survivors.keys() | set(notice.deleted)
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
