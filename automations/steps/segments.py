"""Put contacts into a segment that is chosen by hand, or take them out."""

from __future__ import annotations

from typing import Annotated

import msgspec

from automations.configuration import Wrong, says
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted
from common.errors import Permanent
from segments import services as segments
from segments.models import Segment, SegmentKind


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    segment_id: Annotated[
        int,
        says(
            "Segment", "Only segments chosen by hand: a rule decides who is in the others.",
            type="segment", only=SegmentKind.STATIC.value, examples=[5],
        ),
    ]  # fmt: skip


def check(configuration: Configuration, wrong: Wrong) -> None:
    segment = Segment.objects.filter(pk=configuration.segment_id).first()
    if segment is None:
        wrong("segment_id", f"there is no segment {configuration.segment_id}")
    elif segment.kind != SegmentKind.STATIC:
        wrong("segment_id", f"the rule of {quoted(segment.name)} decides who is in it; choose one filled by hand")


def _segment(configuration: Configuration) -> Segment:
    segment = Segment.objects.filter(pk=configuration.segment_id).first()
    if segment is None:
        raise Permanent(f"There is no segment {configuration.segment_id} any more.")
    return segment


def add(configuration: Configuration, group: Group) -> Results:
    """One statement for the whole group."""
    segments.add_contacts(_segment(configuration), group.contact_ids)
    return ALL_DONE


def remove(configuration: Configuration, group: Group) -> Results:
    """One statement for the whole group."""
    segments.remove_contacts(_segment(configuration), group.contact_ids)
    return ALL_DONE


def _name(configuration: Configuration) -> str:
    segment = Segment.objects.filter(pk=configuration.segment_id).first()
    return quoted(segment.name) if segment else f"{configuration.segment_id} (deleted)"


ADD = StepKind(
    "Add to segment",
    "Puts the contact into a segment that is filled by hand.",
    Configuration,
    add,
    lambda configuration: f"Add to the segment {_name(configuration)}",
    check,
    group="Contact",
)
REMOVE = StepKind(
    "Remove from segment",
    "Takes the contact out of a segment that is filled by hand.",
    Configuration,
    remove,
    lambda configuration: f"Remove from the segment {_name(configuration)}",
    check,
    group="Contact",
)
