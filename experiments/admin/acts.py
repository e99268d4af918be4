"""The buttons of an experiment: one table."""

from __future__ import annotations

from typing import Any

from accounts.acts import Act
from experiments import services
from experiments.domain import states
from experiments.models import Experiment


def _stop(experiment: Experiment, data: dict[str, Any]) -> Experiment:
    winner = experiment.arms.filter(pk=int(data["winner"])).first() if data["winner"] else None
    return services.stop(experiment, winner, "Stopped by hand.", expected_version=data["version"])


ACTS: dict[str, Act[Experiment]] = {
    "start": Act(
        "Start",
        "From now on people are drawn. Arms, shares, seed and namespace are settled then; metrics may still change.",
        "“{name}” runs.",
        lambda experiment, data: services.start(experiment, expected_version=data["version"]),
        style="primary",
    ),
    "stop": Act(
        "Stop",
        "Nobody else is drawn. What people who are in it do within the window still counts.",
        "“{name}” has stopped.",
        _stop,
    ),
    "archive": Act(
        "Archive",
        "It leaves the daily lists, and nothing is counted any more. Its numbers stay.",
        "“{name}” is archived.",
        lambda experiment, data: services.archive(experiment, expected_version=data["version"]),
    ),
}


def offered(experiment: Experiment) -> list[tuple[str, Act[Experiment]]]:
    """The buttons to show."""
    possible = states.allowed(experiment.status)
    return [(name, act) for name, act in ACTS.items() if name in possible]
