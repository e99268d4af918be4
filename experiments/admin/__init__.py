"""Pages for marketers: experiments, their read-outs, the people in them, and the reserve."""

from experiments.admin.experiments import ExperimentAdmin
from experiments.admin.people import AssignmentAdmin, ReserveAdmin

__all__ = ["AssignmentAdmin", "ExperimentAdmin", "ReserveAdmin"]
