"""Every write of this room, by noun."""

from experiments.services.assigning import Draw, arms_sql, assign, assign_selected
from experiments.services.control import archive, start, stop
from experiments.services.counting import count_anew, organizations_due, touch, work
from experiments.services.experiments import (
    ArmDraft,
    arms_of,
    create_experiment,
    delete_experiment,
    update_experiment,
)
from experiments.services.exposing import Meeting, expose

__all__ = [
    "ArmDraft",
    "Draw",
    "Meeting",
    "archive",
    "arms_of",
    "arms_sql",
    "assign",
    "assign_selected",
    "count_anew",
    "create_experiment",
    "delete_experiment",
    "expose",
    "organizations_due",
    "start",
    "stop",
    "touch",
    "update_experiment",
    "work",
]
