"""A to-do for a colleague about the contact."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from accounts.models import Organization
from audience.models import Priority
from automations.configuration import Wrong, says
from automations.models import Task
from automations.steps import members
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import counted, quoted
from common import tenancy

LONGEST_TITLE = 300
LONGEST_TYPE = 60
MOST_DAYS = 3660


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`due_date` is a date (`2027-01-31`, or a moment whose date counts) or a number of days after the step.
    Without `assignee_id` the task goes to the contact's assignee."""

    title: Annotated[str, says("Title", examples=["Call about the trial"])]
    task_type: Annotated[str, says("Kind of task")] = "follow_up"
    description: Annotated[str, says("Description", type="long_text")] = ""
    due_date: Annotated[
        str | int | None,
        says(
            "Due",
            'A number of days after the step, such as 2, or a date, such as "2027-01-31".',
            type="json",
            examples=[2],
        ),
    ] = None
    assignee_id: Annotated[int | None, says("For", "Left empty: the contact's assignee.", type="member")] = None
    priority: Annotated[str, says("Priority", type="choice", labels=dict(Priority.choices))] = "medium"


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.title.strip() or len(configuration.title) > LONGEST_TITLE:
        wrong("title", f"must be 1 to {LONGEST_TITLE} characters")
    if not configuration.task_type.strip() or len(configuration.task_type) > LONGEST_TYPE:
        wrong("task_type", f"must be 1 to {LONGEST_TYPE} characters")
    if configuration.priority not in Priority.values:
        wrong("priority", f"must be one of {', '.join(Priority.values)}")
    if configuration.assignee_id is not None:
        members.check_member(configuration.assignee_id, "assignee_id", wrong)
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
    zone = ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)
    if isinstance(due, int):
        return now.astimezone(zone).date() + timedelta(days=due)
    moment = datetime.fromisoformat(due)
    return moment.astimezone(zone).date() if moment.tzinfo else moment.date()


def execute(configuration: Configuration, group: Group) -> Results:
    """One insert for the whole group; the key makes a second try write nothing."""
    due = due_date(configuration.due_date, group.now)
    fallback = {} if configuration.assignee_id else members.assignees(group.contact_ids)
    Task.objects.bulk_create(
        [
            Task(
                contact_id=run.contact_id,
                title=configuration.title,
                description=configuration.description,
                task_type=configuration.task_type,
                priority=configuration.priority,
                due_date=due,
                assignee_id=configuration.assignee_id or fallback.get(run.contact_id),
                automation_id=group.automation_id,
                source_key=group.key(run),
                created_at=group.now,
            )
            for run in group.runs
        ],
        ignore_conflicts=True,
    )
    return ALL_DONE


def sentence(configuration: Configuration) -> str:
    text = f"Create the task {quoted(configuration.title)}"
    text += f" for {members.name(configuration.assignee_id)}" if configuration.assignee_id else " for the assignee"
    if isinstance(configuration.due_date, int):
        return f"{text}, due {counted(configuration.due_date, 'day')} later"
    return f"{text}, due {configuration.due_date}" if configuration.due_date else text


STEP = StepKind(
    "Create task", "Puts a to-do on a colleague's list.", Configuration, execute, sentence, check, group="Colleagues"
)
