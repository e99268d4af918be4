"""Wait until it is a certain time of day where the contact lives."""

from __future__ import annotations

from typing import Annotated

import msgspec

from automations import local_times
from automations.configuration import Wrong, says
from automations.local_times import WEEKDAYS
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind

NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LABELS = dict(zip(WEEKDAYS, NAMES, strict=True))


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By the contact's own clock, the organisation's where we do not know it."""

    time: Annotated[str, says("Until", "In the contact's time zone.", type="time", examples=["09:00"])]
    weekdays: Annotated[
        list[str],
        says(
            "Only on", "Left empty: any day.", type="choices", labels=LABELS,
            examples=[["mon", "tue", "wed", "thu", "fri"]],
        ),
    ] = []  # fmt: skip


def check(configuration: Configuration, wrong: Wrong) -> None:
    if local_times.read_time(configuration.time) is None:
        wrong("time", 'must be a time of day such as "09:30"')
    for index, day in enumerate(configuration.weekdays):
        if day not in WEEKDAYS:
            wrong(f"weekdays[{index}]", f"must be one of {', '.join(WEEKDAYS)}")


def execute(configuration: Configuration, group: Group) -> Results:
    """Those who came stay until their own clock says so; two queries for all of them."""
    at = local_times.read_time(configuration.time)
    assert at is not None
    coming = [run.contact_id for run in group.runs if run.waiting_since is None]
    zones = local_times.zones(coming) if coming else {}
    return {
        run.id: Result(StepOutcome.WAITED, {"since": run.waiting_since.isoformat(), "until": run.run_at.isoformat()})
        if run.waiting_since is not None
        else Result(
            wait_until=local_times.following(group.now, at, configuration.weekdays, zones[run.contact_id]),
        )
        for run in group.runs
    }


def sentence(configuration: Configuration) -> str:
    days = [LABELS.get(day, day) for day in WEEKDAYS if day in configuration.weekdays]
    if days == list(NAMES[:5]):
        days = ["weekdays"]
    text = f"Wait until it is {configuration.time} where the contact lives"
    return f"{text}, on {', '.join(days)}" if days else text


STEP = StepKind(
    "Wait for a time of day",
    "Holds a contact until it is that time where they live, if wanted only on some days of the week.",
    Configuration,
    execute,
    sentence,
    check,
    group="Time",
)
