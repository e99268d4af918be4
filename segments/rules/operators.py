"""The table of operators: what each takes, its SQL, when time alone changes it, its words.

To add one: write its SQL function (comparisons, calendar), give it a row here, and a row in
tests/test_operators.py. A negation is the exact complement of its positive: a contact without a city is
"not in Leeds".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from common.inputs import Choice
from common.registry import Registry
from segments.rules import calendar, comparisons
from segments.rules.comparisons import moment
from segments.rules.inputs import SAME, Input
from segments.rules.operands import Operand
from segments.rules.parameters import NOW, Parameters
from segments.rules.tree import Kind, Value

__all__ = ["NOW", "OPERATORS", "Operator", "Takes", "inputs_of", "moment"]


class Takes(StrEnum):
    """What stands in `value`."""

    ONE = "one value"
    MANY = "a list of values"
    PAIR = "the first and the last value"
    PATTERN = "a pattern"
    WHOLE = "a whole number"
    DAY = "a day"
    SPAN = "a span of time"
    DAYS = "a span of days"
    WEEKDAYS = "a list of weekdays"
    MONTH_DAYS = "a list of days of the month"
    NOTHING = "nothing"


VALUES: dict[Takes, tuple[Input, ...]] = {
    Takes.ONE: (Input("value", "text", "Value", kind=SAME),),
    Takes.MANY: (Input("value", "list", "Values", kind=SAME),),
    Takes.PAIR: (Input("value", "pair", "From and to", kind=SAME),),
    Takes.PATTERN: (Input("value", "text", "Pattern with * and ?"),),
    Takes.WHOLE: (Input("value", "whole", "Number", default=1),),
    Takes.DAY: (Input("value", "date", "Day"),),
    Takes.SPAN: (Input("value", "span", "Span"),),
    Takes.DAYS: (Input("value", "span", "Days", kind="days"),),
    Takes.WEEKDAYS: (
        Input("value", "list", "Weekdays", choices=tuple(Choice(day, day.title()) for day in calendar.WEEKDAYS)),
    ),
    Takes.MONTH_DAYS: (Input("value", "list", "Days of the month", kind="whole"),),
    Takes.NOTHING: (),
}

SqlMaker = Callable[[Operand, Any, Parameters], str]


@dataclass(frozen=True)
class Operator:
    """`sql` makes a boolean that may be NULL; `flips` the next moment time alone may change it, or None.

    `is_local` says that the answer depends on the contact's time zone.
    """

    takes: Takes
    kinds: frozenset[Kind]
    sql: SqlMaker
    words: str
    is_negated: bool = False
    flips: SqlMaker | None = None
    words_of_dates: str = ""
    is_local: bool = False

    def label(self, kind: Kind = Kind.TEXT) -> str:
        """The words without the value: `is one of`."""
        words = self.words_of_dates if kind is Kind.DATE and self.words_of_dates else self.words
        return words.replace("{value}", "…").removesuffix(" …")

    def truth(self, operand: Operand, value: Value, parameters: Parameters) -> str:
        """A boolean expression that is never NULL."""
        condition = f"({self.sql(operand, value, parameters)})"
        if operand.is_nullable:
            condition = f"coalesce({condition}, false)"
        return f"NOT {condition}" if self.is_negated else condition


def inputs_of(operator: Operator) -> tuple[Input, ...]:
    """What stands beside `field` and `operator` in the JSON."""
    return VALUES[operator.takes]


SCALARS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE})
TEXTS = frozenset({Kind.TEXT})
BOOLEANS = frozenset({Kind.BOOLEAN})
DATES = frozenset({Kind.DATE})
LISTS = frozenset({Kind.LIST})
HOLDERS = TEXTS | LISTS
ORDERED = frozenset({Kind.NUMBER, Kind.DATE})
LISTED = frozenset({Kind.TEXT, Kind.NUMBER})
EVERY = frozenset(Kind)


ONE, MANY, NOTHING = Takes.ONE, Takes.MANY, Takes.NOTHING
of, on = comparisons, calendar

OPERATORS: Registry[Operator] = Registry(
    "operator",
    {
        "equals": Operator(ONE, SCALARS, of.equals, "is {value}"),
        "not_equals": Operator(ONE, SCALARS, of.equals, "is not {value}", is_negated=True),
        "contains": Operator(ONE, HOLDERS, of.contains, "contains {value}"),
        "not_contains": Operator(ONE, HOLDERS, of.contains, "does not contain {value}", is_negated=True),
        "starts_with": Operator(ONE, TEXTS, of.starts_with, "starts with {value}"),
        "not_starts_with": Operator(ONE, TEXTS, of.starts_with, "does not start with {value}", is_negated=True),
        "ends_with": Operator(ONE, TEXTS, of.ends_with, "ends with {value}"),
        "not_ends_with": Operator(ONE, TEXTS, of.ends_with, "does not end with {value}", is_negated=True),
        "matches": Operator(Takes.PATTERN, TEXTS, of.matches, "matches {value}"),
        "not_matches": Operator(Takes.PATTERN, TEXTS, of.matches, "does not match {value}", is_negated=True),
        "greater": Operator(ONE, ORDERED, of.greater, "is more than {value}", words_of_dates="is later than {value}"),
        "greater_or_equal": Operator(
            ONE, ORDERED, of.greater_or_equal, "is at least {value}", words_of_dates="is {value} or later"
        ),
        "less": Operator(ONE, ORDERED, of.less, "is less than {value}", words_of_dates="is earlier than {value}"),
        "less_or_equal": Operator(
            ONE, ORDERED, of.less_or_equal, "is at most {value}", words_of_dates="is {value} or earlier"
        ),
        "between": Operator(Takes.PAIR, ORDERED, of.between, "is between {value}"),
        "in": Operator(MANY, LISTED, of.is_in, "is one of {value}"),
        "not_in": Operator(MANY, LISTED, of.is_in, "is none of {value}", is_negated=True),
        "is_set": Operator(NOTHING, EVERY, of.is_set, "is set"),
        "not_set": Operator(NOTHING, EVERY, of.is_set, "is not set", is_negated=True),
        "is_true": Operator(NOTHING, BOOLEANS, of.is_true, "is true"),
        "is_false": Operator(NOTHING, BOOLEANS, of.is_false, "is false"),
        "contains_any": Operator(MANY, LISTS, of.contains_any, "contains any of {value}"),
        "contains_all": Operator(MANY, LISTS, of.contains_all, "contains all of {value}"),
        "contains_none": Operator(MANY, LISTS, of.contains_any, "contains none of {value}", is_negated=True),
        "has_at_least": Operator(Takes.WHOLE, LISTS, of.has_at_least, "has at least {value} entries"),
        "has_at_most": Operator(Takes.WHOLE, LISTS, of.has_at_most, "has at most {value} entries"),
        "before": Operator(ONE, DATES, on.before, "is before {value}", is_local=True),
        "after": Operator(ONE, DATES, on.after, "is after {value}", is_local=True),
        "on": Operator(Takes.DAY, DATES, on.on, "is on {value}", is_local=True),
        "not_on": Operator(Takes.DAY, DATES, on.on, "is not on {value}", is_negated=True, is_local=True),
        "in_last": Operator(Takes.SPAN, DATES, on.in_last, "is in the last {value}", flips=on.in_last_flips),
        "more_than_ago": Operator(
            Takes.SPAN, DATES, on.more_than_ago, "is more than {value} ago", flips=on.in_last_flips
        ),
        "in_next": Operator(Takes.SPAN, DATES, on.in_next, "is in the next {value}", flips=on.in_next_flips),
        "weekday": Operator(Takes.WEEKDAYS, DATES, on.weekday, "falls on {value}", is_local=True),
        "day_of_month": Operator(
            Takes.MONTH_DAYS, DATES, on.day_of_month, "falls on day {value} of a month", is_local=True
        ),
        "anniversary": Operator(
            NOTHING, DATES, on.anniversary, "has its anniversary today", flips=on.anniversary_flips, is_local=True
        ),
        "anniversary_in_next": Operator(
            Takes.DAYS,
            DATES,
            on.anniversary_in_next,
            "has its anniversary in the next {value}",
            flips=on.anniversary_in_next_flips,
            is_local=True,
        ),
    },
)
