"""The way that promises most for a contact, learnt from what the ways led to.

Thompson sampling (Thompson 1933): each way that the contact may go draws a goal rate from what is known of it, Beta
with one success and one failure assumed at first, times what its goal is worth; the greatest draw wins. So a way is
tried as often as it may still be the best.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Annotated, Any

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.selectors import ways as known
from automations.selectors.ways import Record
from automations.steps import reading, ways
from automations.steps.base import Group, Result, Results, StepKind
from automations.steps.branch import OTHERWISE, check_rule
from automations.words import counted, quoted
from segments import selectors as segments

MOST_DAYS = 365
MOST_WORTH = 10**9
EXAMPLE = [
    {"name": "Call", "rule": {"field": "phone", "operator": "is_set"}, "worth": 3},
    {"name": "Mail", "worth": 1},
]


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, says("Name")]
    rule: Annotated[dict[str, Any] | None, says("Who may go this way", "Left empty: everybody.", type="rule")] = None
    worth: Annotated[float, says("Worth of the goal", "Against the other ways.", minimum=0)] = 1


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What counts is whether the run reached the workflow's goal. Without a goal the draw stays open for ever."""

    ways: Annotated[list[Way], says("Ways", "Learnt from who reached the workflow's goal.", examples=[EXAMPLE])]
    rest_days: Annotated[int, says("Not the same again within days", minimum=0, maximum=MOST_DAYS, examples=[14])] = (
        14
    )


def check(configuration: Configuration, wrong: Wrong) -> None:
    ways.check(configuration.ways, wrong, least=2, taken=[OTHERWISE])
    if not 0 <= configuration.rest_days <= MOST_DAYS:
        wrong("rest_days", f"must be from 0 to {MOST_DAYS}")
    for index, way in enumerate(configuration.ways[: ways.MOST]):
        if way.rule is not None:
            check_rule(way.rule, f"ways[{index}].rule", wrong)
        if not 0 < way.worth <= MOST_WORTH:
            wrong(f"ways[{index}].worth", f"must be more than 0 and at most {MOST_WORTH:,}")


def execute(configuration: Configuration, group: Group) -> Results:
    """One question for each rule, one about the last days, one about what is known; then a draw for each run."""
    records = known.outcomes(group.automation_id, group.step_id, group.now)
    since = group.now - timedelta(days=configuration.rest_days)
    had = known.lately(group.automation_id, group.step_id, group.contact_ids, since)
    open_to = {
        way.name: None if way.rule is None else segments.matching(way.rule, group.contact_ids)
        for way in configuration.ways
    }
    facts = reading.kept([way.rule for way in configuration.ways if way.rule is not None], group.contact_ids)
    results = {}
    for run in group.runs:
        among = [
            way
            for way in configuration.ways
            if (allowed := open_to[way.name]) is None or run.contact_id in allowed
            if way.name not in had.get(run.contact_id, ())
        ]
        # The same again when it is tried again; no secret.
        chosen = _choose(among, records, Random(group.key(run)))  # noqa: S311
        results[run.id] = replace(chosen, detail=chosen.detail | facts.get(run.contact_id, {}))
    return results


def _choose(among: list[Way], records: dict[str, Record], chance: Random) -> Result:
    if not among:
        return _into(OTHERWISE, "No way is open to this contact now.", {})
    drawn = {}
    for way in among:
        record = records.get(way.name, Record())
        drawn[way.name] = way.worth * chance.betavariate(1 + record.reached, 1 + record.tried - record.reached)
    best = max(drawn, key=drawn.__getitem__)
    record = records.get(best, Record())
    reason = f"“{best}” reached the goal for {record.reached:,} of {record.tried:,}; best of {len(among)} draws."
    return _into(best, reason, {name: round(value, 4) for name, value in drawn.items()})


def _into(branch: str, reason: str, drawn: dict[str, float]) -> Result:
    return Result(StepOutcome.BRANCHED, {"branch": branch, "reason": reason, "draws": drawn}, branch=branch)


def sentence(configuration: Configuration) -> str:
    names = ", ".join(quoted(way.name) for way in configuration.ways)
    text = f"Whichever promises most of {names}"
    return f"{text}, none twice within {counted(configuration.rest_days, 'day')}" if configuration.rest_days else text


STEP = StepKind(
    "Next best action",
    "Sends each contact down the way that promises most, as the goals of those before them have shown.",
    Configuration,
    execute,
    sentence,
    check,
    group="Ways",
    branches=(OTHERWISE,),
    branches_of=lambda configuration: ways.names(configuration.ways, [OTHERWISE]),
    branches_from="ways",
    rules=("ways[].rule",),
)
