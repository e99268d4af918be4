"""What this room does when others announce: people enter workflows, and merged people stay inside once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from audience.models import Contact
from audience.notices import AttributeChange, ContactsChanged, EventsRecorded, PredictionsChanged, RecordedEvent
from automations import keys
from automations.services import entries, merges, turns, watches
from automations.triggers import attribute_changed, date, event, lead_created, prediction, segment
from automations.triggers.base import Happening
from common import doorbell, outbox
from segments.notices import MembershipChanged
from segments.rules.conditions.prediction import FIELD as PREDICTION

DEFAULTS = {name: getattr(Contact(), name) for name in ("status", "priority", "value_minor")}


def on_contacts_changed(notice: ContactsChanged) -> None:
    """Merges first, so that what follows is about the survivors."""
    merges.repoint([(merge.merged_id, merge.survivor_id) for merge in notice.merged])
    if notice.merged:
        doorbell.ring(entries.WORK)
    _wake((keys.of_attribute(change.attribute), change.contact_id) for change in notice.changes)
    heard = entries.heard(_keys_of(notice))
    if dates := heard & {date.key_of(change.attribute) for change in notice.changes}:
        turns.touch(dates)
    happenings = [
        _changed(index, change)
        for index, change in enumerate(notice.changes)
        if attribute_changed.key_of(change.attribute) in heard
    ]
    if lead_created.KEY in heard:
        happenings += [Happening(lead_created.KEY, contact_id, "created") for contact_id in notice.created]
    entries.admit(happenings)


def _keys_of(notice: ContactsChanged) -> set[str]:
    """What workflows may listen to of these changes; those that start on a date look again when it is written."""
    attributes = {change.attribute for change in notice.changes}
    listened = {key for name in attributes for key in (attribute_changed.key_of(name), date.key_of(name))}
    return {lead_created.KEY, *listened}


def _changed(index: int, change: AttributeChange) -> Happening:
    return Happening(
        attribute_changed.key_of(change.attribute),
        change.contact_id,
        f"change:{outbox.notice_id()}:{index}",
        {
            "attribute": change.attribute,
            "before": _stored(change.attribute, change.before),
            "after": _stored(change.attribute, change.after),
        },
    )


def _stored(attribute: str, value: Any) -> Any:
    """The announcement says nothing (None) for a field at its default; a trigger asks for what is stored."""
    return DEFAULTS.get(attribute) if value is None else value


def on_events_recorded(notice: EventsRecorded) -> None:
    """Events whose name an active workflow listens to; their properties are read only then. Who waits wakes."""
    _wake(
        (key, recorded.contact_id)
        for recorded in notice.events
        for key in (keys.of_event(recorded.name), keys.ANY_EVENT)
    )
    listening = entries.listeners({event.key_of(name) for name in {recorded.name for recorded in notice.events}})
    heard = {one.key for one in listening}
    happenings = [_recorded(recorded) for recorded in notice.events if event.key_of(recorded.name) in heard]
    entries.admit(happenings, listening)


def _recorded(recorded: RecordedEvent) -> Happening:
    facts = {"id": recorded.event_id, "name": recorded.name, "happened_at": recorded.happened_at.isoformat()}
    key, cause = event.key_of(recorded.name), f"event:{recorded.event_id}"
    return Happening(key, recorded.contact_id, cause, {"event": facts})


def on_membership_changed(notices: list[MembershipChanged]) -> None:
    """Contacts that entered or left segments."""
    _wake(
        (keys.of_segment(notice.segment_id), contact_id)
        for notice in notices
        for contact_id in (*notice.entered, *notice.left)
    )
    entries.admit([happening for notice in notices for happening in _moved(notice)])


def on_predictions_changed(notice: PredictionsChanged) -> None:
    """Contacts of whom something else is expected: who waits for it wakes, and a line may be crossed."""
    _wake((_of_prediction(notice), contact_id) for contact_id in notice.contact_ids)
    key, cause = prediction.key_of(notice.name), f"prediction:{outbox.notice_id()}"
    entries.admit(
        [Happening(key, change.contact_id, cause, prediction.facts(notice.name, change)) for change in notice.changes]
    )


def hears_predictions(notices: Sequence[PredictionsChanged]) -> list[bool]:
    """Which of these a workflow starts on, or somebody inside one waits for."""
    return _heard_by_somebody([{_of_prediction(notice), prediction.key_of(notice.name)} for notice in notices])


def _of_prediction(notice: PredictionsChanged) -> str:
    return keys.of_attribute(f"{PREDICTION}{notice.name}")


def _wake(told: Iterable[tuple[str, int]]) -> None:
    moved: dict[str, set[int]] = defaultdict(set)
    for key, contact_id in told:
        moved[key].add(contact_id)
    if moved and watches.wake(moved):
        doorbell.ring(entries.WORK)


def hears_memberships(notices: Sequence[MembershipChanged]) -> list[bool]:
    """Which of these are about segments that an active workflow listens to."""
    return _heard_by_somebody(
        [{keys.of_segment(notice.segment_id), *(happening.key for happening in _moved(notice))} for notice in notices]
    )


def hears_events(notices: Sequence[EventsRecorded]) -> list[bool]:
    """Which of these hold an event that an active workflow listens to."""
    return _heard_by_somebody(
        [{keys.ANY_EVENT, *(event.key_of(recorded.name) for recorded in notice.events)} for notice in notices]
    )


def hears_contacts(notices: Sequence[ContactsChanged]) -> list[bool]:
    """Which of these hold a merge, which moves runs, or a change that an active workflow listens to."""
    heard = _heard_by_somebody([_keys_of(notice) for notice in notices])
    return [bool(notice.merged) or is_heard for notice, is_heard in zip(notices, heard, strict=True)]


def _heard_by_somebody(told: Sequence[set[str]]) -> list[bool]:
    heard = entries.heard_or_watched(set().union(*told))
    return [bool(wanted & heard) for wanted in told]


def _moved(notice: MembershipChanged) -> list[Happening]:
    return [
        Happening(
            segment.key_of(way, notice.segment_id),
            contact_id,
            f"segment:{notice.segment_id}:{way}:{notice.happened_at.isoformat()}",
            {"segment_id": notice.segment_id},
        )
        for way, contact_ids in (("entered", notice.entered), ("exited", notice.left))
        for contact_id in contact_ids
    ]
