"""Which segments refer to which: no rule may lead back to its own segment, and the inner one goes first."""

from __future__ import annotations

from collections import defaultdict

from segments.models import SegmentDependency


def circles(segment_id: int) -> dict[int, tuple[int, ...]]:
    """The segments that a rule of this one must not refer to, each with the way back: this one, it, …, this one."""
    dependants: dict[int, list[int]] = defaultdict(list)
    rows = SegmentDependency.objects.filter(needed__isnull=False).order_by("pk")
    for outer, inner in rows.values_list("segment_id", "needed_id"):
        dependants[inner].append(outer)
    ways: dict[int, tuple[int, ...]] = {segment_id: (segment_id,)}
    waiting = [segment_id]
    while waiting:
        inner = waiting.pop(0)
        for outer in dependants[inner]:
            if outer not in ways:
                ways[outer] = (outer, *ways[inner])
                waiting.append(outer)
    return {pk: (segment_id, *way) for pk, way in ways.items()}
