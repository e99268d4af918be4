"""A rule in plain language."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from segments.rules.behaviours import BEHAVIOURS
from segments.rules.catalogue import label
from segments.rules.operators import OPERATORS
from segments.rules.tree import AttributeRule, EventRule, Group, Kind, Leaf, Match, PropertyFilter, Rule, Value

MOST_SHOWN = 5
JOINTS = {Match.ALL: " and ", Match.ANY: " or ", Match.NONE: " or "}


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
    return f"({inner})" if is_inner and len(rule.rules) > 1 else inner


def leaf_phrase(leaf: Leaf) -> str:
    """The words of one condition."""
    if isinstance(leaf, AttributeRule):
        return _condition(label(leaf.field), leaf)
    return _behaviour(leaf)


def _condition(subject: str, condition: AttributeRule | PropertyFilter) -> str:
    operator = OPERATORS[condition.operator]
    words = operator.words_of_dates if condition.kind is Kind.DATE and operator.words_of_dates else operator.words
    return f"{subject} {words.format(value=_shown(condition.value))}"


def _behaviour(rule: EventRule) -> str:
    behaviour = BEHAVIOURS[rule.operator]
    words = behaviour.once if rule.count == 1 else behaviour.often.format(count=rule.count)
    window = f" in the last {_shown(rule.within)}" if rule.within else ""
    filters = " and ".join(_condition(item.property, item) for item in rule.where)
    condition = f" with {filters}" if filters else ""
    return f"{rule.event} {words}{window}{condition}"


def _shown(value: Value) -> str:
    if isinstance(value, tuple):
        more = f" and {len(value) - MOST_SHOWN:,} more" if len(value) > MOST_SHOWN else ""
        return ", ".join(_shown(item) for item in value[:MOST_SHOWN]) + more
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
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
