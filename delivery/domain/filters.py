"""The filters and tests that templates may use; those that could build big values are our own."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from jinja2.defaults import DEFAULT_FILTERS
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.runtime import Undefined

from common import money
from common.errors import Invalid


class LimitExceeded(SecurityError):
    """The template asks for more work or text than a mail can need."""


DEADLINE: ContextVar[float] = ContextVar("rendering_deadline", default=float("inf"))  # time.monotonic()
MOST_TEXT = 100_000
MOST_DIGITS = 10

# From Jinja2 as they are: their result is no larger than what goes in.
KEPT = (
    "abs", "capitalize", "d", "default", "e", "escape", "first", "float", "int", "last", "length", "count",
    "lower", "list", "max", "min", "reverse", "sort", "striptags", "sum", "title", "trim", "truncate", "unique",
    "upper", "urlencode", "wordcount",
)  # fmt: skip
TESTS = (
    "defined", "undefined", "none", "string", "number", "integer", "float", "boolean", "true", "false", "even",
    "odd", "divisibleby", "in", "lower", "upper", "mapping", "iterable", "sequence",
    "eq", "equalto", "==", "ne", "!=", "gt", "greaterthan", ">", "ge", ">=", "lt", "lessthan", "<", "le", "<=",
)  # fmt: skip


def _text(value: Any) -> str:
    if isinstance(value, Undefined) or value is None:
        raise UndefinedError(str(value) if isinstance(value, Undefined) else "a value is empty and has no default")
    if isinstance(value, (str, int, float, Decimal, date, datetime)):
        return str(value)
    raise SecurityError("a list or an object cannot be printed; name one of its values")


def join(values: Iterable[Any], separator: str = "") -> str:
    """The items as one text."""
    texts = [_text(value) for value in values]
    _check_size(sum(map(len, texts)) + len(str(separator)) * len(texts))
    return str(separator).join(texts)


def replace(value: Any, old: str, new: str) -> str:
    """Every `old` as `new`."""
    text, old = _text(value), str(old)
    if not old:
        raise SecurityError("replace needs something to look for")
    _check_size(len(text) + text.count(old) * len(str(new)))
    return text.replace(old, str(new))


def rounded(value: Any, digits: int = 0) -> float | int:
    """The number rounded to at most MOST_DIGITS decimals; without decimals a whole number."""
    if not 0 <= digits <= MOST_DIGITS:
        raise SecurityError(f"round takes 0 to {MOST_DIGITS} digits")
    number = _number(value)
    return round(number, digits) if digits else round(number)


def number(value: Any, digits: int = 0) -> str:
    """`1234567` → `1,234,567`."""
    if not 0 <= digits <= MOST_DIGITS:
        raise SecurityError(f"number takes 0 to {MOST_DIGITS} digits")
    return f"{_number(value):,.{digits}f}"


def show_money(minor: Any, currency: str) -> str:
    """Minor units as an amount: `1234|money("GBP")` → `£12.34`."""
    try:
        return money.show(int(_number(minor)), str(currency)[:3])
    except Invalid as error:
        raise SecurityError(error.message) from error


def show_date(value: Any, form: str = "%-d %B %Y") -> str:
    """A date or an ISO text in the given form."""
    if len(form) > 50:
        raise SecurityError("the form of a date is too long")
    try:
        moment = value if isinstance(value, date) else datetime.fromisoformat(_text(value))
        return moment.strftime(form)
    except ValueError as error:
        raise SecurityError(f"“{value}” is not a date") from error


def string(value: Any) -> str:
    return _text(value)


def _number(value: Any) -> float:
    if isinstance(value, Undefined):
        _text(value)
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise SecurityError(f"“{value}” is not a number") from error
    if abs(result) > 10**15:
        raise SecurityError("a number is too large")
    return result


def _check_size(size: int) -> None:
    if size > MOST_TEXT:
        raise LimitExceeded(f"a value grows beyond {MOST_TEXT:,} characters")


def _timed(function: Callable[..., Any]) -> Callable[..., Any]:
    """The filter, refusing to start once the rendering has used up its time."""

    @functools.wraps(function)  # keeps the marks by which Jinja2 passes environment or context
    def timed(*arguments: Any, **keywords: Any) -> Any:
        if time.monotonic() > DEADLINE.get():
            raise LimitExceeded("rendering takes too long")
        return function(*arguments, **keywords)

    return timed


OWN = {
    "join": join,
    "replace": replace,
    "round": rounded,
    "number": number,
    "money": show_money,
    "date": show_date,
    "string": string,
}
FILTERS = {name: _timed(function) for name, function in ({n: DEFAULT_FILTERS[n] for n in KEPT} | OWN).items()}
