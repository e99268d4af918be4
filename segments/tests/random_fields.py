"""Random conditions on fields and properties of every operator, and on segments, consent, chance, distance and
predictions."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

WORDS = ["pro", "free", "p%o", "100%", "a_b", "a\\b", "'; DROP TABLE x; --", "%(now)s", "Zoë", "5", "true"]
PATTERNS = ["*", "p*", "*o", "?ro", "p?o", "*%*", "a_b", "a?b", "*\\*", "**", "'*-", "Zo?", "????", "*(now)s"]
NUMBERS = [-3, 0, 1, 5, 50, 50.5, 10**12]
DATES = ["2026-06-01", "2026-06-15T11:59:59Z", "2026-06-20 08:30", "2026-07-01T00:00:00+02:00", "2027-01-01"]
# Birthdays; days on which clocks change at midnight in Havana (twice 0:00) and Beirut (no 0:00); a leap day.
BIRTHDAYS = [
    "1990-06-15",
    "1980-06-16T23:30:00Z",
    "2000-06-14",
    "1990-11-01",
    "2020-03-29",
    "2024-02-29",
    "0001-06-15",
]
DAYS = [date for date in DATES if len(date) == 10] + ["2026-06-15", "2026-06-16", "2026-06-08"]
ZONES = [
    "", "Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Kiritimati", "Pacific/Pago_Pago",
    "America/Havana", "Asia/Beirut", "Mars/Base", "BC", "+5", "europe/london'; --",
]  # fmt: skip
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
PLACES = [(53.8, -1.55), (51.5, -0.12), (-36.85, 174.76), (0, 180), (0, -179.9), (90, 0), (-90, 77)]
TOPICS = ["news", "offers"]
BANDS = ["low", "medium", "high"]
PREDICTED = {"churn": [0.0, 0.25, 0.33, 0.5, 0.66, 0.9, 1.0], "worth": [-50, 0, 99.5, 100, 5_000, 10**12]}
SPANS = st.sampled_from([7, 30, {"days": 1}, {"hours": 25}, {"minutes": 90}])


def on(kind: str, *, is_timed: bool, is_text_list: bool = False) -> st.SearchStrategy[dict[str, Any]]:
    """Operator and value for something of a kind; `is_timed` with those that time alone can change."""
    options = [_without_value(["is_set", "not_set"])]
    options += _OPTIONS[kind]
    if kind == "date" and is_timed:
        options += _TIMED
    if kind == "list":
        options += _lists(st.sampled_from(WORDS) if is_text_list else st.sampled_from([*WORDS, 5, True]))
    return st.one_of(options)


def _of(operators: list[str], values: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(
        lambda operator, value: {"operator": operator, "value": value}, st.sampled_from(operators), values
    )


def _without_value(operators: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(operators).map(lambda operator: {"operator": operator})


def _some(values: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=3)


def _lists(items: st.SearchStrategy[Any]) -> list[st.SearchStrategy[dict[str, Any]]]:
    return [
        _of(["contains", "not_contains"], items),
        _of(["contains_any", "contains_all", "contains_none"], _some(items)),
        _of(["has_at_least", "has_at_most"], st.integers(0, 3)),
    ]


_text, _number, _date = st.sampled_from(WORDS), st.sampled_from(NUMBERS), st.sampled_from([*DATES, *DAYS])
_ORDER = ["greater", "greater_or_equal", "less", "less_or_equal"]
_OPTIONS: dict[str, list[st.SearchStrategy[dict[str, Any]]]] = {
    "text": [
        _of(["equals", "not_equals", "contains", "not_contains"], _text),
        _of(["starts_with", "ends_with", "not_starts_with", "not_ends_with"], _text),
        _of(["matches", "not_matches"], st.sampled_from(PATTERNS)),
        _of(["in", "not_in"], _some(_text)),
    ],
    "number": [
        _of(["equals", "not_equals", *_ORDER], _number),
        _of(["between"], st.tuples(_number, _number).map(sorted)),
        _of(["in", "not_in"], _some(_number)),
    ],
    "boolean": [_of(["equals", "not_equals"], st.booleans()), _without_value(["is_true", "is_false"])],
    "list": [],
    "date": [
        _of(["equals", "not_equals", "before", "after", *_ORDER], _date),
        _of(["between"], st.sampled_from([["2026-06-01", "2026-06-20"], ["2026-06-14T12:00:00Z", "2026-06-15"]])),
        _of(["on", "not_on"], st.sampled_from(DAYS)),
        _of(["weekday"], _some(st.sampled_from(WEEKDAYS))),
        _of(["day_of_month"], _some(st.integers(1, 31))),
    ],
}  # fmt: skip
_TIMED = [
    _of(["in_last", "more_than_ago", "in_next"], SPANS),
    _without_value(["anniversary"]),
    _of(["anniversary_in_next"], st.sampled_from([1, 7, {"days": 200}, 365])),
]


def others(segment_ids: list[int]) -> st.SearchStrategy[dict[str, Any]]:
    """Conditions that speak neither of a field nor of an event."""
    consent = st.fixed_dictionaries(
        {"consent": st.sampled_from(["email", "sms"]), "operator": st.sampled_from(["granted", "not_granted"])},
        optional={"topic": st.sampled_from(TOPICS)},
    )
    bucket = st.builds(
        lambda salt, ends: {"bucket": {"salt": salt, "from": min(ends), "to": max(ends)}},
        st.sampled_from(["a", "%s'"]),
        st.tuples(st.integers(0, 99), st.integers(0, 99)),
    )
    near = st.builds(
        lambda place, kilometers, operator: {
            "near": {"latitude": place[0], "longitude": place[1], "kilometers": kilometers},
            "operator": operator,
        },
        st.sampled_from(PLACES),
        st.sampled_from([0, 1, 20, 300, 5_000, 15_000, 20_100]),
        st.sampled_from(["within", "outside"]),
    )
    segment = st.fixed_dictionaries(
        {"segment": st.sampled_from(segment_ids), "operator": st.sampled_from(["in", "not_in"])}
    )
    return segment | consent | bucket | near | predictions()


def predictions() -> st.SearchStrategy[dict[str, Any]]:
    """Conditions on what models expect."""
    bands = st.lists(st.sampled_from(BANDS), min_size=1, unique=True)

    def of(name: str) -> st.SearchStrategy[dict[str, Any]]:
        number = st.sampled_from(PREDICTED[name])
        rest = st.one_of(
            _of(["band", "not_band"], bands),
            _of(_ORDER, number),
            _of(["between"], st.tuples(number, number).map(sorted)),
            _without_value(["is_set", "not_set"]),
        )
        return rest.map(lambda told: {"prediction": name} | told)

    return st.sampled_from(sorted(PREDICTED)).flatmap(of)
