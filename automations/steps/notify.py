"""Tell a colleague, in the admin."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from automations.configuration import Wrong, says
from automations.models import Notification
from automations.steps import members
from automations.steps.base import DONE, Group, Results, StepKind, skipped
from automations.words import quoted

LONGEST = 1000


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`to` is the contact's assignee, or the member `member_id`."""

    message: Annotated[str, says("Message", type="long_text", examples=["Somebody asked for a call."])]
    to: Annotated[
        Literal["assignee", "member"],
        says(
            "To whom", labels={"assignee": "The contact's assignee", "member": "One colleague"}, examples=["assignee"]
        ),
    ] = "assignee"
    member_id: Annotated[int | None, says("Colleague", type="member")] = None


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.message.strip() or len(configuration.message) > LONGEST:
        wrong("message", f"must be 1 to {LONGEST:,} characters")
    if configuration.to == "member" and configuration.member_id is None:
        wrong("member_id", "name the member who is told")
    if configuration.member_id is not None:
        members.check_member(configuration.member_id, "member_id", wrong)


def execute(configuration: Configuration, group: Group) -> Results:
    """One insert for the whole group; contacts without an assignee are passed over."""
    told = _told(configuration, group)
    Notification.objects.bulk_create(
        [
            Notification(
                member_id=told[run.contact_id],
                contact_id=run.contact_id,
                automation_id=group.automation_id,
                message=configuration.message,
                source_key=group.key(run),
                created_at=group.now,
            )
            for run in group.runs
            if run.contact_id in told
        ],
        ignore_conflicts=True,
    )
    nobody = skipped("Nobody is assigned to this contact.")
    return {run.id: DONE if run.contact_id in told else nobody for run in group.runs}


def _told(configuration: Configuration, group: Group) -> dict[int, int]:
    if configuration.to == "assignee":
        return members.assignees(group.contact_ids)
    member_id = configuration.member_id or 0
    if not members.active([member_id]):
        return {}
    return dict.fromkeys(group.contact_ids, member_id)


def sentence(configuration: Configuration) -> str:
    whom = "the assignee" if configuration.to == "assignee" else members.name(configuration.member_id or 0)
    return f"Tell {whom}: {quoted(configuration.message)}"


STEP = StepKind(
    "Notify a colleague",
    "Leaves a notification in the admin.",
    Configuration,
    execute,
    sentence,
    check,
    group="Colleagues",
)
