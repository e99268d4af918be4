"""Values as marketers write them in JSON, read strictly into their Python types."""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from segments.rules.tree import Kind, Single

LONGEST_TEXT = 1_000
MOST_VALUES = 1_000
LARGEST_NUMBER = 10**30
LONGEST_SPAN = timedelta(days=36_500)
SPAN_UNITS = ("days", "hours", "minutes")

# The one written form of a date, here and in SQL (operands): no "now", no "infinity", no era.
DATE_PATTERN = r"^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$"
# A text that counts as a number, as a till prints it: digits with at most one point among them and perhaps a minus in
# front. No other sign, no spaces, no thousands, no exponent.
LONGEST_NUMBER = 30

EXPECTED = {
    Kind.TEXT: "text",
    Kind.NUMBER: "a number",
    Kind.BOOLEAN: "true or false",
    Kind.DATE: 'a date such as "2026-01-31" or "2026-01-31T09:00:00Z"',
    Kind.LIST: "a list",
    Kind.OBJECT: "an object",
}


class Unfit(Exception):
    """A value that does not fit; the sentence says what was expected and what came."""


def shown(raw: Any) -> str:
    """A raw value for a sentence, cut to a readable length."""
    try:
        text = json.dumps(raw, ensure_ascii=False, default=str)
    except ValueError:  # Python writes no integer of more than 4 300 digits
        return "a number that is too large"
    return text if len(text) <= 60 else f"{text[:57]}…"


def expected(what: str, raw: Any) -> Unfit:
    return Unfit(f"expected {what}, got {shown(raw)}")


def read(kind: Kind, raw: Any) -> Single:
    """One value of a kind. For a list it is one element: text, number or boolean. Raises `Unfit`."""
    if kind is Kind.LIST:
        return read(guess(raw), raw)
    if kind is Kind.TEXT:
        return read_text(raw)
    if kind is Kind.NUMBER:
        return read_number(raw)
    if kind is Kind.BOOLEAN:
        return _read_boolean(raw)
    if kind is Kind.DATE:
        return read_date(raw)
    raise Unfit("an object can only be tested with is_set and not_set")


def guess(raw: Any) -> Kind:
    """The kind of a value nobody has told us the type of."""
    if isinstance(raw, bool):
        return Kind.BOOLEAN
    return Kind.NUMBER if isinstance(raw, int | float) else Kind.TEXT


def read_text(raw: Any) -> str:
    if not isinstance(raw, str):
        raise expected(EXPECTED[Kind.TEXT], raw)
    if not raw:
        raise Unfit('expected text, got ""; to find empty fields use the operator not_set')
    if len(raw) > LONGEST_TEXT:
        raise Unfit(f"the text has {len(raw):,} characters; at most {LONGEST_TEXT:,} are allowed")
    if "\x00" in raw or any("\ud800" <= character <= "\udfff" for character in raw):
        raise Unfit("the text holds a character that cannot be stored")
    return raw


def read_number(raw: Any) -> Decimal:
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        raise expected(EXPECTED[Kind.NUMBER], raw)
    if abs(raw) > LARGEST_NUMBER:
        raise Unfit("the number is too large")
    if not math.isfinite(raw):
        raise expected(EXPECTED[Kind.NUMBER], raw)
    return Decimal(str(raw))


def _read_boolean(raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise expected(EXPECTED[Kind.BOOLEAN], raw)
    return raw


def read_date(raw: Any) -> date | datetime:
    """A whole day as `date`, a moment as aware `datetime` (UTC when no zone is written)."""
    if not isinstance(raw, str) or not re.match(DATE_PATTERN, raw, re.ASCII) or raw.endswith("\n"):
        raise expected(EXPECTED[Kind.DATE], raw)
    try:
        if len(raw) == len("2026-01-31"):
            return date.fromisoformat(raw)
        moment = datetime.fromisoformat(raw)
    except ValueError as error:
        raise expected(EXPECTED[Kind.DATE], raw) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_span(raw: Any) -> timedelta:
    """`{"days": 30}`, `{"hours": 6}` or `{"minutes": 90}`; a bare number means days."""
    if isinstance(raw, int) and not isinstance(raw, bool):
        raw = {"days": raw}
    if not isinstance(raw, dict) or len(raw) != 1 or next(iter(raw)) not in SPAN_UNITS:
        raise expected('a span such as {"days": 30}, {"hours": 6} or {"minutes": 90}', raw)
    unit, amount = next(iter(raw.items()))
    if isinstance(amount, bool) or not isinstance(amount, int) or amount < 1:
        raise expected(f"a whole number of {unit}, 1 or more", amount)
    if amount > LONGEST_SPAN // timedelta(**{unit: 1}):
        raise Unfit("the span is longer than 100 years")
    return timedelta(**{unit: amount})
