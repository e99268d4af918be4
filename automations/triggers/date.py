"""A date of the contact has come, or comes in so many days: a renewal, a birthday, a year as a customer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any

import msgspec

from automations import local_times
from automations.configuration import Filter, Wrong, says
from automations.selectors import anniversaries
from automations.selectors.anniversaries import Anniversary
from automations.triggers.base import TriggerKind
from automations.triggers.clock import Due
from automations.words import counted
from segments import selectors as segments

CUSTOM = "attributes."
STANDARD = ("created_at", "first_seen_at")
MOST_DAYS = 3660
BLOCK = 10_000
# Somebody's date may be written or their zone may change: look again at least this often.
LONGEST_SLEEP = timedelta(hours=6)


def key_of(attribute: str) -> str:
    """What a change of the attribute makes look again."""
    return f"date:{attribute}"


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`offset_days` is negative for days before. By the contact's own clock, over daylight saving too."""

    attribute: Annotated[
        str,
        says("Date", "An attribute that holds a date.", type="attribute", examples=["attributes.renewal"]),
    ]
    offset_days: Annotated[
        int, says("Days after", "Negative: days before.", minimum=-MOST_DAYS, maximum=MOST_DAYS, examples=[-7])
    ] = 0
    time: Annotated[str, says("At", "In the contact's time zone.", type="time", examples=["09:00"])] = "09:00"
    yearly: Annotated[bool, says("Every year", "On the same day of each later year, too.")] = False
    filter: Filter = None

    @property
    def anniversary(self) -> Anniversary:
        at = local_times.read_time(self.time)
        assert at is not None
        return Anniversary(self.attribute, self.offset_days, at, self.yearly)


def check(configuration: Configuration, wrong: Wrong) -> None:
    attribute = configuration.attribute
    if attribute not in STANDARD and not (attribute.startswith(CUSTOM) and attribute != CUSTOM):
        wrong("attribute", f"name a custom attribute that holds a date, such as attributes.renewal, or {STANDARD[0]}")
    if not -MOST_DAYS <= configuration.offset_days <= MOST_DAYS:
        wrong("offset_days", f"must be from -{MOST_DAYS:,} to {MOST_DAYS:,}")
    if local_times.read_time(configuration.time) is None:
        wrong("time", 'must be a time of day such as "09:30"')


class _Dates:
    def following(self, configuration: Configuration, after: datetime) -> datetime:
        latest = after + LONGEST_SLEEP
        return anniversaries.first(configuration.anniversary, after, latest) or latest

    def due(
        self, configuration: Configuration, turn_at: datetime, since: datetime, until: datetime
    ) -> Iterator[list[Due]]:
        """Whose moment came since the last look; each moment has a cause of its own, so nobody starts twice."""
        found = anniversaries.due(configuration.anniversary, since, until)
        for start in range(0, len(found), BLOCK):
            block = found[start : start + BLOCK]
            if configuration.filter is not None:
                inside = segments.matching(configuration.filter, [one.contact_id for one in block])
                block = [one for one in block if one.contact_id in inside]
            yield [Due(one.contact_id, f"date:{one.day}", {"date": one.day}) for one in block]


def sentence(configuration: Configuration) -> str:
    name, days = configuration.attribute.removeprefix(CUSTOM).removesuffix("_at"), configuration.offset_days
    when = f"{counted(abs(days), 'day')} {'before' if days < 0 else 'after'} {name}" if days else f"On {name}"
    yearly = ", every year" if configuration.yearly else ""
    return f"{when}{yearly}, at {configuration.time} where the contact lives"


TRIGGER: TriggerKind[Any] = TriggerKind(
    "Date has come",
    "Starts on a date of the contact, or days before or after it, at a time of their own day.",
    Configuration,
    key=lambda configuration: key_of(configuration.attribute),
    sentence=sentence,
    check=check,
    group="Time",
    clock=_Dates(),
)
