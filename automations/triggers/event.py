"""A contact did something, or a message did something to them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Protocol

import msgspec

from automations.configuration import Filter, Wrong, says
from automations.triggers.base import Happening, TriggerKind
from common import clock
from common.errors import Invalid
from segments import rules
from segments.rules.sentences import phrase


def key_of(name: str) -> str:
    """What an event of this name is listened to by."""
    return f"event:{name}"


class Dated(Protocol):
    """A trigger on events, of which old ones start nothing."""

    @property
    def within_hours(self) -> int: ...


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`where` are property filters as segment rules spell them. Events older than `within_hours` start nothing,
    so that an import of history does not write to everybody in it."""

    name: Annotated[str, says("Event", type="event", examples=["order_completed"])]
    where: Annotated[
        list[dict[str, Any]],
        says(
            "Only when",
            type="rules_where",
            examples=[[{"property": "total", "operator": "greater", "value": 100}]],
        ),
    ] = []
    within_hours: Annotated[
        int,
        says(
            "Not older than, hours",
            "Older events, such as an import of history, start nothing.",
            minimum=1,
            maximum=8784,
        ),
    ] = 24
    filter: Filter = None


def as_rule(configuration: Configuration) -> dict[str, Any]:
    """The event condition as a segment rule."""
    return {"event": configuration.name, "operator": "did", "where": configuration.where}


def admits(configuration: Dated, happening: Happening) -> bool:
    """Whether the event is young enough."""
    happened_at = datetime.fromisoformat(happening.facts["event"]["happened_at"])
    return happened_at > clock.now() - timedelta(hours=configuration.within_hours)


def check_age(within_hours: int, wrong: Wrong) -> None:
    """Report an age that no event may have."""
    if not 1 <= within_hours <= 24 * 366:
        wrong("within_hours", "must be from 1 to 8,784 hours (a year)")


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_age(configuration.within_hours, wrong)
    try:
        rules.parse(as_rule(configuration))
    except Invalid as error:
        for place, sentence in error.details.items():
            wrong("name" if place == "event" else place, sentence)


def sentence(configuration: Configuration) -> str:
    try:
        return f"When {phrase(rules.parse_stored(as_rule(configuration)))}"
    except Invalid as error:
        return f"When {configuration.name} happened (its filters do not fit any more: {error.message})"


TRIGGER = TriggerKind(
    "Event happened",
    "Starts when a contact does something, if wanted only with certain properties.",
    Configuration,
    key=lambda configuration: key_of(configuration.name),
    sentence=sentence,
    admits=admits,
    check=check,
    group="Behaviour",
)
