"""Every write of this room, by noun."""

from automations.services.automations import (
    activate,
    create_automation,
    deactivate,
    delete_automation,
    start,
    update_automation,
)
from automations.services.drafts import begin, discard_draft, read_draft, save_draft
from automations.services.files import import_file
from automations.services.leaving import stop
from automations.services.letters import dismiss, replay
from automations.services.migration import Mode
from automations.services.scheduled import process_due, reschedule, retry, run_now, schedule, unschedule
from automations.services.tasks import (
    add_note,
    create_task,
    delete_task,
    finish,
    read_notifications,
    reassign,
    reopen,
    snooze,
    update_task,
)
from automations.services.versions import preview, publish, release

__all__ = [
    "Mode",
    "activate",
    "add_note",
    "begin",
    "create_automation",
    "create_task",
    "deactivate",
    "delete_automation",
    "delete_task",
    "discard_draft",
    "dismiss",
    "finish",
    "import_file",
    "preview",
    "process_due",
    "publish",
    "read_draft",
    "read_notifications",
    "reassign",
    "release",
    "reopen",
    "replay",
    "reschedule",
    "retry",
    "run_now",
    "save_draft",
    "schedule",
    "snooze",
    "start",
    "stop",
    "unschedule",
    "update_automation",
    "update_task",
]
