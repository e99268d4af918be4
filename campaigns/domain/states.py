"""What a campaign may do in which state: the one table that services, buttons and the API read."""

from __future__ import annotations

from enum import StrEnum

from common.states import States


class State(StrEnum):
    PROPOSED = "proposed"
    DRAFT = "draft"
    SCHEDULED = "scheduled"
    ACTIVE = "active"
    PAUSED = "paused"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    ARCHIVED = "archived"


# action → the states it starts from, and where it leads
TRANSITIONS: dict[str, dict[State, State]] = {
    "approve": {State.PROPOSED: State.ACTIVE},
    "decline": {State.PROPOSED: State.CANCELLED},
    "launch": {State.DRAFT: State.ACTIVE},
    "schedule": {State.DRAFT: State.SCHEDULED, State.SCHEDULED: State.SCHEDULED},
    "unschedule": {State.SCHEDULED: State.DRAFT},
    "start": {State.SCHEDULED: State.ACTIVE},
    "pause": {State.ACTIVE: State.PAUSED},
    "resume": {State.PAUSED: State.ACTIVE},
    "complete": {State.ACTIVE: State.COMPLETED},
    "cancel": {State.SCHEDULED: State.CANCELLED, State.ACTIVE: State.CANCELLED, State.PAUSED: State.CANCELLED},
    "archive": {
        State.DRAFT: State.ARCHIVED,
        State.COMPLETED: State.ARCHIVED,
        State.CANCELLED: State.ARCHIVED,
    },
}
# What only the worker does; nobody is offered it.
WORKER_ACTIONS = frozenset({"start"})

ALWAYS = frozenset({"name", "description", "cost_minor"})
RUNNING = ALWAYS | {"ends_at", "messages_per_minute", "message_cost_minor", "budget_minor"}
EVERYTHING = RUNNING | {
    "template_id", "sender_id", "topic_id", "utm_campaign", "weight", "shelf_hours", "holdout_percent", "audience",
    "offers", "starts_at", "timing", "local_time", "passed_zones", "recurrence",
    "experiment_id", "test_percent", "test_hours", "arms",
}  # fmt: skip
# state → the fields that may still change; who and what are settled at launch
EDITABLE: dict[State, frozenset[str]] = {
    # Who is in it was found and drawn already, and it goes out when it is approved.
    State.PROPOSED: RUNNING
    | {"template_id", "sender_id", "topic_id", "utm_campaign", "weight", "shelf_hours", "offers"},
    State.DRAFT: EVERYTHING,
    State.SCHEDULED: RUNNING,
    State.ACTIVE: RUNNING,
    State.PAUSED: RUNNING,
    State.COMPLETED: ALWAYS,
    State.CANCELLED: ALWAYS,
    State.ARCHIVED: frozenset(),
}
# An app may report a view while the offer stands, and a conversion that happened under it also afterwards.
OPEN_FOR_VIEWS = frozenset({State.ACTIVE})
OPEN_FOR_CONVERSIONS = frozenset({State.ACTIVE, State.PAUSED, State.COMPLETED})

STATES = States("campaign", State, TRANSITIONS, EDITABLE, "Duplicate it to start afresh.", hidden=WORKER_ACTIONS)
allowed, move, check_editable = STATES.allowed, STATES.move, STATES.check_editable
