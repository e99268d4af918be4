"""Several ways by segment rules: the first that holds, otherwise the last."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import reading, ways
from automations.steps.base import Group, Result, Results, StepKind
from automations.steps.branch import OTHERWISE, check_rule, phrase_of
from automations.words import quoted
from segments import selectors as segments

EXAMPLE = [
    {"name": "Large", "rule": {"field": "value_minor", "operator": "greater", "value": 500_000}},
    {"name": "Local", "rule": {"field": "country", "operator": "equals", "value": "GB"}},
]


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, says("Name")]
    rule: Annotated[dict[str, Any], says("Who goes this way", type="rule")]


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """In their order: whoever meets the first rule goes its way, whoever meets none goes `otherwise`."""

    ways: Annotated[list[Way], says("Ways", "The first whose rule holds is taken.", examples=[EXAMPLE])]


def check(configuration: Configuration, wrong: Wrong) -> None:
    ways.check(configuration.ways, wrong, least=1, taken=[OTHERWISE])
    for index, way in enumerate(configuration.ways[: ways.MOST]):
        check_rule(way.rule, f"ways[{index}].rule", wrong)


def execute(configuration: Configuration, group: Group) -> Results:
    """One question for each way, about those who have none yet."""
    taken: dict[int, str] = {}
    for way in configuration.ways:
        rest = [contact_id for contact_id in group.contact_ids if contact_id not in taken]
        if rest:
            taken |= dict.fromkeys(segments.matching(way.rule, rest), way.name)
    facts = reading.kept([way.rule for way in configuration.ways], group.contact_ids)
    return {run.id: _into(taken.get(run.contact_id, OTHERWISE), facts.get(run.contact_id)) for run in group.runs}


def _into(branch: str, facts: dict[str, Any] | None) -> Result:
    return Result(StepOutcome.BRANCHED, {"branch": branch} | (facts or {}), branch=branch)


def sentence(configuration: Configuration) -> str:
    return "By the first that holds: " + "; ".join(
        f"{quoted(way.name)} if {phrase_of(way.rule)}" for way in configuration.ways
    )


STEP = StepKind(
    "Several ways",
    "Sends each contact down the first way whose segment rule holds, everybody else down the last.",
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
