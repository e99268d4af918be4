"""What segments read of the world, row by row: found by whoever changes it, and by who would delete it."""

from __future__ import annotations

from django.db import connection

from audience.models import EventDefinition
from common import tenancy
from common.errors import Conflict
from segments.models import Segment, SegmentDependency
from segments.rules import needs, tree
from segments.rules.tree import Rule


def write(segment: Segment, rule: Rule) -> None:
    """Remember what the rule reads, and define the events it waits for that nobody has sent yet."""
    names = sorted(tree.events(rule))
    EventDefinition.objects.bulk_create([EventDefinition(name=name) for name in names], ignore_conflicts=True)
    definitions = EventDefinition.objects.filter(name__in=names).values_list("pk", flat=True)
    segment.dependencies.all().delete()
    SegmentDependency.objects.bulk_create(
        [
            *(SegmentDependency(segment=segment, definition_id=pk) for pk in definitions),
            *(SegmentDependency(segment=segment, field=field) for field in sorted(needs.fields(rule))),
            *(SegmentDependency(segment=segment, needed_id=pk) for pk in sorted(needs.segments(rule))),
        ]
    )


def check_unneeded(segment: Segment) -> None:
    """Raises `Conflict` with the names of the segments that refer to this one."""
    names = segment.dependants.order_by("segment__name").values_list("segment__name", flat=True).distinct()
    if names:
        told = ", ".join(f"“{name}”" for name in names[:10])
        raise Conflict(f"“{segment.name}” is used in the rule of {told}; take it out there first.", code="in_use")


def lock() -> None:
    """Rules that refer to segments are written one after another: two halves of a circle never slip through."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('segments.references', %s))", [tenancy.required()]
        )
