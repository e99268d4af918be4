"""Hand contacts to colleagues: to one, or in turn."""

from __future__ import annotations

from collections import defaultdict
from typing import Annotated, Any, Literal

import msgspec
from django.db import connection

from audience import services as audience
from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import members
from automations.steps.base import Group, Result, Results, StepKind
from common import tenancy
from common.errors import Permanent

MOST_MEMBERS = 200

# The row's lock makes two engines take turns; a rolled back step gives its turns back.
TAKE_TURNS_SQL = """
INSERT INTO automations_rotation (organization_id, automation_id, step_id, position)
VALUES (%(organization)s, %(automation)s, %(step)s, %(count)s)
    ON CONFLICT (automation_id, step_id) DO UPDATE SET position = automations_rotation.position + %(count)s
RETURNING position - %(count)s
"""


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`member` with `member_id`, or `round_robin` with `member_ids`."""

    method: Annotated[
        Literal["member", "round_robin"],
        says(
            "How",
            labels={"member": "Always to one colleague", "round_robin": "To several in turn"},
            examples=["round_robin"],
        ),
    ] = "member"
    member_id: Annotated[int | None, says("Colleague", type="member")] = None
    member_ids: Annotated[list[int], says("Colleagues who take turns", type="members", examples=[[3, 4]])] = []


def check(configuration: Configuration, wrong: Wrong) -> None:
    if configuration.method == "member":
        if configuration.member_id is None:
            wrong("member_id", "name the member who gets the contacts")
        else:
            members.check_member(configuration.member_id, "member_id", wrong)
        return
    if not 1 <= len(configuration.member_ids) <= MOST_MEMBERS:
        wrong("member_ids", f"name 1 to {MOST_MEMBERS} members who take turns")
    for index, member_id in enumerate(configuration.member_ids[:MOST_MEMBERS]):
        members.check_member(member_id, f"member_ids[{index}]", wrong)


def execute(configuration: Configuration, group: Group) -> Results:
    """One update per member. Members who have left are passed over; with none left the step is a dead letter."""
    named = [configuration.member_id] if configuration.member_id else configuration.member_ids
    takers = members.active([member_id for member_id in named if member_id])
    if not takers:
        raise Permanent("None of the members of this step has a seat any more; publish it with others.")
    contact_ids = group.contact_ids
    first = _take_turns(group, len(contact_ids)) if len(takers) > 1 else 0
    shares: dict[int, list[int]] = defaultdict(list)
    for turn, contact_id in enumerate(contact_ids, start=first):
        shares[takers[turn % len(takers)]].append(contact_id)
    for member_id, share in sorted(shares.items()):
        audience.update_contacts(share, {"assignee": member_id})
    taken = {contact_id: member_id for member_id, share in shares.items() for contact_id in share}
    return {run.id: Result(StepOutcome.DONE, {"member_id": taken[run.contact_id]}) for run in group.runs}


def _take_turns(group: Group, count: int) -> int:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": group.automation_id,
        "step": group.step_id,
        "count": count,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TAKE_TURNS_SQL, parameters)
        return int(cursor.fetchone()[0])


def sentence(configuration: Configuration) -> str:
    if configuration.method == "member":
        return f"Assign to {members.name(configuration.member_id or 0)}"
    return f"Assign in turn to {', '.join(members.name(member_id) for member_id in configuration.member_ids)}"


STEP = StepKind(
    "Assign",
    "Hands the contact to a colleague, or to several in turn.",
    Configuration,
    execute,
    sentence,
    check,
    group="Colleagues",
)
