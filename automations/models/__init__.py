"""Workflows, the people inside them, work set for later, and work for colleagues."""

from automations.models.alerts import Alert, AlertKind, AlertReader, WatchSettings
from automations.models.counts import RunCount, StepCount
from automations.models.runs import INSIDE, AutomationRun, ExitReason, Rotation, RunStatus, StepOutcome, StepRun
from automations.models.scheduled import ScheduledStatus, ScheduledTask, ScheduledTry, ScheduleKind
from automations.models.simulations import Simulation, SimulationStatus
from automations.models.tasks import Notification, Outcome, Task, TaskNote, TaskStatus
from automations.models.turns import TriggerTurn
from automations.models.workflows import (
    Automation,
    AutomationAction,
    AutomationVersion,
    AutomationWatch,
    EntryRule,
    ErrorPolicy,
)

__all__ = [
    "INSIDE",
    "Alert",
    "AlertKind",
    "AlertReader",
    "Automation",
    "AutomationAction",
    "AutomationRun",
    "AutomationVersion",
    "AutomationWatch",
    "EntryRule",
    "ErrorPolicy",
    "ExitReason",
    "Notification",
    "Outcome",
    "Rotation",
    "RunCount",
    "RunStatus",
    "ScheduleKind",
    "ScheduledStatus",
    "ScheduledTask",
    "ScheduledTry",
    "Simulation",
    "SimulationStatus",
    "StepCount",
    "StepOutcome",
    "StepRun",
    "Task",
    "TaskNote",
    "TaskStatus",
    "TriggerTurn",
    "WatchSettings",
]
