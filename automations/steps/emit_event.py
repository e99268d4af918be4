"""Record an event of the contact, for segments, goals, other workflows and whoever listens."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from audience import services as audience
from audience.services import InternalEvent
from automations.configuration import Wrong, says
from automations.steps.base import ALL_DONE, Group, Results, StepKind
from automations.words import quoted

LONGEST_NAME = 200
MOST_PROPERTIES = 50


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, says("Event", type="event", examples=["trial_nurtured"])]
    properties: Annotated[
        dict[str, Any], says("Properties", "An object, such as {\"plan\": \"pro\"}.", examples=[{"plan": "pro"}])
    ] = {}  # fmt: skip


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.name.strip() or len(configuration.name) > LONGEST_NAME:
        wrong("name", f"must be 1 to {LONGEST_NAME} characters")
    if len(configuration.properties) > MOST_PROPERTIES:
        wrong("properties", f"at most {MOST_PROPERTIES} properties")
    for name in configuration.properties:
        if name in ("automation_id", "message_id"):
            wrong(f"properties.{name}", "is written by us; choose another name")


def execute(configuration: Configuration, group: Group) -> Results:
    """One batch of events for the whole group; their ids make a second try count nothing."""
    audience.record(
        [
            InternalEvent(
                contact_id=run.contact_id,
                name=configuration.name.strip(),
                happened_at=group.now,
                message_id=group.key(run),
                properties=configuration.properties | {"automation_id": group.automation_id},
                context={"automation_id": group.automation_id, "run_id": run.id},
            )
            for run in group.runs
        ]
    )
    return ALL_DONE


def sentence(configuration: Configuration) -> str:
    text = f"Record the event {quoted(configuration.name)}"
    told = ", ".join(f"{name} {quoted(str(value))}" for name, value in configuration.properties.items())
    return f"{text} with {told}" if told else text


STEP = StepKind(
    "Emit event",
    "Records an event of the contact, on which segments, goals and other workflows may act.",
    Configuration,
    execute,
    sentence,
    check,
    group="Elsewhere",
)
