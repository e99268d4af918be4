"""Every write of this room."""

from attribution.services.costs import (
    CostDraft,
    ImportReport,
    change_cost,
    delete_cost,
    import_costs,
    save_cost,
)
from attribution.services.credits import organizations_due, work
from attribution.services.goals import delete_goal, ensure_default_goals, save_goal
from attribution.services.recording import follow_merges, recompute, record_events
from attribution.services.touchpoints import add_offline

__all__ = [
    "CostDraft",
    "ImportReport",
    "add_offline",
    "change_cost",
    "delete_cost",
    "delete_goal",
    "ensure_default_goals",
    "follow_merges",
    "import_costs",
    "organizations_due",
    "recompute",
    "record_events",
    "save_cost",
    "save_goal",
    "work",
]
