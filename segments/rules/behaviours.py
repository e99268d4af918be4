"""The table of behaviours: what each takes, its SQL, whom it cannot find, its words.

To add one: write its judgement in judgements.py, give it a row here, a row in tests/test_behaviours.py, and say
what it means in tests/oracle_behaviours.py. Only one that asks the events for something new needs more: rows of
another shape (streams.py).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from common.inputs import Choice
from common.registry import Registry
from segments.rules import judgements
from segments.rules.algebra import Verdict
from segments.rules.amounts import COMPARISONS, holds_of_nothing
from segments.rules.inputs import Input
from segments.rules.judgements import UNITS
from segments.rules.readings import Reading
from segments.rules.streams import Rows
from segments.rules.tree import EventRule, Period

MOST_PERIODS = 31
Problem = tuple[str, str]


def _never(rule: EventRule) -> bool:
    return False


def _always(rule: EventRule) -> bool:
    return True


def _no_problem(rule: EventRule) -> Problem | None:
    return None


@dataclass(frozen=True)
class Behaviour:
    """`inputs` are what stands beside `event` and `operator` in the JSON; forms are made from them.

    `words` are those of the sentence, `words_once` for a count of one. `looks_back`: it reads events from before
    its window. `columns` is how many it takes at most of the one row of a full build, beside two for each of its
    periods. `holds_of_nothing`: contacts without such an event can be found. `problem` is what is wrong with inputs
    that are right each by itself: its place and words.
    """

    label: str
    judge: Callable[[EventRule, Reading], Verdict]
    words: str
    words_once: str = ""
    inputs: tuple[Input, ...] = ()
    rows: Rows = Rows.PLAIN
    looks_back: bool = False
    only_grows: bool = False
    only_counts: bool = False
    columns: int = 3
    holds_of_nothing: Callable[[EventRule], bool] = _never
    problem: Callable[[EventRule], Problem | None] = _no_problem


def _is_silent_inside(rule: EventRule) -> Problem | None:
    return _is_shorter("more_than", rule.more_than, rule)


def _is_decided_inside(rule: EventRule) -> Problem | None:
    return _is_shorter("gap", rule.gap, rule)


def _is_shorter(name: str, span: timedelta, rule: EventRule) -> Problem | None:
    if isinstance(rule.within, timedelta) and span >= rule.within:
        return name, "must be shorter than the window, or nobody is ever found"
    return None


def _fits_periods(rule: EventRule) -> Problem | None:
    if rule.at_least > rule.periods:
        return "at_least", f"expected at most the number of periods ({rule.periods}), got {rule.at_least}"
    return None


def _has_a_before(rule: EventRule) -> Problem | None:
    if isinstance(rule.within, Period) and rule.within.since is None:
        return "within.from", "say when the window begins: what stopped must have happened before it"
    return None


COUNT = Input("count", "whole", "Times", is_required=False, default=1)
WITHIN = Input("within", "window", "Time window", is_required=False)
NEEDED_WITHIN = Input("within", "window", "Time window")
WHERE = Input("where", "filters", "With", is_required=False)
COUNTED = (COUNT, WITHIN, WHERE)
MORE_THAN = Input("more_than", "span", "More than this long ago")
COMPARED = (
    Input(
        "compare",
        "choice",
        "Is",
        choices=tuple(Choice(name, comparison.label) for name, comparison in COMPARISONS.items()),
    ),
    Input("value", "number", "Value", kind="number", pair_when="between"),
    WITHIN,
    WHERE,
)
NUMBER = Input("property", "property", "Property", kind="number")
PROPERTY = Input("property", "property", "Property")
THEN = (Input("then.event", "event", "Then"), Input("then.where", "filters", "Then with", is_required=False))
SEQUENCE = (*THEN, Input("gap", "span", "At most this much later"), WITHIN, WHERE)
PERIODS = (
    Input("periods", "whole", "Periods looked at", default=4),
    Input("unit", "choice", "Length of a period", choices=tuple(Choice(unit, unit) for unit in UNITS)),
    Input("at_least", "whole", "In at least so many of them", default=3),
    WHERE,
)
RHYTHM = (
    Input("count", "whole", "Happened at least so many times", default=3),
    Input("times", "whole", "Silent for so many usual gaps", default=3),
    WHERE,
)
PAUSE = Input("pause", "span", "After a pause of at least")

# A row of PostgreSQL holds 1,664 columns.
MOST_COLUMNS = 1_600

BEHAVIOURS: Registry[Behaviour] = Registry(
    "behaviour",
    {
        "did": Behaviour(
            "Did at least", judgements.did, "{event} happened at least {count} times{window}{filters}",
            "{event} happened{window}{filters}", COUNTED,
            only_grows=True,
            only_counts=True,
        ),
        "did_not": Behaviour(
            "Did fewer than", judgements.did_not, "{event} happened fewer than {count} times{window}{filters}",
            "{event} did not happen{window}{filters}", COUNTED, holds_of_nothing=_always,
            only_counts=True,
        ),
        "did_exactly": Behaviour(
            "Did exactly", judgements.did_exactly, "{event} happened exactly {count} times{window}{filters}",
            "{event} happened exactly once{window}{filters}", COUNTED,
            only_counts=True,
        ),
        "did_at_most": Behaviour(
            "Did at most", judgements.did_at_most, "{event} happened at most {count} times{window}{filters}",
            "{event} happened at most once{window}{filters}", COUNTED, holds_of_nothing=_always,
            only_counts=True,
        ),
        "first_time": Behaviour(
            "Did for the first time", judgements.first_time, "{event}{filters} happened for the first time{window}",
            inputs=(NEEDED_WITHIN, WHERE), looks_back=True,
        ),
        "last_time": Behaviour(
            "Did last", judgements.last_time, "{event}{filters} last happened more than {more_than} ago{window}",
            inputs=(MORE_THAN, WITHIN, WHERE), problem=_is_silent_inside,
            only_counts=True,
        ),
        "sum": Behaviour(
            "Sum of a property", judgements.total, "{property} of {event} adds up to {compared}{window}{filters}",
            inputs=(NUMBER, *COMPARED), holds_of_nothing=holds_of_nothing,
        ),
        "average": Behaviour(
            "Average of a property", judgements.average,
            "{property} of {event} is on average {compared}{window}{filters}", inputs=(NUMBER, *COMPARED), columns=4,
        ),
        "smallest": Behaviour(
            "Smallest of a property", judgements.smallest,
            "the smallest {property} of {event} is {compared}{window}{filters}", inputs=(NUMBER, *COMPARED),
        ),
        "largest": Behaviour(
            "Largest of a property", judgements.largest,
            "the largest {property} of {event} is {compared}{window}{filters}", inputs=(NUMBER, *COMPARED),
        ),
        "distinct": Behaviour(
            "Different values of a property", judgements.distinct,
            "{event} happened with {compared} different values of {property}{window}{filters}",
            inputs=(PROPERTY, *COMPARED), holds_of_nothing=holds_of_nothing,
        ),
        "then": Behaviour(
            "Did, then did", judgements.then,
            "{event}{filters} happened, then {then} within {gap}{window}", inputs=SEQUENCE, rows=Rows.ANSWERED,
            only_grows=True,
        ),
        "then_not": Behaviour(
            "Did, then did not", judgements.then_not,
            "{event}{filters} happened, then no {then} within {gap}{window}",
            inputs=SEQUENCE, rows=Rows.ANSWERED, problem=_is_decided_inside,
        ),
        "regularly": Behaviour(
            "Does regularly", judgements.regularly,
            "{event}{filters} happened in at least {at_least} of the last {periods} {unit}s",
            inputs=PERIODS, problem=_fits_periods,
            only_grows=True,
        ),
        "stopped": Behaviour(
            "Has stopped", judgements.stopped,
            "{event}{filters} happened at least {count} times, then nothing{window}",
            "{event}{filters} happened, then nothing{window}",
            (COUNT, NEEDED_WITHIN, WHERE), looks_back=True, problem=_has_a_before,
        ),
        "restarted": Behaviour(
            "Came back", judgements.restarted,
            "{event}{filters} happened again{window} after a pause of {pause} or more",
            inputs=(PAUSE, WITHIN, WHERE), rows=Rows.RESUMED, looks_back=True,
        ),
        "overdue": Behaviour(
            "Is overdue by its own rhythm", judgements.overdue,
            "{event}{filters} happened at least {count} times, then not for {times} times the contact's usual gap",
            inputs=RHYTHM, rows=Rows.RESUMED, looks_back=True, columns=4,
        ),
    },
)  # fmt: skip


def columns_of(rule: EventRule) -> int:
    """How many columns a rule takes of the one row of a full build, at most."""
    return BEHAVIOURS[rule.operator].columns + 2 * rule.periods
