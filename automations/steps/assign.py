"""Hand contacts to colleagues: to one, in turn, or to whoever has least to do."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Literal

import msgspec

from audience import services as audience
from automations import assignees
from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import members
from automations.steps.base import Group, Result, Results, StepKind

METHODS: dict[str, assignees.Method] = {"round_robin": "in_turn", "least_busy": "least_busy"}


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`member` with `member_id`, or `round_robin` or `least_busy` with `member_ids`."""

    method: Annotated[
        Literal["member", "round_robin", "least_busy"],
        says(
            "How",
            labels={
                "member": "Always to one colleague",
                "round_robin": "To several in turn",
                "least_busy": "To whoever of several has least to do",
            },
            examples=["round_robin"],
        ),
    ] = "member"
    member_id: Annotated[int | None, says("Colleague", type="member")] = None
    member_ids: Annotated[list[int], says("Colleagues who share the work", type="members", examples=[[3, 4]])] = []


def check(configuration: Configuration, wrong: Wrong) -> None:
    if configuration.method == "member":
        if configuration.member_id is None:
            wrong("member_id", "name the member who gets the contacts")
        else:
            members.check_member(configuration.member_id, "member_id", wrong)
        return
    members.check_team(configuration.member_ids, "member_ids", wrong)


def execute(configuration: Configuration, group: Group) -> Results:
    """One update per member. Members who have left are passed over; with none left the step is a dead letter."""
    contact_ids = group.contact_ids
    is_team = configuration.method in METHODS
    team = configuration.member_ids if is_team else [configuration.member_id or 0]
    method = METHODS.get(configuration.method, "in_turn")
    takers = assignees.take(method, team, len(contact_ids), automation_id=group.automation_id, step_id=group.step_id)
    shares: dict[int, list[int]] = defaultdict(list)
    for contact_id, member_id in zip(contact_ids, takers, strict=True):
        shares[member_id].append(contact_id)
    for member_id, share in sorted(shares.items()):
        audience.update_contacts(share, {"assignee": member_id})
    taken = dict(zip(contact_ids, takers, strict=True))
    return {run.id: Result(StepOutcome.DONE, {"member_id": taken[run.contact_id]}) for run in group.runs}


def sentence(configuration: Configuration) -> str:
    if configuration.method == "member":
        return f"Assign to {members.name(configuration.member_id or 0)}"
    how = "in turn to" if configuration.method == "round_robin" else "to the least busy of"
    return f"Assign {how} {members.names(configuration.member_ids)}"


STEP = StepKind(
    "Assign",
    "Hands the contact to a colleague, to several in turn, or to the one of them with least to do.",
    Configuration,
    execute,
    sentence,
    check,
    group="Colleagues",
)
