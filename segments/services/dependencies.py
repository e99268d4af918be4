"""What segments read of the world, row by row: found by whoever changes it."""

from __future__ import annotations

from django.db import connection

from audience.models import EventDefinition
from common import tenancy
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


def lock() -> None:
    """Held until the transaction ends by whoever writes a rule that refers to segments, and by who deletes one.

    So two halves of a circle never slip through, and no rule names a segment that is going at this moment.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('segments.references', %s))", [tenancy.required()]
        )
