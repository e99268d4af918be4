"""JSON → rule. Strict: unknown words and wrong types are refused with their place in the tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from common.errors import Invalid
from segments.rules import values
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import CUSTOM, Catalogue, KnownEvent
from segments.rules.operators import OPERATORS, Operator, Takes
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Match, PropertyFilter, Rule, Value
from segments.rules.values import Unfit, expected

DEEPEST = 20
MOST_LEAVES = 500
MOST_PROBLEMS = 20
MOST_COUNT = 10_000
MOST_FILTERS = 20
LONGEST_NAME = 200

GROUP_KEYS = ("match", "rules")
ATTRIBUTE_KEYS = ("field", "operator", "value")
EVENT_KEYS = ("event", "operator", "count", "within", "where")
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


class _Refused(Exception):
    """One condition or group does not hold."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path, self.sentence = path or "rule", sentence


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
        self.leaf_count = 0

    def collect(self, raw: Any, path: str, depth: int) -> Rule | None:
        """The rule, or None with its problems noted."""
        noted = len(self.problems)
        try:
            rule = self.rule(raw, path, depth)
        except _Refused as problem:
            if noted < MOST_PROBLEMS:
                self.problems.setdefault(problem.path, problem.sentence)
            return None
        return rule if len(self.problems) == noted else None

    def rule(self, raw: Any, path: str, depth: int) -> Rule:
        if not isinstance(raw, Mapping):
            raise _Refused(path, str(expected("a group or a condition", raw)))
        if depth > DEEPEST:
            raise _Refused(path, f"groups nest deeper than {DEEPEST} levels")
        if "match" in raw or "rules" in raw:
            return self.group(raw, path, depth)
        self.leaf_count += 1
        if self.leaf_count > MOST_LEAVES:
            raise _Refused(path, f"a rule can hold at most {MOST_LEAVES} conditions")
        if "segment" in raw:
            raise _Refused(_at(path, "segment"), "a rule cannot refer to another segment")
        if "event" in raw:
            return self.event(raw, path)
        if "field" in raw:
            return self.attribute(raw, path)
        raise _Refused(path, "expected a group (match, rules) or a condition (field or event)")

    def group(self, raw: Mapping[str, Any], path: str, depth: int) -> Group:
        _check_keys(raw, path, GROUP_KEYS)
        match = next((match for match in Match if match == raw.get("match")), None)
        if match is None:
            raise _Refused(_at(path, "match"), str(expected("all, any or none", raw.get("match"))))
        rules, here = raw.get("rules"), _at(path, "rules")
        if not isinstance(rules, list):
            raise _Refused(here, str(expected("a list of rules", rules)))
        if not rules:
            raise _Refused(here, "add at least one rule")
        if len(rules) > MOST_LEAVES:
            raise _Refused(here, f"a rule can hold at most {MOST_LEAVES} conditions")
        children = [self.collect(child, f"{here}[{place}]", depth + 1) for place, child in enumerate(rules)]
        return Group(match, tuple(child for child in children if child is not None))

    def attribute(self, raw: Mapping[str, Any], path: str) -> AttributeRule:
        _check_keys(raw, path, ATTRIBUTE_KEYS)
        field = raw["field"]
        kind = self.catalogue.kind_of(field) if isinstance(field, str) else None
        if kind is None and self.is_stored and isinstance(field, str) and field.startswith(CUSTOM):
            kind = _kind_of_value(raw)
        if kind is None:
            raise _Refused(_at(path, "field"), self._unknown_field(field))
        found = _condition(raw, path, kind)
        return AttributeRule(field, found.kind, found.operator, found.value)

    def _unknown_field(self, field: Any) -> str:
        names = self.catalogue.field_names()
        more = f" and {len(names) - 60} more" if len(names) > 60 else ""
        return f"unknown field {values.shown(field)}; known: {', '.join(names[:60])}{more}"

    def event(self, raw: Mapping[str, Any], path: str) -> EventRule:
        _check_keys(raw, path, EVENT_KEYS)
        name = _name(raw["event"], _at(path, "event"))
        operator = _found(BEHAVIOURS, raw.get("operator"), _at(path, "operator"))
        known = self.catalogue.events.get(name)
        return EventRule(
            event=name,
            definition_id=known.definition_id if known else None,
            operator=operator,
            count=_count(raw.get("count", 1), _at(path, "count")),
            within=_within(raw.get("within"), _at(path, "within")),
            where=self.where(raw.get("where", []), _at(path, "where"), known),
        )

    def where(self, raw: Any, path: str, known: KnownEvent | None) -> tuple[PropertyFilter, ...]:
        if not isinstance(raw, list) or len(raw) > MOST_FILTERS:
            raise _Refused(path, str(expected(f"a list of at most {MOST_FILTERS} property filters", raw)))
        return tuple(self.filter(item, f"{path}[{place}]", known) for place, item in enumerate(raw))

    def filter(self, raw: Any, path: str, known: KnownEvent | None) -> PropertyFilter:
        if not isinstance(raw, Mapping):
            raise _Refused(path, str(expected("a property filter (property, operator, value)", raw)))
        _check_keys(raw, path, FILTER_KEYS)
        name = _name(raw.get("property"), _at(path, "property"))
        kind = known.properties.get(name) if known else None
        if kind is None or (self.is_stored and not _fits(raw, kind)):
            kind = _kind_of_value(raw)
        found = _condition(raw, path, kind, is_timeless=True)
        return PropertyFilter(name, found.kind, found.operator, found.value)


