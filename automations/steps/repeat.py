"""Do some steps again and again until a segment rule is met, but not for ever."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import reading
from automations.steps.base import Group, Result, Results, StepKind
from automations.steps.branch import check_rule, phrase_of
from automations.words import counted
from segments import selectors as segments

BODY = "body"
MOST = 100
EXAMPLE = {"event": "order_completed", "operator": "did"}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Asked before each turn, the first too: whoever meets `until` goes on, and so does who had `most` turns."""

    until: Annotated[dict[str, Any], says("Until the contact meets", type="rule", examples=[EXAMPLE])]
    most: Annotated[int, says("Times at most", minimum=1, maximum=MOST, examples=[3])] = 5


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_rule(configuration.until, "until", wrong)
    if not 1 <= configuration.most <= MOST:
        wrong("most", f"must be from 1 to {MOST} turns")


def execute(configuration: Configuration, group: Group) -> Results:
    """One question for the whole group. The engine counts the turns of each run."""
    matching = segments.matching(configuration.until, group.contact_ids)
    facts = reading.kept([configuration.until], group.contact_ids)
    results = {}
    for run in group.runs:
        read = facts.get(run.contact_id, {})
        turns = run.laps.get(group.step_id, 0)
        if run.contact_id in matching:
            results[run.id] = Result(StepOutcome.DONE, {"reason": "met", "turns": turns} | read)
        elif turns >= configuration.most:
            results[run.id] = Result(StepOutcome.DONE, {"reason": "limit", "turns": turns} | read)
        else:
            results[run.id] = Result(StepOutcome.BRANCHED, {"branch": BODY, "turn": turns + 1} | read, branch=BODY)
    return results


def sentence(configuration: Configuration) -> str:
    return f"Repeat until {phrase_of(configuration.until)}, {counted(configuration.most, 'time')} at most"


STEP = StepKind(
    "Repeat until",
    "Does the steps in it again and again until a segment rule is met, or a number of turns is reached.",
    Configuration,
    execute,
    sentence,
    check,
    group="Ways",
    branches=(BODY,),
    branch_labels={BODY: "Each time"},
    rules=("until",),
    repeats=True,
)
