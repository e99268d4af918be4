"""Wait until a date that stands in an attribute of the contact, or days before or after it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import msgspec

from audience.models import Contact
from automations import keys, local_times
from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind, skipped
from automations.words import counted

CUSTOM = "attributes."
MOST_DAYS = 3660


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`offset_days` is negative for days before the date."""

    attribute: Annotated[
        str, says("Date", "A custom attribute that holds a date.", type="attribute", examples=["attributes.renewal"])
    ]
    offset_days: Annotated[
        int, says("Days after", "Negative: days before.", minimum=-MOST_DAYS, maximum=MOST_DAYS, examples=[-3])
    ] = 0
    time: Annotated[str, says("At", "In the contact's time zone.", type="time", examples=["09:00"])] = "09:00"


def check(configuration: Configuration, wrong: Wrong) -> None:
    if not configuration.attribute.startswith(CUSTOM) or configuration.attribute == CUSTOM:
        wrong("attribute", "name a custom attribute that holds a date, such as attributes.renewal")
    if not -MOST_DAYS <= configuration.offset_days <= MOST_DAYS:
        wrong("offset_days", f"must be from -{MOST_DAYS:,} to {MOST_DAYS:,}")
    if local_times.read_time(configuration.time) is None:
        wrong("time", 'must be a time of day such as "09:30"')


def execute(configuration: Configuration, group: Group) -> Results:
    """The date is read anew whenever somebody looks, so that one that moved is waited for."""
    moments = due_moments(configuration, group.contact_ids)
    name = configuration.attribute.removeprefix(CUSTOM)
    results = {}
    for run in group.runs:
        due = moments[run.contact_id]
        if due is None:
            results[run.id] = skipped(f"{name} holds no date for this contact.")
        elif due > group.now:
            results[run.id] = Result(wait_until=due)
        elif run.waiting_since is None:
            results[run.id] = skipped(f"{name} has passed already.")
        else:
            results[run.id] = Result(
                StepOutcome.WAITED, {"since": run.waiting_since.isoformat(), "until": due.isoformat()}
            )
    return results


def due_moments(configuration: Configuration, contact_ids: Sequence[int]) -> dict[int, datetime | None]:
    """When the date of each of these contacts has come, by their own clock; None for who has none."""
    at = local_times.read_time(configuration.time)
    assert at is not None
    zones, dates = local_times.zones(contact_ids), _dates(configuration, contact_ids)
    return {
        contact_id: _moment(_day(dates.get(contact_id), where), configuration.offset_days, at, where)
        for contact_id, where in zones.items()
    }


def _dates(configuration: Configuration, contact_ids: Sequence[int]) -> dict[int, Any]:
    name = configuration.attribute.removeprefix(CUSTOM)
    rows = Contact.objects.filter(pk__in=contact_ids).values_list("pk", "attributes")
    return {pk: attributes.get(name) for pk, attributes in rows}


def _day(value: Any, where: ZoneInfo) -> date | None:
    """The day that a value names where the contact lives."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    return found.astimezone(where).date() if found.tzinfo else found.date()


def _moment(day: date | None, days: int, at: time, where: ZoneInfo) -> datetime | None:
    try:
        return local_times.moment(day + timedelta(days=days), at, where) if day else None
    except OverflowError:
        return None


def sentence(configuration: Configuration) -> str:
    name, days = configuration.attribute.removeprefix(CUSTOM), configuration.offset_days
    when = f"{counted(abs(days), 'day')} {'before' if days < 0 else 'after'} {name}" if days else name
    return f"Wait until {when}, {configuration.time} where the contact lives"


STEP = StepKind(
    "Wait for a date",
    "Holds a contact until a date in one of their attributes, or days before or after it.",
    Configuration,
    execute,
    sentence,
    check,
    group="Time",
    # A date that is moved while somebody waits for it is read at once.
    wakes=lambda configuration: [keys.of_attribute(configuration.attribute)],
)
