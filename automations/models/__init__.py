"""Workflows, the people inside them, work set for later, and work for colleagues."""

from automations.models.counts import RunCount, StepCount
from automations.models.runs import INSIDE, AutomationRun, Rotation, RunStatus, StepOutcome, StepRun
from automations.models.scheduled import ScheduledStatus, ScheduledTask, ScheduleKind
from automations.models.tasks import Notification, Outcome, Task, TaskNote, TaskStatus
from automations.models.workflows import Automation, AutomationAction, AutomationVersion, EntryRule

__all__ = [
    "INSIDE",
    "Automation",
    "AutomationAction",
    "AutomationRun",
    "AutomationVersion",
    "EntryRule",
    "Notification",
    "Outcome",
    "Rotation",
    "RunCount",
    "RunStatus",
    "ScheduleKind",
    "ScheduledStatus",
    "ScheduledTask",
    "StepCount",
    "StepOutcome",
    "StepRun",
    "Task",
    "TaskNote",
    "TaskStatus",
]
