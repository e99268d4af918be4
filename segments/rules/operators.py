"""The table of operators: what each takes, its SQL, when time alone changes it, its words.

To add one: write its SQL function, give it a row here, and a row in tests/test_operators.py.
A negation is the exact complement of its positive: a contact without a city is "not in Leeds".
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from common.registry import Registry
from segments.rules.inputs import SAME, Input
from segments.rules.operands import Operand
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind, Value

CASTS = {Kind.TEXT: "text", Kind.NUMBER: "numeric", Kind.BOOLEAN: "boolean", Kind.DATE: "timestamptz"}
NOW = "%(now)s::timestamptz"


class Takes(StrEnum):
    """What stands in `value`."""

    ONE = "one value"
    MANY = "a list of values"
    SPAN = "a span of time"
    NOTHING = "nothing"


VALUES: dict[Takes, tuple[Input, ...]] = {
    Takes.ONE: (Input("value", "text", "Value", kind=SAME),),
    Takes.MANY: (Input("value", "list", "Values", kind=SAME),),
    Takes.SPAN: (Input("value", "span", "Span"),),
    Takes.NOTHING: (),
}

SqlMaker = Callable[[Operand, Any, Parameters], str]


@dataclass(frozen=True)
class Operator:
    """`sql` makes a boolean that may be NULL; `flips` the next moment time alone may change it, or None."""

    takes: Takes
    kinds: frozenset[Kind]
    sql: SqlMaker
    words: str
    is_negated: bool = False
    flips: SqlMaker | None = None
    words_of_dates: str = ""

    def label(self, kind: Kind = Kind.TEXT) -> str:
        """The words without the value: `is one of`."""
        words = self.words_of_dates if kind is Kind.DATE and self.words_of_dates else self.words
        return " ".join(words.replace("{value}", "").split())

    def truth(self, operand: Operand, value: Value, parameters: Parameters) -> str:
        """A boolean expression that is never NULL."""
        condition = f"({self.sql(operand, value, parameters)})"
        if operand.is_nullable:
            condition = f"coalesce({condition}, false)"
        return f"NOT {condition}" if self.is_negated else condition


def inputs_of(operator: Operator) -> tuple[Input, ...]:
    """What stands beside `field` and `operator` in the JSON."""
    return VALUES[operator.takes]


def moment(value: date | datetime) -> datetime:
    """The instant of a date: a whole day stands for its first moment in UTC."""
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


def _bound(operand: Operand, value: Any, parameters: Parameters) -> str:
    return parameters.bind(moment(value) if isinstance(value, date) else value, CASTS[operand.kind])


def _equals(operand: Operand, value: Any, parameters: Parameters) -> str:
    if isinstance(value, date) and not isinstance(value, datetime):
        first = moment(value)
        start = parameters.bind(first, "timestamptz")
        return f"{operand.sql} >= {start} AND {operand.sql} < {start} + interval '1 day'"
    return f"{operand.sql} = {_bound(operand, value, parameters)}"


def _in(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} = ANY({parameters.bind(list(value), CASTS[operand.kind] + '[]')})"


def _contains(operand: Operand, value: Any, parameters: Parameters) -> str:
    if operand.is_array_column:
        return f"{operand.sql} @> {parameters.bind([value], 'varchar[]')}"
    if operand.kind is Kind.LIST:
        return f"{operand.sql} @> {parameters.bind(_as_json(value), 'jsonb')}"
    return f"{operand.sql} LIKE {parameters.bind(f'%{_escaped(value)}%', 'text')}"


def _starts_with(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} LIKE {parameters.bind(f'{_escaped(value)}%', 'text')}"


def _ends_with(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} LIKE {parameters.bind(f'%{_escaped(value)}', 'text')}"


def _greater(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} > {_bound(operand, value, parameters)}"


def _less(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} < {_bound(operand, value, parameters)}"


def _is_set(operand: Operand, value: Any, parameters: Parameters) -> str:
    return operand.presence


def _in_last(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    # `now - span < x` and `x + span > now` agree to the microsecond: the session is in UTC.
    return f"{operand.sql} > {NOW} - {parameters.bind(value, 'interval')} AND {operand.sql} <= {NOW}"


def _in_last_flips(operand: Operand, value: timedelta, parameters: Parameters) -> str:
    span = parameters.bind(value, "interval")
    return (
        f"CASE WHEN {operand.sql} > {NOW} THEN {operand.sql} "
        f"WHEN {operand.sql} > {NOW} - {span} THEN {operand.sql} + {span} END"
    )


def _escaped(text: str) -> str:
    """Text for LIKE with its wildcards taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _as_json(value: str | bool | Decimal) -> str:
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


SCALARS = frozenset({Kind.TEXT, Kind.NUMBER, Kind.BOOLEAN, Kind.DATE})
TEXTS = frozenset({Kind.TEXT})
HOLDERS = frozenset({Kind.TEXT, Kind.LIST})
ORDERED = frozenset({Kind.NUMBER, Kind.DATE})
LISTED = frozenset({Kind.TEXT, Kind.NUMBER})
EVERY = frozenset(Kind)

OPERATORS: Registry[Operator] = Registry(
    "operator",
    {
        "equals": Operator(Takes.ONE, SCALARS, _equals, "is {value}"),
        "not_equals": Operator(Takes.ONE, SCALARS, _equals, "is not {value}", is_negated=True),
        "contains": Operator(Takes.ONE, HOLDERS, _contains, "contains {value}"),
        "not_contains": Operator(Takes.ONE, HOLDERS, _contains, "does not contain {value}", is_negated=True),
        "starts_with": Operator(Takes.ONE, TEXTS, _starts_with, "starts with {value}"),
        "ends_with": Operator(Takes.ONE, TEXTS, _ends_with, "ends with {value}"),
        "greater": Operator(Takes.ONE, ORDERED, _greater, "is more than {value}", words_of_dates="is after {value}"),
        "less": Operator(Takes.ONE, ORDERED, _less, "is less than {value}", words_of_dates="is before {value}"),
        "in": Operator(Takes.MANY, LISTED, _in, "is one of {value}"),
        "not_in": Operator(Takes.MANY, LISTED, _in, "is none of {value}", is_negated=True),
        "is_set": Operator(Takes.NOTHING, EVERY, _is_set, "is set"),
        "not_set": Operator(Takes.NOTHING, EVERY, _is_set, "is not set", is_negated=True),
        "in_last": Operator(
            Takes.SPAN, frozenset({Kind.DATE}), _in_last, "is in the last {value}", flips=_in_last_flips
        ),
    },
)
