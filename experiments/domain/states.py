"""What an experiment may do in which state, and what of it may still change then."""

from __future__ import annotations

from enum import StrEnum

from common.states import States


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

STATES = States(
    "experiment", State, TRANSITIONS, EDITABLE, "Its people were drawn with it; begin another experiment instead."
)
allowed, move, check_editable = STATES.allowed, STATES.move, STATES.check_editable
