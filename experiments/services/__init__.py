"""Every write of this room, by noun."""

from experiments.services.assigning import Draw, arms_sql, assign, assign_selected
from experiments.services.control import archive, start, stop
from experiments.services.counting import count_anew, organizations_due, touch, work
from experiments.services.deciding import allot, decide_everywhere, name_winner
from experiments.services.experiments import (
    ArmDraft,
    arms_of,
    create_experiment,
    delete_experiment,
    update_experiment,
)
from experiments.services.exposing import Meeting, expose
from experiments.services.reserve import set_reserve

__all__ = [
    "ArmDraft",
    "Draw",
    "Meeting",
    "allot",
    "archive",
    "arms_of",
    "arms_sql",
    "assign",
    "assign_selected",
    "count_anew",
    "create_experiment",
    "decide_everywhere",
    "delete_experiment",
    "expose",
    "name_winner",
    "organizations_due",
    "set_reserve",
    "start",
    "stop",
    "touch",
    "update_experiment",
    "work",
]
