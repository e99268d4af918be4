"""The log of a workflow: every record of every step, newest first, with filters and cursor pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Q, QuerySet

from automations.models import Automation, AutomationRun, StepRun
from automations.selectors.words import note, step_names
from common.errors import Invalid

PAGE_SIZE = 50
MOST_EXPORTED = 100_000
BLOCK = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Wanted:
    """Which records: from `since` to just before `until`; None and "" mean all."""

    outcome: str = ""
    step_id: str = ""
    version_number: int | None = None
    contact_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """One line of the log."""

    record: StepRun
    sentence: str
    note: str


@dataclass(frozen=True)
class Page:
    """`older` and `newer` are cursors, "" at an end."""

    entries: list[Entry]
    older: str = ""
    newer: str = ""


def page(automation: Automation, wanted: Wanted, cursor: str = "", size: int = PAGE_SIZE) -> Page:
    """One page of the log. Raises `Invalid` for a cursor that is none.

    Plan: step_runs_by_automation (step_runs_failed for failures) from the cursor on, until the page is full; a
    contact's records by one_step_run_per_number of its runs.
    """
    place = _read_cursor(cursor)
    goes_back = place is not None and place[0] == "newer"
    rows = list(_beyond(_records(automation, wanted), place, goes_back)[: size + 1])
    has_more, rows = len(rows) > size, rows[:size]
    if goes_back:
        rows.reverse()
    if not rows:
        return Page([])
    has_older, has_newer = (True, has_more) if goes_back else (has_more, place is not None)
    return Page(
        _entries(rows),
        _cursor("older", rows[-1]) if has_older else "",
        _cursor("newer", rows[0]) if has_newer else "",
    )


def export(automation: Automation, wanted: Wanted) -> Iterator[Entry]:
    """The newest MOST_EXPORTED records, block by block."""
    place: tuple[str, datetime, int] | None = None
    for _ in range(0, MOST_EXPORTED, BLOCK):
        rows = list(_beyond(_records(automation, wanted), place, False)[:BLOCK])
        yield from _entries(rows)
        if len(rows) < BLOCK:
            return
        place = ("older", rows[-1].happened_at, rows[-1].pk)


def _records(automation: Automation, wanted: Wanted) -> QuerySet[StepRun]:
    rows = StepRun.objects.filter(automation=automation).select_related("run__contact", "version")
    rows = rows.defer("version__document", "run__facts")
    if wanted.outcome:
        rows = rows.filter(outcome=wanted.outcome)
    if wanted.step_id:
        rows = rows.filter(step_id=wanted.step_id)
    if wanted.version_number is not None:
        numbered = automation.versions.filter(number=wanted.version_number)
        rows = rows.filter(version_id__in=list(numbered.values_list("pk", flat=True)))
    if wanted.contact_id is not None:
        runs = AutomationRun.objects.filter(contact_id=wanted.contact_id, automation=automation)
        rows = rows.filter(run_id__in=list(runs.values_list("pk", flat=True)))
    if wanted.since:
        rows = rows.filter(happened_at__gte=wanted.since)
    return rows.filter(happened_at__lt=wanted.until) if wanted.until else rows


def _beyond(rows: QuerySet[StepRun], place: tuple[str, datetime, int] | None, goes_back: bool) -> QuerySet[StepRun]:
    if place is not None:
        _, at, pk = place
        if goes_back:
            rows = rows.filter(Q(happened_at__gt=at) | Q(pk__gt=pk), happened_at__gte=at)
        else:
            rows = rows.filter(Q(happened_at__lt=at) | Q(pk__lt=pk), happened_at__lte=at)
    return rows.order_by("happened_at", "pk") if goes_back else rows.order_by("-happened_at", "-pk")


def _entries(rows: Sequence[StepRun]) -> list[Entry]:
    names = step_names({(row.version_id, row.step_id) for row in rows})
    return [Entry(row, names.get((row.version_id, row.step_id), row.step_id), note(row)) for row in rows]


def _cursor(way: str, row: StepRun) -> str:
    return f"{way}.{(row.happened_at - EPOCH) // MICROSECOND}.{row.pk}"


def _read_cursor(text: str) -> tuple[str, datetime, int] | None:
    if not text:
        return None
    way, _, rest = text.partition(".")
    at, _, pk = rest.partition(".")
    if way not in ("older", "newer") or not (_is_number(at) and _is_number(pk)):
        raise Invalid("This is no place in the log.", details={"cursor": "take it from `older` or `newer`"})
    return way, EPOCH + int(at) * MICROSECOND, int(pk)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 16
