"""Wait until a contact meets a segment rule, or until the time is over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Annotated, Any

import msgspec

from automations import keys
from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import reading, wait
from automations.steps.base import Group, Result, Results, StepKind
from automations.steps.branch import check_rule, phrase_of
from automations.words import span
from segments import rules
from segments import selectors as segments

MET, TIMED_OUT = "met", "timed_out"
EXAMPLE = {"event": "order_completed", "operator": "did"}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule, and how long to wait for it at most."""

    rule: Annotated[dict[str, Any], says("Until the contact meets", type="rule", examples=[EXAMPLE])]
    timeout: Annotated[wait.Configuration, says("At most", type="object", examples=[{"days": 3}])]


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_rule(configuration.rule, "rule", wrong)
    wait.check(
        configuration.timeout,
        lambda field, sentence: wrong(f"timeout.{field}" if field else "timeout", sentence),
    )


def execute(configuration: Configuration, group: Group) -> Results:
    """One question for the whole group. Who meets the rule goes on as met, however late it is found."""
    rule = rules.parse_stored(configuration.rule)
    verdicts = {verdict.contact_id: verdict for verdict in segments.verdicts(rule, group.contact_ids)}
    results, ways = {}, {}
    for run in group.runs:
        verdict = verdicts.get(run.contact_id)
        ends = run.waits_until or group.now + configuration.timeout.span
        if verdict is not None and verdict.is_match:
            ways[run.id] = MET, run.waiting_since is not None
        elif ends <= group.now:
            ways[run.id] = TIMED_OUT, True
        else:
            results[run.id] = Result(wait_until=ends, look_at=verdict.flips_at if verdict else None)
    facts = reading.kept([configuration.rule], {run.contact_id for run in group.runs if run.id in ways})
    return results | {run.id: _into(*ways[run.id], facts.get(run.contact_id)) for run in group.runs if run.id in ways}


def _into(branch: str, has_waited: bool, facts: dict[str, Any] | None) -> Result:
    return Result(StepOutcome.BRANCHED, {"branch": branch, "waited": has_waited} | (facts or {}), branch=branch)


def sentence(configuration: Configuration) -> str:
    return f"Wait until {phrase_of(configuration.rule)}, at most {span(configuration.timeout.span)}"


def wakes(configuration: Configuration) -> Collection[str]:
    return keys.of_rule(rules.parse_stored(configuration.rule))


STEP = StepKind(
    "Wait until",
    "Holds a contact until a segment rule is met; whom it does not come true for in time goes another way.",
    Configuration,
    execute,
    sentence,
    check,
    group="Time",
    branches=(MET, TIMED_OUT),
    branch_labels={MET: "Met", TIMED_OUT: "Not in time"},
    rules=("rule",),
    wakes=wakes,
)
