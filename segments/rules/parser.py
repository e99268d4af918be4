"""JSON → rule. Strict: unknown words and wrong types are refused with their place in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from common.errors import Invalid
from segments.rules import values
from segments.rules.behaviours import MOST_COLUMNS, columns_of
from segments.rules.catalogue import CUSTOM, Catalogue, KnownEvent
from segments.rules.conditions import CONDITIONS, Misplaced
from segments.rules.event_parser import EventParser
from segments.rules.operator_values import fits, kind_of_value, read_value
from segments.rules.operators import OPERATORS
from segments.rules.places import Refused, at, check_keys, one_of, read_name
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Match, OtherRule, PropertyFilter, Rule, Value
from segments.rules.values import Unfit, expected

DEEPEST = 20
MOST_LEAVES = 500
MOST_PROBLEMS = 20

GROUP_KEYS = ("match", "rules")
COUNTED_KEYS = (*GROUP_KEYS, "count")
ATTRIBUTE_KEYS = ("field", "operator", "value")
FILTER_KEYS = ("property", "operator", "value")


def parse(raw: Any, catalogue: Catalogue, *, is_stored: bool = False) -> Rule:
    """Read a rule; raises `Invalid` whose details hold every problem by place (`rules[2].value`).

    A stored rule was checked when it was saved, so it is read by its own values where the catalogue has moved
    on since (a property that is seen with another type now must not stop a live segment).
    """
    reader = _Reader(catalogue, is_stored)
    rule = reader.collect(raw, "", 1)
    if rule is None:
        place, sentence = next(iter(reader.problems.items()))
        raise Invalid(f"{place}: {sentence}", code="invalid_rule", details=dict(reader.problems))
    return rule


@dataclass(frozen=True)
class _Condition:
    kind: Kind
    operator: str
    value: Value


class _Reader:
    """One walk over the tree; it goes on after a condition that does not hold, so that all are told at once."""

    def __init__(self, catalogue: Catalogue, is_stored: bool) -> None:
        self.catalogue = catalogue
        self.is_stored = is_stored
        self.problems: dict[str, str] = {}
        self.leaf_count = self.column_count = 0

    def collect(self, raw: Any, path: str, depth: int) -> Rule | None:
        """The rule, or None with its problems noted."""
        noted = len(self.problems)
        try:
            rule = self.rule(raw, path, depth)
        except Refused as problem:
            if noted < MOST_PROBLEMS:
                self.problems.setdefault(problem.path, problem.sentence)
            return None
        return rule if len(self.problems) == noted else None

    def rule(self, raw: Any, path: str, depth: int) -> Rule:
        if not isinstance(raw, Mapping):
            raise Refused(path, str(expected("a group or a condition", raw)))
        if depth > DEEPEST:
            raise Refused(path, f"groups nest deeper than {DEEPEST} levels")
        if "match" in raw or "rules" in raw:
            return self.group(raw, path, depth)
        self.leaf_count += 1
        if self.leaf_count > MOST_LEAVES:
            raise Refused(path, f"a rule can hold at most {MOST_LEAVES} conditions")
        if "event" in raw:
            return self.event(raw, path)
        if "field" in raw:
            return self.attribute(raw, path)
        for key in CONDITIONS:
            if key in raw:
                return self.other(raw, path, key)
        known = ", ".join(["field", "event", *CONDITIONS])
        raise Refused(path, f"expected a group (match, rules) or a condition ({known})")

    def group(self, raw: Mapping[str, Any], path: str, depth: int) -> Group:
        match = next((match for match in Match if match == raw.get("match")), None)
        if match is None:
            raise Refused(at(path, "match"), str(expected("all, any, none or at_least", raw.get("match"))))
        check_keys(raw, path, COUNTED_KEYS if match is Match.AT_LEAST else GROUP_KEYS)
        rules, here = raw.get("rules"), at(path, "rules")
        if not isinstance(rules, list):
            raise Refused(here, str(expected("a list of rules", rules)))
        if not rules:
            raise Refused(here, "add at least one rule")
        if len(rules) > MOST_LEAVES:
            raise Refused(here, f"a rule can hold at most {MOST_LEAVES} conditions")
        count = _least(raw.get("count"), at(path, "count"), len(rules)) if match is Match.AT_LEAST else 0
        children = [self.collect(child, f"{here}[{place}]", depth + 1) for place, child in enumerate(rules)]
        return Group(match, tuple(child for child in children if child is not None), count)

    def attribute(self, raw: Mapping[str, Any], path: str) -> AttributeRule:
        check_keys(raw, path, ATTRIBUTE_KEYS)
        field = raw["field"]
        kind = self.catalogue.kind_of(field) if isinstance(field, str) else None
        if kind is None and self.is_stored and isinstance(field, str) and field.startswith(CUSTOM):
            kind = kind_of_value(raw)
        if kind is None:
            raise Refused(at(path, "field"), self._unknown_field(field))
        found = _condition(raw, path, kind)
        return AttributeRule(field, found.kind, found.operator, found.value)

    def other(self, raw: Mapping[str, Any], path: str, key: str) -> OtherRule:
        check_keys(raw, path, CONDITIONS[key].keys)
        try:
            return CONDITIONS[key].read(raw, self.catalogue, self.is_stored)  # type: ignore[no-any-return]
        except Misplaced as problem:
            raise Refused(at(path, problem.key), str(problem)) from problem

    def _unknown_field(self, field: Any) -> str:
        names = self.catalogue.field_names()
        more = f" and {len(names) - 60} more" if len(names) > 60 else ""
        return f"unknown field {values.shown(field)}; known: {', '.join(names[:60])}{more}"

    def event(self, raw: Mapping[str, Any], path: str) -> EventRule:
        rule = EventParser(self.catalogue, self.is_stored, self.filter).read(raw, path)
        self.column_count += columns_of(rule)
        if self.column_count > MOST_COLUMNS:
            raise Refused(path, "the rule looks at too many periods at once; take out conditions on what people did")
        return rule

    def filter(self, raw: Any, path: str, known: KnownEvent | None) -> PropertyFilter:
        if not isinstance(raw, Mapping):
            raise Refused(path, str(expected("a property filter (property, operator, value)", raw)))
        check_keys(raw, path, FILTER_KEYS)
        name = read_name(raw.get("property"), at(path, "property"))
        kind = known.properties.get(name) if known else None
        if kind is Kind.TEXT and not fits(raw, kind) and fits(raw, Kind.NUMBER):
            kind = Kind.NUMBER  # numbers that are sent as text
        if kind is None or (self.is_stored and not fits(raw, kind)):
            kind = kind_of_value(raw)
        found = _condition(raw, path, kind, is_timeless=True)
        return PropertyFilter(name, found.kind, found.operator, found.value)


def _condition(raw: Mapping[str, Any], path: str, kind: Kind, *, is_timeless: bool = False) -> _Condition:
    name = one_of(OPERATORS, raw.get("operator"), at(path, "operator"))
    operator = OPERATORS[name]
    if kind not in operator.kinds:
        fitting = ", ".join(key for key, entry in OPERATORS.items() if kind in entry.kinds)
        raise Refused(at(path, "operator"), f"{name} does not work on {_plural(kind)}; use {fitting}")
    if is_timeless and operator.flips is not None:
        raise Refused(at(path, "operator"), f"{name} cannot be used on a property of an event")
    try:
        return _Condition(kind, name, read_value(operator, kind, raw))
    except Unfit as problem:
        raise Refused(at(path, "value"), str(problem)) from problem


def _least(raw: Any, path: str, most: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= most:
        raise Refused(path, str(expected(f"a whole number from 1 to {most:,}, the number of its rules", raw)))
    return raw


def _plural(kind: Kind) -> str:
    return {Kind.TEXT: "text", Kind.BOOLEAN: "true/false fields", Kind.LIST: "lists"}.get(kind, f"{kind}s")
