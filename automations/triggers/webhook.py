"""Another system calls an address of ours."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from automations import doors
from automations.configuration import Filter, Wrong, says
from automations.triggers.base import TriggerKind
from automations.triggers.event import admits, check_age, key_of
from automations.words import quoted

EVENT = "webhook_received"
LONGEST_PATH = 200


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`user_id` and `email` say where in the JSON the contact is named, with points for steps down."""

    key: Annotated[
        str,
        says("Short name", "Part of the address; the same name is the same address.", examples=["new-leads"]),
    ]
    user_id: Annotated[str, says("The contact's id stands at", examples=["user_id"])] = "user_id"
    email: Annotated[str, says("The contact's e-mail stands at", examples=["customer.email"])] = "email"
    where: Annotated[list[dict[str, Any]], says("Only when", type="rules_where")] = []
    within_hours: Annotated[
        int, says("Not older than, hours", "Later ones start nothing.", minimum=1, maximum=8784)
    ] = 24
    filter: Filter = None

    @property
    def name(self) -> str:
        return EVENT


def with_door(field: str, key: str, where: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Property filters that only what came through this door meets."""
    return [{"property": field, "operator": "equals", "value": key}, *where]


def check_key(key: str, wrong: Wrong) -> None:
    if not doors.KEY.fullmatch(key):
        wrong("key", "must be 1 to 60 of the characters a-z, 0-9 and -")


def check(configuration: Configuration, wrong: Wrong) -> None:
    check_key(configuration.key, wrong)
    check_age(configuration.within_hours, wrong)
    if not configuration.user_id.strip() and not configuration.email.strip():
        wrong("email", "say where the contact's id or e-mail stands in the JSON")
    for field in ("user_id", "email"):
        if len(getattr(configuration, field)) > LONGEST_PATH:
            wrong(field, f"must be at most {LONGEST_PATH} characters")


def sentence(configuration: Configuration) -> str:
    return f"When another system calls the address {quoted(configuration.key)}"


TRIGGER = TriggerKind(
    "Webhook called",
    "Starts when another system sends JSON to an address of the workflow's own.",
    Configuration,
    key=lambda configuration: key_of(EVENT),
    sentence=sentence,
    admits=admits,
    check=check,
    group="From outside",
    where=lambda configuration: with_door("webhook", configuration.key, configuration.where),
)
