"""This room's admin pages; each module registers its own."""

from automations.admin import notifications, runs, scheduled, tasks, workflows

__all__ = ["notifications", "runs", "scheduled", "tasks", "workflows"]