def _condition(raw: Mapping[str, Any], path: str, kind: Kind, *, is_timeless: bool = False) -> _Condition:
    name = _found(OPERATORS, raw.get("operator"), _at(path, "operator"))
    operator = OPERATORS[name]
    if kind not in operator.kinds:
        fitting = ", ".join(key for key, entry in OPERATORS.items() if kind in entry.kinds)
        raise _Refused(_at(path, "operator"), f"{name} does not work on {_plural(kind)}; use {fitting}")
    if is_timeless and operator.flips is not None:
        raise _Refused(_at(path, "operator"), f"{name} cannot be used on a property of an event")
    try:
        return _Condition(kind, name, read_value(operator, kind, raw))
    except Unfit as problem:
        raise _Refused(_at(path, "value"), str(problem)) from problem


def _count(raw: Any, path: str) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= MOST_COUNT:
        raise _Refused(path, str(expected(f"a whole number from 1 to {MOST_COUNT:,}", raw)))
    return raw


def _within(raw: Any, path: str) -> timedelta | None:
    try:
        return None if raw is None else values.read_span(raw)
    except Unfit as problem:
        raise _Refused(path, str(problem)) from problem


def _name(raw: Any, path: str) -> str:
    try:
        text = values.read_text(raw)
    except Unfit as problem:
        raise _Refused(path, str(problem)) from problem
    if len(text) > LONGEST_NAME:
        raise _Refused(path, f"the name is longer than {LONGEST_NAME} characters")
    return text


def _found(table: Mapping[str, Any], name: Any, path: str) -> str:
    if isinstance(name, str) and name in table:
        return name
    raise _Refused(path, f"unknown operator {values.shown(name)}; known: {', '.join(table)}")


def _check_keys(raw: Mapping[str, Any], path: str, known: tuple[str, ...]) -> None:
    for key in sorted(map(str, raw.keys() - set(known))):
        raise _Refused(_at(path, key[:60]), f"unknown field; known: {', '.join(known)}")


def read_value(operator: Operator, kind: Kind, raw: Mapping[str, Any]) -> Value:
    """The operator's value, of the kind of the field; raises `Unfit`."""
    if operator.takes is Takes.NOTHING:
        if raw.get("value") is not None:
            raise Unfit("this operator takes no value")
        return None
    if "value" not in raw:
        raise Unfit("a value is missing")
    value = raw["value"]
    if operator.takes is Takes.SPAN:
        return values.read_span(value)
    if operator.takes is Takes.ONE:
        return values.read(kind, value)
    if not isinstance(value, list) or not 1 <= len(value) <= values.MOST_VALUES:
        raise expected(f"a list of 1 to {values.MOST_VALUES:,} values", value)
    return tuple(values.read(kind, item) for item in value)


def _kind_of_value(raw: Mapping[str, Any]) -> Kind:
    """The kind that a condition itself speaks of: `greater "2026-01-31"` is about dates."""
    value = raw.get("value")
    if isinstance(value, list) and value:
        value = value[0]
    operator = OPERATORS.get(str(raw.get("operator")))
    kind = values.guess(value)
    if operator is not None and kind not in operator.kinds and Kind.DATE in operator.kinds:
        return Kind.DATE if kind is Kind.TEXT or operator.takes is Takes.SPAN else kind
    return kind


def _fits(raw: Mapping[str, Any], kind: Kind) -> bool:
    operator = OPERATORS.get(str(raw.get("operator")))
    if operator is None or kind not in operator.kinds:
        return False
    try:
        read_value(operator, kind, raw)
    except Unfit:
        return False
    return True


def _at(path: str, key: str) -> str:
    return f"{path}.{key}" if path else key


def _plural(kind: Kind) -> str:
    return {Kind.TEXT: "text", Kind.BOOLEAN: "true/false fields", Kind.LIST: "lists"}.get(kind, f"{kind}s")
