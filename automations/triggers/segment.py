"""A contact entered or left a segment."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import msgspec

from automations.configuration import Filter, Wrong, says
from automations.triggers.base import TriggerKind
from automations.words import quoted
from segments.models import Segment


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    segment_id: Annotated[int, says("Segment", type="segment", examples=[5])]
    filter: Filter = None


def key_of(way: str, segment_id: int) -> str:
    """`way` is entered or exited."""
    return f"segment_{way}:{segment_id}"


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not Segment.objects.filter(pk=configuration.segment_id).exists():
        wrong("segment_id", f"there is no segment {configuration.segment_id}")


def _key(way: str, configuration: Configuration) -> str:
    return key_of(way, configuration.segment_id)


def _sentence(way: str, configuration: Configuration) -> str:
    segment = Segment.objects.filter(pk=configuration.segment_id).first()
    name = quoted(segment.name) if segment else f"{configuration.segment_id} (deleted)"
    return f"When a contact {'enters' if way == 'entered' else 'leaves'} the segment {name}"


def _kind(way: str, label: str, doc: str) -> TriggerKind[Configuration]:
    return TriggerKind(
        label,
        doc,
        Configuration,
        key=partial(_key, way),
        sentence=partial(_sentence, way),
        check=check,
        group="Segments",
    )


ENTERED = _kind("entered", "Segment entered", "Starts when a contact enters a segment.")
EXITED = _kind("exited", "Segment left", "Starts when a contact leaves a segment.")
