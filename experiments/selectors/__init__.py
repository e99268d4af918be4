"""What others read of this room."""

from experiments.selectors.arms import Decision, decide, features
from experiments.selectors.people import reserved_people
from experiments.selectors.planning import Plan, plan
from experiments.selectors.reading import ReadOut, lift_over_time, read_out

__all__ = [
    "Decision",
    "Plan",
    "ReadOut",
    "decide",
    "features",
    "lift_over_time",
    "plan",
    "read_out",
    "reserved_people",
]
