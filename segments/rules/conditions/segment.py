"""Standing in another segment: its stored membership, followed when it changes (services/live.py)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from segments.rules import values
from segments.rules.catalogue import Catalogue
from segments.rules.conditions.base import Condition, Misplaced, operator_of
from segments.rules.inputs import Input
from segments.rules.operands import Row
from segments.rules.parameters import NOW, ORGANIZATION, Parameters
from segments.rules.tree import SegmentRule

OPERATORS = {"in": "is in the segment", "not_in": "is not in the segment"}


def _read(raw: Mapping[str, Any], known: Catalogue, is_stored: bool) -> SegmentRule:
    operator = operator_of(raw, OPERATORS)
    found = known.segment(raw["segment"])
    if found is None:
        raise Misplaced("segment", f"there is no segment {values.shown(raw['segment'])} here")
    if found.circle:
        raise Misplaced("segment", f"this would go round in a circle: {' → '.join(found.circle)}")
    return SegmentRule(found.id, found.name, operator)


def _truth(rule: SegmentRule, row: Row, parameters: Parameters) -> str:
    """Plan: for everybody a hash of the members, for a few a probe of one_open_membership each."""
    sign = "NOT EXISTS" if rule.operator == "not_in" else "EXISTS"
    stood = "stay.left_at IS NULL"
    if parameters.moment:
        stood = f"stay.entered_at <= {NOW} AND (stay.left_at IS NULL OR stay.left_at > {NOW})"
    return f"{sign} (SELECT 1 {_stays(rule, row, parameters)} AND {stood})"


def _stays(rule: SegmentRule, row: Row, parameters: Parameters) -> str:
    return (
        f"FROM segments_membership stay WHERE stay.organization_id = {ORGANIZATION} "
        f"AND stay.segment_id = {parameters.bind(rule.segment_id, 'bigint')} AND stay.contact_id = {row.alias}.id"
    )


def _turns(rule: SegmentRule, row: Row, parameters: Parameters) -> str:
    """When the contact next entered or left. Plan: the few stays of membership_by_contact."""
    ways = "(VALUES (stay.entered_at), (stay.left_at)) way(moment)"
    stays = _stays(rule, row, parameters).replace(" WHERE ", f" CROSS JOIN LATERAL {ways} WHERE ", 1)
    return f"(SELECT min(way.moment) {stays} AND way.moment > {NOW})"


def _words(rule: SegmentRule) -> str:
    return f"the contact {OPERATORS[rule.operator]} “{rule.name}”"


def _inputs(known: Catalogue) -> tuple[Input, ...]:
    return (Input("segment", "segment", "Segment"),)


SEGMENT: Condition[SegmentRule] = Condition(
    "Segment", ("segment", "operator"), OPERATORS, _inputs, _read, _truth, _words, turns=_turns
)


def by_id(raw: Any, known: Catalogue) -> Any:
    """The rule's JSON with slugs of segments replaced by their ids, which outlive a change of the slug."""
    if isinstance(raw, Mapping):
        changed = {key: by_id(value, known) if key == "rules" else value for key, value in raw.items()}
        found = known.segment(raw["segment"]) if "segment" in raw and "rules" not in raw else None
        return changed | {"segment": found.id} if found else changed
    return [by_id(item, known) for item in raw] if isinstance(raw, list) else raw
