"""The window of an event rule in SQL: the last so many days, two fixed ends, or ever.

A span lets an event go to the microsecond: it holds while `happened_at > now - span`. A period is half open; a
whole day in it is a day where the organisation is: from its first moment to the first of the next.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

from segments.rules import zones
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
        return _bound(starts(within.since, parameters), "-infinity", parameters)
    return None


def starts(end: date, parameters: Parameters) -> datetime | None:
    """The first moment of a whole day where the organisation is, or the moment itself; None: beyond all years."""
    return end if isinstance(end, datetime) else zones.first_moment(end, zones.home_of(parameters))


def ago(span: timedelta, parameters: Parameters) -> str:
    """The moment a span before now; a constant, where `now - span` would be worked out again for every event."""
    if parameters.moment:
        return f"({parameters.moment} - {parameters.bind(span, 'interval')})"
    return parameters.bind(parameters.values["now"] - span, "timestamptz")


def ending(within: Within, parameters: Parameters) -> str | None:
    """The first moment after a fixed window."""
    if not isinstance(within, Period) or within.until is None:
        return None
    if isinstance(within.until, datetime):
        return parameters.bind(within.until, "timestamptz")
    last = within.until == date.max
    return _bound(None if last else starts(within.until + timedelta(days=1), parameters), "infinity", parameters)


def _bound(moment: datetime | None, otherwise: str, parameters: Parameters) -> str:
    return parameters.bind(moment, "timestamptz") if moment else f"'{otherwise}'::timestamptz"


def inside(within: Within, parameters: Parameters, at: str = HAPPENED_AT) -> list[str]:
    """All conditions of the window on a moment."""
    return [found for found in (lower(within, parameters, at), upper(within, parameters, at)) if found]


def lapses(moment_sql: str, within: Within, parameters: Parameters) -> str:
    """When something that happened at a moment leaves the window by itself; NULL: never."""
    if not isinstance(within, timedelta):
        return NOTHING
    return f"{moment_sql} + {parameters.bind(within, 'interval')}"
