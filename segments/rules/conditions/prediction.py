"""What a model expects of the contact (`audience.ContactPrediction`). It counts until it lapses by itself."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from audience.models import Band
from segments.rules import values
from segments.rules.catalogue import Catalogue, KnownPrediction
from segments.rules.conditions.base import Condition, Misplaced, choices, operator_of
from segments.rules.inputs import Input
from segments.rules.operands import Row
from segments.rules.parameters import Parameters
from segments.rules.tree import PredictionRule
from segments.rules.values import Unfit, expected

OPERATORS = {
    "band": "is in the band",
    "not_band": "is not in the band",
    "greater": "is more than",
    "greater_or_equal": "is at least",
    "less": "is less than",
    "less_or_equal": "is at most",
    "between": "is between",
    "is_set": "is known",
    "not_set": "is not known",
}
# A negation is the exact complement: of whom nothing is expected is "not in the band high".
NEGATED = {"not_band", "not_set"}
COMPARED = {"greater": ">", "greater_or_equal": ">=", "less": "<", "less_or_equal": "<="}
BANDS = {Band.LOW.value: "low", Band.MEDIUM.value: "medium", Band.HIGH.value: "high"}
FIELD = "prediction."


def is_negated(rule: PredictionRule) -> bool:
    """Whether it is true of contacts without the prediction."""
    return rule.operator in NEGATED


def _read(raw: Mapping[str, Any], known: Catalogue, is_stored: bool) -> PredictionRule:
    name = raw["prediction"]
    found = known.predictions.get(name) if isinstance(name, str) else None
    if found is None and not (is_stored and isinstance(name, str)):
        names = ", ".join(sorted(known.predictions)) or "none"
        raise Misplaced("prediction", f"unknown prediction {values.shown(name)}; known: {names}")
    operator = operator_of(raw, OPERATORS)
    try:
        value = _value(operator, raw, None if is_stored else found)
    except Unfit as problem:
        raise Misplaced("value", str(problem)) from problem
    return PredictionRule(name, found.label if found else name, operator, value)


def _value(
    operator: str, raw: Mapping[str, Any], known: KnownPrediction | None
) -> tuple[str, ...] | Decimal | tuple[Decimal, Decimal] | None:
    value = raw.get("value")
    if operator in ("is_set", "not_set"):
        if "value" in raw:
            raise Unfit("this operator takes no value")
        return None
    if operator in ("band", "not_band"):
        return _bands(value)
    if operator != "between":
        return _number(value, known)
    if not isinstance(value, list) or len(value) != 2:
        raise expected("the first and the last value", value)
    low, high = (_number(end, known) for end in value)
    if high < low:
        raise Unfit(f"the first value, {low}, is greater than the last, {high}")
    return low, high


def _bands(value: Any) -> tuple[str, ...]:
    named = value if isinstance(value, list) else [value]
    if not named or not all(isinstance(band, str) and band in BANDS for band in named):
        raise expected(f"one or more of {', '.join(BANDS)}", value)
    return tuple(band for band in BANDS if band in named)


def _number(value: Any, known: KnownPrediction | None) -> Decimal:
    number = values.read_number(value)
    if known is not None and known.is_score and not 0 <= number <= 1:
        raise expected("a number from 0 to 1", value)
    return number


def _holds(rule: PredictionRule, row: Row, parameters: Parameters) -> str:
    """What it says of a prediction, before any negation; NULL for whom none holds."""
    assert row.predictions is not None  # every statement that compiles it joins them
    alias = row.predictions.alias(rule.name)
    if rule.operator in ("is_set", "not_set"):
        return f"{alias}.valid_until IS NOT NULL"
    if isinstance(rule.value, tuple) and rule.operator in ("band", "not_band"):
        return f"{alias}.band = ANY({parameters.bind(list(rule.value), 'text[]')})"
    if isinstance(rule.value, tuple):
        low, high = (parameters.bind(end, "numeric") for end in rule.value)
        return f"{alias}.value BETWEEN {low} AND {high}"
    return f"{alias}.value {COMPARED[rule.operator]} {parameters.bind(rule.value, 'numeric')}"


def _truth(rule: PredictionRule, row: Row, parameters: Parameters) -> str:
    holds = f"coalesce({_holds(rule, row, parameters)}, false)"
    return f"NOT {holds}" if is_negated(rule) else holds


def _flips(rule: PredictionRule, row: Row, parameters: Parameters) -> str:
    """When it lapses; what is not true of it now is not true of nothing either."""
    holds = _holds(rule, row, parameters)
    assert row.predictions is not None
    return f"CASE WHEN {holds} THEN {row.predictions.alias(rule.name)}.valid_until END"


def _words(rule: PredictionRule) -> str:
    words = f"the prediction “{rule.label}” {OPERATORS[rule.operator]}"
    if rule.value is None:
        return words
    if not isinstance(rule.value, tuple):
        return f"{words} {_shown(rule.value)}"
    if rule.operator == "between":
        low, high = (_shown(end) for end in rule.value)
        return f"{words} {low} and {high}"
    return f"{words} {' or '.join(str(band) for band in rule.value)}"


def _shown(number: Any) -> str:
    return f"{number.normalize():,f}" if isinstance(number, Decimal) else str(number)


def _inputs(known: Catalogue) -> tuple[Input, ...]:
    labels = {name: row.label for name, row in known.predictions.items()}
    return (Input("prediction", "choice", "Prediction", choices=choices(labels)),)


_BANDS = (Input("value", "list", "Bands", default=["high"], choices=choices(BANDS)),)
_NUMBER = (Input("value", "number", "Value"),)
_INPUTS = {
    "band": _BANDS,
    "not_band": _BANDS,
    **dict.fromkeys(COMPARED, _NUMBER),
    "between": (Input("value", "pair", "From and to", kind="number"),),
}


def _fields(rule: PredictionRule) -> set[str]:
    """The word under which a change of this prediction is looked up."""
    return {f"{FIELD}{rule.name}"}


PREDICTION: Condition[PredictionRule] = Condition(
    "Prediction",
    ("prediction", "operator", "value"),
    OPERATORS,
    _inputs,
    _read,
    _truth,
    _words,
    _fields,
    _flips,
    _INPUTS,
)
