"""If … then … otherwise, by a segment rule."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import reading
from automations.steps.base import Group, Result, Results, StepKind
from common.errors import Invalid
from segments import rules
from segments import selectors as segments
from segments.rules.sentences import phrase

THEN, OTHERWISE = "then", "otherwise"


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    rule: Annotated[
        dict[str, Any],
        says(
            "Who goes the first way",
            type="rule",
            examples=[{"field": "country", "operator": "equals", "value": "GB"}],
        ),
    ]


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_rule(configuration.rule, "rule", wrong)


def check_rule(rule: dict[str, Any], field: str, wrong: Wrong) -> None:
    """Report every problem of a segment rule under `field`."""
    try:
        rules.parse(rule)
    except Invalid as error:
        for place, sentence in error.details.items():
            wrong(field if place == "rule" else f"{field}.{place}", sentence)


def phrase_of(rule: dict[str, Any]) -> str:
    """A stored segment rule as part of a step's sentence."""
    try:
        return str(phrase(rules.parse_stored(rule)))
    except Invalid as error:
        return f"a rule that does not fit any more ({error.message})"


def execute(configuration: Configuration, group: Group) -> Results:
    """One question to the rule compiler for the whole group."""
    matching = segments.matching(configuration.rule, group.contact_ids)
    facts = reading.kept([configuration.rule], group.contact_ids)
    ways = {True: THEN, False: OTHERWISE}
    return {run.id: _into(ways[run.contact_id in matching], facts.get(run.contact_id)) for run in group.runs}


def _into(branch: str, facts: dict[str, Any] | None) -> Result:
    return Result(StepOutcome.BRANCHED, {"branch": branch} | (facts or {}), branch=branch)


def sentence(configuration: Configuration) -> str:
    return f"If {phrase_of(configuration.rule)}"


STEP = StepKind(
    "If / otherwise",
    "Sends contacts who meet a segment rule down one branch, everybody else down the other.",
    Configuration,
    execute,
    sentence,
    check,
    group="Ways",
    branches=(THEN, OTHERWISE),
    rules=("rule",),
)
