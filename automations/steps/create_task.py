"""A to-do for a colleague about the contact."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from django.db import connection

from audience.models import Priority
from automations import assignees, days
from automations.configuration import Wrong, says
from automations.steps import members
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import counted, quoted
from common import tenancy

LONGEST_TITLE = 300
LONGEST_TYPE = 60
MOST_DAYS = 3660


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`due_date` is a date (`2027-01-31`, or a moment whose date counts) or a number of days after the step.
    It goes to the member `assignee_id` or, without one, to the contact's assignee; with `in_turn` or `least_busy`
    to one of `member_ids`."""

    title: Annotated[str, says("Title", examples=["Call about the trial"])]
    task_type: Annotated[str, says("Kind of task")] = "follow_up"
    description: Annotated[str, says("Description", type="long_text")] = ""
    due_date: Annotated[
        str | int | None,
        says(
            "Due",
            "A number of days after the step, such as 2, or a date, such as 2027-01-31.",
            type="day",
            examples=[2],
        ),
    ] = None
    assign_to: Annotated[
        Literal["assignee", "member", "in_turn", "least_busy"],
        says(
            "For",
            labels={
                "assignee": "The contact's assignee",
                "member": "Always the same colleague",
                "in_turn": "Several in turn",
                "least_busy": "Whoever of several has least to do",
            },
        ),
    ] = "assignee"
    assignee_id: Annotated[int | None, says("Colleague", "Named, it goes to them.", type="member")] = None
    member_ids: Annotated[list[int], says("Colleagues who share the work", type="members")] = []
    priority: Annotated[str, says("Priority", type="choice", labels=dict(Priority.choices))] = "medium"


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.title.strip() or len(configuration.title) > LONGEST_TITLE:
        wrong("title", f"must be 1 to {LONGEST_TITLE} characters")
    if not configuration.task_type.strip() or len(configuration.task_type) > LONGEST_TYPE:
        wrong("task_type", f"must be 1 to {LONGEST_TYPE} characters")
    if configuration.priority not in Priority.values:
        wrong("priority", f"must be one of {', '.join(Priority.values)}")
    if configuration.assign_to in ("in_turn", "least_busy"):
        members.check_team(configuration.member_ids, "member_ids", wrong)
    elif configuration.assignee_id is not None:
        members.check_member(configuration.assignee_id, "assignee_id", wrong)
    elif configuration.assign_to == "member":
        wrong("assignee_id", "name the member who gets the task")
    _check_due(configuration.due_date, wrong)


def _check_due(due: str | int | None, wrong: Wrong) -> None:
    if isinstance(due, int) and not 0 <= due <= MOST_DAYS:
        wrong("due_date", f"as a number of days must be from 0 to {MOST_DAYS:,}")
    if isinstance(due, str):
        try:
            datetime.fromisoformat(due)
        except ValueError:
            wrong("due_date", 'must be a date such as "2027-01-31", or a number of days after the step')


def due_date(due: str | int | None, now: datetime) -> date | None:
    """The day a task is due, in the organisation's zone."""
    if due is None:
        return None
    if isinstance(due, int):
        return days.today(now) + timedelta(days=due)
    moment = datetime.fromisoformat(due)
    return moment.astimezone(days.zone()).date() if moment.tzinfo else moment.date()


# A model's object for each task would take three times as long.
CREATE_SQL = """
INSERT INTO automations_task
       (organization_id, contact_id, assignee_id, source_key, title, description, task_type, priority, due_date,
        status, outcome, automation_id, created_at)
SELECT %(organization)s, made.contact_id, made.assignee_id, made.source_key, %(title)s, %(description)s, %(type)s,
       %(priority)s, %(due)s::date, 'open', '', %(automation)s, %(now)s
  FROM unnest(%(contacts)s::bigint[], %(assignees)s::bigint[], %(keys)s::text[])
       AS made(contact_id, assignee_id, source_key)
    ON CONFLICT (organization_id, source_key) DO NOTHING
"""


def execute(configuration: Configuration, group: Group) -> Results:
    """One insert for the whole group; the key makes a second try write nothing."""
    due = due_date(configuration.due_date, group.now)
    takers = _takers(configuration, group)
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "contacts": [run.contact_id for run in group.runs],
        "assignees": [takers.get(run.contact_id) for run in group.runs],
        "keys": [group.key(run) for run in group.runs],
        "title": configuration.title,
        "description": configuration.description,
        "type": configuration.task_type,
        "priority": configuration.priority,
        "due": due,
        "automation": group.automation_id,
        "now": group.now,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CREATE_SQL, parameters)
    return ALL_DONE


def _takers(configuration: Configuration, group: Group) -> Mapping[int, int]:
    """contact id → member id; a contact that is not named has nobody yet, and the task is up for grabs."""
    contact_ids = group.contact_ids
    if configuration.assign_to in ("in_turn", "least_busy"):
        taken = assignees.take(
            configuration.assign_to,
            configuration.member_ids,
            len(contact_ids),
            automation_id=group.automation_id,
            step_id=group.step_id,
        )
        return dict(zip(contact_ids, taken, strict=True))
    if configuration.assignee_id is not None:
        seats = members.active([configuration.assignee_id])
        return dict.fromkeys(contact_ids, seats[0]) if seats else {}
    return members.assignees(contact_ids)


def sentence(configuration: Configuration) -> str:
    text = f"Create the task {quoted(configuration.title)} {_for_whom(configuration)}"
    if isinstance(configuration.due_date, int):
        when = f"{counted(configuration.due_date, 'day')} later" if configuration.due_date else "the same day"
        return f"{text}, due {when}"
    return f"{text}, due {configuration.due_date}" if configuration.due_date else text


def _for_whom(configuration: Configuration) -> str:
    if configuration.assign_to == "in_turn":
        return f"in turn for {members.names(configuration.member_ids)}"
    if configuration.assign_to == "least_busy":
        return f"for the least busy of {members.names(configuration.member_ids)}"
    return f"for {members.name(configuration.assignee_id)}" if configuration.assignee_id else "for the assignee"


STEP = StepKind(
    "Create task", "Puts a to-do on a colleague's list.", Configuration, execute, sentence, check, group="Colleagues"
)
