"""The names of what may wake people inside a workflow: `event:…`, `attribute:…`, `segment:…`."""

from __future__ import annotations

from segments.rules import needs, tree
from segments.rules.tree import Rule

# A rule that reads when somebody was last seen may change with whatever they do.
ANY_EVENT = "event:*"


def of_event(name: str) -> str:
    return f"event:{name}"


def of_attribute(name: str) -> str:
    """A field of contacts, `attributes.<name>`, `consent.<channel>` or `prediction.<name>`."""
    return f"attribute:{name}"


def of_segment(segment_id: int) -> str:
    return f"segment:{segment_id}"


def of_rule(rule: Rule) -> set[str]:
    """What may change the answer of a rule, besides time."""
    fields = needs.fields(rule)
    found = {of_event(name) for name in tree.events(rule)}
    found |= {of_attribute(field) for field in fields}
    found |= {of_segment(segment_id) for segment_id in needs.segments(rule)}
    return found | ({ANY_EVENT} if fields & needs.MOVED_BY_EVENTS else set())
