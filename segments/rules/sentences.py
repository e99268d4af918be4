"""A rule in plain language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from segments.rules.amounts import COMPARISONS, bounds
from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import label
from segments.rules.conditions import condition_of
from segments.rules.operators import OPERATORS, Takes
from segments.rules.tree import (
    AttributeRule,
    EventRule,
    Group,
    Kind,
    Leaf,
    Match,
    Period,
    PropertyFilter,
    Rule,
    Value,
    Within,
)

MOST_SHOWN = 5
JOINTS = {Match.ALL: " and ", Match.ANY: " or ", Match.NONE: " or ", Match.AT_LEAST: "; "}


def sentence(rule: Rule) -> str:
    """`Contacts where city is “Leeds” and order_completed happened at least 2 times in the last 30 days`."""
    return f"Contacts where {phrase(rule)}"


def phrase(rule: Rule, *, is_inner: bool = False) -> str:
    """The words of one rule without the beginning of the sentence."""
    if not isinstance(rule, Group):
        return leaf_phrase(rule)
    inner = JOINTS[rule.match].join(phrase(child, is_inner=True) for child in rule.rules)
    if rule.match is Match.NONE:
        return f"none of this is true: ({inner})"
    if rule.match is Match.AT_LEAST:
        return f"at least {rule.count} of these {len(rule.rules)} are true: ({inner})"
    return f"({inner})" if is_inner and len(rule.rules) > 1 else inner


def leaf_phrase(leaf: Leaf) -> str:
    """The words of one condition."""
    if isinstance(leaf, AttributeRule):
        return _condition(label(leaf.field), leaf)
    if isinstance(leaf, EventRule):
        return _behaviour(leaf)
    return condition_of(leaf).words(leaf)


def _condition(subject: str, condition: AttributeRule | PropertyFilter) -> str:
    operator = OPERATORS[condition.operator]
    words = operator.words_of_dates if condition.kind is Kind.DATE and operator.words_of_dates else operator.words
    return f"{subject} {words.format(value=_value(operator.takes, condition.value))}"


def _behaviour(rule: EventRule) -> str:
    behaviour = BEHAVIOURS[rule.operator]
    words = behaviour.words_once if rule.count == 1 and behaviour.words_once else behaviour.words
    return words.format(
        event=rule.event,
        window=_window(rule.within),
        filters=_filters(rule.where),
        count=f"{rule.count:,}",
        property=rule.property,
        compared=_compared(rule) if rule.compare else "",
        then=f"{rule.then.event}{_filters(rule.then.where)}" if rule.then else "",
        gap=_length(rule.gap),
        pause=_length(rule.pause),
        more_than=_length(rule.more_than),
        at_least=rule.at_least,
        periods=rule.periods,
        unit=rule.unit,
        times=rule.times,
    )


def _filters(where: tuple[PropertyFilter, ...]) -> str:
    return f" with {' and '.join(_condition(item.property, item) for item in where)}" if where else ""


def _window(within: Within) -> str:
    if within is None:
        return ""
    if isinstance(within, timedelta):
        return f" in the last {_shown(within)}"
    zone = f" (days of {within.zone})" if within.has_days and within.zone != "UTC" else ""
    return f"{_ends(within)}{zone}"


def _ends(within: Period) -> str:
    if within.since is None:
        word = "before" if isinstance(within.until, datetime) else "until"
        return f" {word} {_shown(within.until)}"
    if within.until is None:
        return f" since {_shown(within.since)}"
    return f" from {_shown(within.since)} to {_shown(within.until)}"


def _compared(rule: EventRule) -> str:
    low, high = bounds(rule)
    return COMPARISONS[rule.compare].words.format(low=_shown(low), high=_shown(high))


def _length(span: timedelta) -> str:
    """`7 days`, `1 day`: the length itself, where `_span` names what is last."""
    words = _span(span)
    return words if words[0].isdigit() else f"1 {words}"


def _value(takes: Takes, value: Value) -> str:
    if isinstance(value, tuple) and takes is Takes.PAIR:
        return " and ".join(_shown(end) for end in value)
    if isinstance(value, tuple) and takes in (Takes.WEEKDAYS, Takes.MONTH_DAYS):
        *days, last = (str(day).title() for day in value)
        return f"{', '.join(days)} or {last}" if days else last
    return _shown(value)


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        more = f" and {len(value) - MOST_SHOWN:,} more" if len(value) > MOST_SHOWN else ""
        return ", ".join(_shown(item) for item in value[:MOST_SHOWN]) + more
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal | int):
        return f"{value:,}"
    if isinstance(value, datetime):
        return f"{value:%-d %b %Y %H:%M}"
    if isinstance(value, date):
        return f"{value:%-d %b %Y}"
    if isinstance(value, timedelta):
        return _span(value)
    return f"“{value}”"


def _span(span: timedelta) -> str:
    for unit, step in (("day", timedelta(days=1)), ("hour", timedelta(hours=1)), ("minute", timedelta(minutes=1))):
        if span % step == timedelta():
            amount = span // step
            return f"{amount:,} {unit}s" if amount != 1 else unit
    return str(span)
