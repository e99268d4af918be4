"""What an experiment may do in which state, and what of it may still change then."""

from __future__ import annotations

from enum import StrEnum

from common.errors import Conflict


class State(StrEnum):
    DRAFT = "draft"
    RUNNING = "running"
    STOPPED = "stopped"
    ARCHIVED = "archived"


# action → the states it starts from, and where it leads
TRANSITIONS: dict[str, dict[State, State]] = {
    "start": {State.DRAFT: State.RUNNING},
    "stop": {State.RUNNING: State.STOPPED},
    "archive": {State.DRAFT: State.ARCHIVED, State.STOPPED: State.ARCHIVED},
}
ALWAYS = frozenset({"name", "hypothesis"})
# What is counted may change while it runs: everybody is counted anew. Who gets what may not, but more may take part.
RUNNING = ALWAYS | {"metrics", "winner_rule", "coverage"}
EVERYTHING = RUNNING | {
    "key", "unit", "seed", "namespace", "namespace_start", "namespace_end", "allocation", "arms",
}  # fmt: skip
EDITABLE: dict[State, frozenset[str]] = {
    State.DRAFT: EVERYTHING,
    State.RUNNING: RUNNING,
    State.STOPPED: ALWAYS | {"metrics"},
    State.ARCHIVED: frozenset(),
}


def allowed(state: str) -> list[str]:
    """The actions open in this state, in the order of the table."""
    return [action for action, moves in TRANSITIONS.items() if State(state) in moves]


def move(state: str, action: str) -> State:
    """The state that `action` leads to. Raises `Conflict` naming what is possible instead."""
    target = TRANSITIONS[action].get(State(state))
    if target is not None:
        return target
    possible = ", ".join(allowed(state)) or "nothing"
    raise Conflict(
        f"You cannot {action} an experiment that is {state}; possible now: {possible}.",
        code="state_forbids",
        details={"status": state, "allowed": allowed(state)},
    )


def check_editable(state: str, fields: set[str]) -> None:
    """Raises `Conflict` naming the fields that are settled in this state."""
    settled = sorted(fields - EDITABLE[State(state)])
    if settled:
        names = ", ".join(field.replace("_", " ") for field in settled)
        raise Conflict(
            f"The experiment is {state}, so its {names} cannot change any more; its people were drawn with it. "
            "Begin another experiment instead.",
            code="state_forbids",
            details=dict.fromkeys(settled, f"Settled while the experiment is {state}."),
        )
