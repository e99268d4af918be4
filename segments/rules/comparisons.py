"""SQL of the operators on text, numbers, booleans and lists, and of those that compare moments as they are."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from segments.rules.operands import Operand
from segments.rules.parameters import Parameters
from segments.rules.tree import Kind

CASTS = {Kind.TEXT: "text", Kind.NUMBER: "numeric", Kind.BOOLEAN: "boolean", Kind.DATE: "timestamptz"}


def moment(value: date | datetime) -> datetime:
    """The instant of a date: a whole day stands for its first moment in UTC."""
    return value if isinstance(value, datetime) else datetime.combine(value, time(), UTC)


def is_whole_day(value: Any) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def equals(operand: Operand, value: Any, parameters: Parameters) -> str:
    if is_whole_day(value):
        return between(operand, (value, value), parameters)
    return f"{operand.sql} = {_bound(operand, value, parameters)}"


def is_in(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} = ANY({parameters.bind(list(value), CASTS[operand.kind] + '[]')})"


def greater(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} > {_bound(operand, value, parameters)}"


def greater_or_equal(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} >= {_bound(operand, value, parameters)}"


def less(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} < {_bound(operand, value, parameters)}"


def less_or_equal(operand: Operand, value: Any, parameters: Parameters) -> str:
    """A whole day is meant to its end."""
    if is_whole_day(value):
        return f"{operand.sql} < {_bound(operand, moment(value) + timedelta(days=1), parameters)}"
    return f"{operand.sql} <= {_bound(operand, value, parameters)}"


def between(operand: Operand, value: tuple[Any, Any], parameters: Parameters) -> str:
    low, high = value
    return f"{greater_or_equal(operand, low, parameters)} AND {less_or_equal(operand, high, parameters)}"


def is_true(operand: Operand, value: Any, parameters: Parameters) -> str:
    return operand.sql


def is_false(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"NOT ({operand.sql})"


def is_set(operand: Operand, value: Any, parameters: Parameters) -> str:
    return operand.presence


def contains(operand: Operand, value: Any, parameters: Parameters) -> str:
    if operand.kind is Kind.LIST:
        return contains_all(operand, (value,), parameters)
    return f"{operand.sql} LIKE {parameters.bind(f'%{_escaped(value)}%', 'text')}"


def starts_with(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} LIKE {parameters.bind(f'{_escaped(value)}%', 'text')}"


def ends_with(operand: Operand, value: Any, parameters: Parameters) -> str:
    return f"{operand.sql} LIKE {parameters.bind(f'%{_escaped(value)}', 'text')}"


def matches(operand: Operand, value: str, parameters: Parameters) -> str:
    """`*` is any text, `?` one character. LIKE gives up on a text at its end, so no pattern takes it long."""
    pattern = _escaped(value).replace("*", "%").replace("?", "_")
    return f"{operand.sql} LIKE {parameters.bind(pattern, 'text')}"


def contains_all(operand: Operand, value: Any, parameters: Parameters) -> str:
    if operand.is_array_column:
        return f"{operand.sql} @> {parameters.bind(list(value), 'varchar[]')}"
    return f"{operand.sql} @> {parameters.bind(_as_json(value), 'jsonb')}"


def contains_any(operand: Operand, value: Any, parameters: Parameters) -> str:
    if operand.is_array_column:
        return f"{operand.sql} && {parameters.bind(list(value), 'varchar[]')}"
    return f"{operand.sql} @> ANY({parameters.bind([_as_json((item,)) for item in value], 'jsonb[]')})"


def has_at_least(operand: Operand, value: int, parameters: Parameters) -> str:
    return f"{_length(operand)} >= {parameters.bind(value, 'int')}"


def has_at_most(operand: Operand, value: int, parameters: Parameters) -> str:
    return f"{_length(operand)} <= {parameters.bind(value, 'int')}"


def _length(operand: Operand) -> str:
    """Who has no list has no element."""
    if operand.is_array_column:
        return f"cardinality({operand.sql})"
    return f"coalesce(jsonb_array_length({operand.sql}), 0)"


def _bound(operand: Operand, value: Any, parameters: Parameters) -> str:
    return parameters.bind(moment(value) if isinstance(value, date) else value, CASTS[operand.kind])


def _escaped(text: str) -> str:
    """Text for LIKE with its wildcards taken literally."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _as_json(values: tuple[str | bool | Decimal, ...]) -> str:
    """A JSON array; numbers keep every digit."""
    return f"[{', '.join(str(item) if isinstance(item, Decimal) else json.dumps(item) for item in values)}]"
