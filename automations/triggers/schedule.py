"""Again and again by the clock, for everybody whom a segment rule finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import msgspec

from accounts.models import Organization
from automations import recurrence
from automations.configuration import Filter, Wrong, says
from automations.recurrence import Recurrence
from automations.triggers.base import TriggerKind
from automations.triggers.clock import Selected
from common import clock, tenancy
from common.errors import Invalid
from segments import selectors as segments

CRON_HELP = "Minute, hour, day, month, weekday: 0 9 * * mon is Mondays at nine."


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A cron expression in a zone, the organisation's when none is named. `filter` says for whom."""

    cron: Annotated[str, says("When", CRON_HELP, type="cron", examples=["0 9 * * mon"])]
    timezone: Annotated[str, says("Time zone", "Left empty: the organisation's.")] = ""
    filter: Filter = None


def _recurrence(configuration: Configuration) -> Recurrence:
    zone = configuration.timezone or Organization.objects.values_list("timezone", flat=True).get(
        pk=tenancy.required()
    )
    return recurrence.parse(configuration.cron, zone or "UTC")


def check(configuration: Configuration, wrong: Wrong) -> None:
    try:
        _recurrence(configuration).after(clock.now())
    except Invalid as error:
        place, sentence = next(iter(error.details.items()), ("cron", error.message))
        wrong(place, sentence)


class _Schedule:
    def following(self, configuration: Configuration, after: datetime) -> datetime:
        return _recurrence(configuration).after(after)

    def due(
        self, configuration: Configuration, turn_at: datetime, since: datetime, until: datetime
    ) -> Iterator[Selected]:
        """Everybody at once. After a time out of order the turns that were missed are one."""
        found = segments.matching_query(configuration.filter)
        yield Selected(found.sql, found.parameters, f"turn:{turn_at.isoformat()}", {"turn": turn_at.isoformat()})


def sentence(configuration: Configuration) -> str:
    text = recurrence.describe(configuration.cron)
    zone = f" ({configuration.timezone})" if configuration.timezone else ""
    return f"{text}{zone}" if configuration.filter else f"{text}{zone}, for everybody"


TRIGGER: TriggerKind[Any] = TriggerKind(
    "On a schedule",
    "Starts again and again by the clock, for everybody whom its rule finds then.",
    Configuration,
    key=lambda configuration: "clock",
    sentence=sentence,
    check=check,
    group="Time",
    clock=_Schedule(),
)
