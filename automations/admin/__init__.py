"""This room's admin pages; each module registers its own."""

from automations.admin import alerts, notifications, runs, scheduled, tasks, workflows

__all__ = ["alerts", "notifications", "runs", "scheduled", "tasks", "workflows"]
