"""Wait for a span of time."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps.base import Group, Result, Results, StepKind
from automations.words import span

MOST = timedelta(days=5 * 366)


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A span: its parts add up."""

    days: Annotated[int, says("How long", type="span", required=True, examples=[2])] = 0
    hours: Annotated[int, says("How long", type="span")] = 0
    minutes: Annotated[int, says("How long", type="span")] = 0
    seconds: Annotated[int, says("How long", type="span")] = 0

    @property
    def span(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes, seconds=self.seconds)


def check(configuration: Configuration, wrong: Wrong) -> None:
    for part in ("days", "hours", "minutes", "seconds"):
        if not 0 <= getattr(configuration, part) <= MOST.total_seconds():
            wrong(part, "must be from 0 and at most five years")
            return
    if not timedelta() < configuration.span <= MOST:
        wrong("", "say how long to wait: days, hours, minutes or seconds, more than nothing and at most five years")


def execute(configuration: Configuration, group: Group) -> Results:
    """Those who came stay until their span is over; those whose span is over go on."""
    return {
        run.id: Result(wait_until=group.now + configuration.span)
        if run.waiting_since is None
        else Result(
            StepOutcome.WAITED,
            {"since": run.waiting_since.isoformat(), "until": (run.waits_until or run.run_at).isoformat()},
        )
        for run in group.runs
    }


def sentence(configuration: Configuration) -> str:
    return f"Wait {span(configuration.span)}"


STEP = StepKind("Wait", "Holds a contact for a span of time.", Configuration, execute, sentence, check, group="Time")
