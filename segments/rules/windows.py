"""The window of an event rule in SQL: the last so many days, two fixed ends, or ever.

A span lets an event go to the microsecond: it holds while `happened_at > now - span`. A period is half open; a
whole day in it begins with its first moment in UTC and counts to its end.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from segments.rules.operators import moment
from segments.rules.parameters import Parameters
from segments.rules.tree import Period, Within

NOTHING = "NULL::timestamptz"
HAPPENED_AT = "event.happened_at"


def lower(within: Within, parameters: Parameters, at: str = HAPPENED_AT) -> str | None:
    """The condition on a moment at the window's beginning; None: it has none."""
    start = beginning(within, parameters)
    if start is None:
        return None
    return f"{at} > {start}" if isinstance(within, timedelta) else f"{at} >= {start}"


def upper(within: Within, parameters: Parameters, at: str = HAPPENED_AT) -> str | None:
    """The condition on a moment at the window's fixed end; None: it has none."""
    end = ending(within, parameters)
    return f"{at} < {end}" if end else None


def beginning(within: Within, parameters: Parameters) -> str | None:
    """The moment the window begins."""
    if isinstance(within, timedelta):
        return ago(within, parameters)
    if isinstance(within, Period) and within.since is not None:
        return parameters.bind(moment(within.since), "timestamptz")
    return None


def ago(span: timedelta, parameters: Parameters) -> str:
    """The moment a span before now; a constant, where `now - span` would be worked out again for every event."""
    return parameters.bind(parameters.values["now"] - span, "timestamptz")


def ending(within: Within, parameters: Parameters) -> str | None:
    """The first moment after a fixed window."""
    if not isinstance(within, Period) or within.until is None:
        return None
    end = parameters.bind(moment(within.until), "timestamptz")
    return end if isinstance(within.until, datetime) else f"{end} + interval '1 day'"


def inside(within: Within, parameters: Parameters, at: str = HAPPENED_AT) -> list[str]:
    """All conditions of the window on a moment."""
    return [found for found in (lower(within, parameters, at), upper(within, parameters, at)) if found]


def lapses(moment_sql: str, within: Within, parameters: Parameters) -> str:
    """When something that happened at a moment leaves the window by itself; NULL: never."""
    if not isinstance(within, timedelta):
        return NOTHING
    return f"{moment_sql} + {parameters.bind(within, 'interval')}"
