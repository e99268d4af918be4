"""Every write of this room."""

from integrations.services.destinations import add_destination, change_destination, delete_destination
from integrations.services.planning import plan, plan_contacts, plan_segment
from integrations.services.pushing import organizations_due, work
from integrations.services.syncs import end_sync, forget_sync, pause_sync, resend_all, resume_sync, start_sync

__all__ = [
    "add_destination",
    "change_destination",
    "delete_destination",
    "end_sync",
    "forget_sync",
    "organizations_due",
    "pause_sync",
    "plan",
    "plan_contacts",
    "plan_segment",
    "resend_all",
    "resume_sync",
    "start_sync",
    "work",
]
