"""What a goal says about events: their name and the properties they must have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from common.errors import Invalid

MOST_CONDITIONS = 10
LONGEST_LOOK_BACK = 365
# operator → its value is a …
OPERATORS = {
    "equals": "scalar",
    "not_equals": "scalar",
    "in": "list",
    "greater": "number",
    "less": "number",
    "is_set": "nothing",
}


@dataclass(frozen=True)
class Condition:
    """One property an event must have. `value` fits the operator."""

    property: str
    operator: str
    value: Any = None


def parse_where(document: Any) -> list[Condition]:
    """Read a goal's `where`. Raises `Invalid` naming the place, e.g. `where[1].operator`."""
    if document in (None, [], ""):
        return []
    if not isinstance(document, list):
        raise Invalid("Conditions are a list.", details={"where": 'Write [{"property": …, "operator": …}].'})
    if len(document) > MOST_CONDITIONS:
        raise Invalid("Too many conditions.", details={"where": f"At most {MOST_CONDITIONS}."})
    return [_condition(item, f"where[{index}]") for index, item in enumerate(document)]


def _condition(item: Any, place: str) -> Condition:
    if not isinstance(item, dict) or not isinstance(item.get("property"), str) or not item["property"].strip():
        _refuse(place, 'must be an object with a "property"')
    unknown = sorted(item.keys() - {"property", "operator", "value"})
    if unknown:
        _refuse(f"{place}.{unknown[0]}", "is not known; there are property, operator and value")
    operator, value = item.get("operator", "equals"), item.get("value")
    if operator not in OPERATORS:
        _refuse(f"{place}.operator", f"must be one of {', '.join(OPERATORS)}")
    if not _fits(OPERATORS[operator], value):
        _refuse(f"{place}.value", f"must be a {OPERATORS[operator]}")
    return Condition(item["property"].strip()[:200], operator, value)


def _fits(shape: str, value: Any) -> bool:
    if shape == "nothing":
        return value is None
    if shape == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if shape == "list":
        return isinstance(value, list) and 0 < len(value) <= 100 and all(_fits("scalar", item) for item in value)
    return isinstance(value, str | int | float | bool)


def _refuse(place: str, sentence: str) -> NoReturn:
    raise Invalid(
        f"The conditions are wrong: {place} {sentence}.",
        code="bad_condition",
        details={"where": f"{place} {sentence}."},
    )
