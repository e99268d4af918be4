"""JSON → event rule: each behaviour's inputs, read by their types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from segments.rules import values
from segments.rules.behaviours import BEHAVIOURS, MOST_PERIODS
from segments.rules.calendar import FURTHEST
from segments.rules.catalogue import Catalogue, KnownEvent
from segments.rules.inputs import Input
from segments.rules.operators import moment
from segments.rules.places import Refused, at, check_keys, one_of, read_name
from segments.rules.tree import EventRule, Following, Kind, Period, PropertyFilter, Within
from segments.rules.values import Unfit, expected, shown

MOST_FILTERS = 20
MOST = {"count": 10_000, "periods": MOST_PERIODS, "at_least": MOST_PERIODS, "times": 100}
Filter = Callable[[Any, str, KnownEvent | None], PropertyFilter]


@dataclass(frozen=True)
class EventParser:
    """`read_filter` reads one property filter of a known event."""

    catalogue: Catalogue
    is_stored: bool
    read_filter: Filter

    def read(self, raw: Mapping[str, Any], path: str) -> EventRule:
        """The rule; raises `Refused` with the place of the first problem."""
        name = raw.get("operator")
        inputs = BEHAVIOURS[name].inputs if isinstance(name, str) and name in BEHAVIOURS else ()
        if inputs:
            check_keys(raw, path, ("event", "operator", *dict.fromkeys(item.name.split(".")[0] for item in inputs)))
        event = read_name(raw["event"], at(path, "event"))
        operator = one_of(BEHAVIOURS, name, at(path, "operator"))
        known = self.catalogue.events.get(event)
        read = {item.name: self._input(item, raw, path, known) for item in inputs if "." not in item.name}
        if any(item.name.startswith("then.") for item in inputs):
            read["then"] = self._following(raw.get("then"), at(path, "then"))
        rule = EventRule(event, known.definition_id if known else None, operator, **read)
        problem = BEHAVIOURS[operator].problem(rule)
        if problem is not None:
            raise Refused(at(path, problem[0]), problem[1])
        return rule

    def _input(self, item: Input, raw: Mapping[str, Any], path: str, known: KnownEvent | None) -> Any:
        here, value = at(path, item.name), raw.get(item.name, item.default)
        if item.type == "filters":
            return self._filters(value, here, known)
        if value is None and not item.is_required:
            return None
        if item.type == "property":
            return self._property(item, value, here, known)
        try:
            found = _read(item, value, raw)
        except Unfit as problem:
            raise Refused(here, str(problem)) from problem
        has_days = isinstance(found, Period) and found.has_days
        return replace(found, zone=self.catalogue.home()) if has_days else found

    def _filters(self, raw: Any, path: str, known: KnownEvent | None) -> tuple[PropertyFilter, ...]:
        raw = [] if raw is None else raw
        if not isinstance(raw, list) or len(raw) > MOST_FILTERS:
            raise Refused(path, str(expected(f"a list of at most {MOST_FILTERS} property filters", raw)))
        return tuple(self.read_filter(item, f"{path}[{place}]", known) for place, item in enumerate(raw))

    def _property(self, item: Input, raw: Any, path: str, known: KnownEvent | None) -> str:
        name = read_name(raw, path)
        kind = known.properties.get(name) if known else None
        may_be_number = item.kind == Kind.NUMBER and kind is Kind.TEXT  # clients that send "19.90"
        if item.kind and kind is not None and kind != item.kind and not (may_be_number or self.is_stored):
            fitting = [key for key, entry in known.properties.items() if entry == item.kind] if known else []
            instead = f"; use {', '.join(sorted(fitting)[:20])}" if fitting else ""
            raise Refused(path, f"expected a property that is a {item.kind}; {name} is {_named(kind)}{instead}")
        return name

    def _following(self, raw: Any, path: str) -> Following:
        if not isinstance(raw, Mapping):
            raise Refused(path, str(expected('the event that follows, such as {"event": "order_completed"}', raw)))
        check_keys(raw, path, ("event", "where"))
        name = read_name(raw.get("event"), at(path, "event"))
        known = self.catalogue.events.get(name)
        where = self._filters(raw.get("where"), at(path, "where"), known)
        return Following(name, known.definition_id if known else None, where)


def _read(item: Input, value: Any, raw: Mapping[str, Any]) -> Any:
    if item.type == "whole":
        return _whole(value, MOST[item.name])
    if item.type == "span":
        return values.read_span(value)
    if item.type == "window":
        return read_window(value)
    if item.type == "choice":
        return _choice(value, [choice.name for choice in item.choices])
    return _pair(value) if raw.get("compare") == "between" else values.read_number(value)


def _whole(raw: Any, most: int) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int) or not 1 <= raw <= most:
        raise expected(f"a whole number from 1 to {most:,}", raw)
    return raw


def _choice(raw: Any, names: list[str]) -> str:
    if not isinstance(raw, str) or raw not in names:
        raise expected(f"{', '.join(names[:-1])} or {names[-1]}", raw)
    return raw


def _pair(raw: Any) -> tuple[Decimal, Decimal]:
    if not isinstance(raw, list) or len(raw) != 2:
        raise expected("two numbers such as [10, 20]", raw)
    low, high = values.read_number(raw[0]), values.read_number(raw[1])
    if low > high:
        raise Unfit(f"the first number must not be larger than the second, got {shown(raw)}")
    return low, high


def read_window(raw: Any) -> Within:
    """A span back from now, or `{"from": "2026-01-01", "to": "2026-01-31"}` with one end or both. Raises `Unfit`."""
    if not isinstance(raw, dict) or not raw or not raw.keys() <= {"from", "to"}:
        try:
            return values.read_span(raw)
        except Unfit as problem:
            raise Unfit(f'{problem}; or fixed ends: {{"from": "2026-01-01", "to": "2026-01-31"}}') from problem
    since, until = (_end(raw, name) for name in ("from", "to"))
    period = Period(since, until)
    if since is not None and until is not None and not _begins_before(since, until):
        raise Unfit(f"the window ends before it begins, got {shown(raw)}")
    return period


def _end(raw: Mapping[str, Any], name: str) -> date | None:
    if name not in raw:
        return None
    return values.read_date(raw[name])


def _begins_before(since: date, until: date) -> bool:
    """A whole day holds its own beginning, a moment does not. Where a day meets a moment, its zone decides later."""
    room = timedelta() if isinstance(until, datetime) else timedelta(days=1)
    if isinstance(since, datetime) != isinstance(until, datetime):
        room += FURTHEST
    return moment(since) - moment(until) < room


def _named(kind: Kind) -> str:
    return {Kind.BOOLEAN: "true or false"}.get(kind, str(kind))
