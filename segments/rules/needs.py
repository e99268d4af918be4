"""What a rule reads of a contact: which columns a statement must carry, and whose change may move it."""

from __future__ import annotations

from collections.abc import Mapping

from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import CUSTOM, STANDARD_FIELDS
from segments.rules.conditions import condition_of
from segments.rules.operators import OPERATORS
from segments.rules.tree import (
    AttributeRule,
    EventRule,
    Group,
    Leaf,
    Match,
    Period,
    Rule,
    SegmentRule,
    leaves,
)

ZONE = "timezone"  # the contact's, or the organisation's for who has none
HOME = "organization.timezone"  # the organisation's alone
# Every event may move these, without a word about them in ContactsChanged.
MOVED_BY_EVENTS = frozenset({"first_seen_at", "last_seen_at", "updated_at"})


def fields(rule: Rule) -> set[str]:
    """What it may change with: fields of contacts (`city`, `attributes.plan`), `consent.<channel>` and
    `prediction.<name>`."""
    return set().union(*(fields_of(leaf) for leaf in leaves(rule)))


def fields_of(leaf: Leaf) -> set[str]:
    """The same for one condition."""
    if isinstance(leaf, AttributeRule):
        return {leaf.field, ZONE} if OPERATORS[leaf.operator].is_local else {leaf.field}
    if isinstance(leaf, EventRule):
        filters = (*leaf.where, *(leaf.then.where if leaf.then else ()))
        is_local = any(OPERATORS[item.operator].is_local for item in filters)
        has_days = isinstance(leaf.within, Period) and leaf.within.has_days
        return {HOME} if is_local or has_days else set()
    return condition_of(leaf).fields(leaf)


def contact_fields(rule: Rule) -> set[str]:
    """Only those that are columns of a contact, or keys of its attributes."""
    return {name for name in fields(rule) if name in STANDARD_FIELDS or name.startswith(CUSTOM)}


def segments(rule: Rule) -> set[int]:
    """Ids of the segments it refers to."""
    return {leaf.segment_id for leaf in leaves(rule) if isinstance(leaf, SegmentRule)}


def layers(rules: Mapping[int, Rule]) -> list[dict[int, Rule]]:
    """Rules by segment in steps: one that refers to a segment comes in a later step than that segment.

    So that nobody enters "not in VIP" for the moment until VIP has been looked at too.
    """
    waiting, steps = dict(rules), []
    needed = {segment_id: segments(rule) for segment_id, rule in rules.items()}
    while waiting:
        free = {pk: rule for pk, rule in waiting.items() if not needed[pk] & waiting.keys()}
        steps.append(free or dict(waiting))  # there are no circles; a damaged table must not hang us
        waiting = {pk: rule for pk, rule in waiting.items() if pk not in steps[-1]}
    return steps


def only_grows(rule: Rule) -> bool:
    """Whether more events can only make it truer: whoever stands in it stays, whatever happens next."""
    if isinstance(rule, Group):
        return rule.match is not Match.NONE and all(map(only_grows, rule.rules))
    if isinstance(rule, EventRule):
        return BEHAVIOURS[rule.operator].only_grows
    return not fields_of(rule) & MOVED_BY_EVENTS


def is_local(rule: Rule) -> bool:
    """Whether it matters where a contact's day begins."""
    return any(isinstance(leaf, AttributeRule) and OPERATORS[leaf.operator].is_local for leaf in leaves(rule))


def is_timeless(leaf: Leaf) -> bool:
    """Whether time alone never changes the answer, and no event does."""
    if isinstance(leaf, AttributeRule):
        return OPERATORS[leaf.operator].flips is None
    return not isinstance(leaf, EventRule) and condition_of(leaf).flips is None
