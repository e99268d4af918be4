"""A colleague's desk: the most pressing tasks first, how many there are of each kind, and what their contacts did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Case, Count, F, IntegerField, Prefetch, Q, QuerySet, Value, When

from accounts.models import Member
from audience.message_events import MessageEvent, names_of
from audience.models import Priority
from automations.models import Task, TaskNote, TaskStatus
from common import clock, money, tenancy

SHOWN = 50
LATEST_EACH = 4
LATEST_DAYS = 90
RANKS = {Priority.URGENT: 0, Priority.HIGH: 1, Priority.MEDIUM: 2, Priority.LOW: 3}
VIEWS = {
    "mine": "To do",
    "today": "Due today",
    "overdue": "Overdue",
    "snoozed": "Snoozed",
    "nobody": "Nobody's",
    "all": "Everybody's",
}
# Of each contact the newest events. Plan: per contact an index scan of event_by_contact in the partitions of the
# last months, then a sort of what one person did in that time.
LATEST_SQL = """
SELECT contact_id, definition.name, event.happened_at, event.value_minor, event.currency
  FROM unnest(%(contacts)s::bigint[]) AS contact_id
 CROSS JOIN LATERAL (
       SELECT definition_id, happened_at, value_minor, currency FROM audience_event
        WHERE organization_id = %(organization)s AND contact_id = contact_id.contact_id
          AND happened_at > %(since)s AND definition_id <> ALL(%(dull)s)
        ORDER BY happened_at DESC LIMIT %(each)s) AS event
  JOIN audience_eventdefinition AS definition ON definition.id = event.definition_id
 ORDER BY contact_id, event.happened_at DESC
"""
DULL_SQL = "SELECT id FROM audience_eventdefinition WHERE organization_id = %s AND name = ANY(%s)"


@dataclass(frozen=True)
class Happened:
    """Something a contact did lately; `worth` is money as people write it, or nothing."""

    name: str
    at: datetime
    worth: str


@dataclass(frozen=True)
class Card:
    """A task on the desk, and what its contact did lately."""

    task: Task
    is_late: bool
    is_today: bool
    latest: list[Happened] = field(default_factory=list)

    @property
    def kind(self) -> str:
        """The task's type as people read it."""
        return self.task.task_type.replace("_", " ")


@dataclass(frozen=True)
class Board:
    """What a desk shows: the first SHOWN cards of `count`, and how many tasks each view has."""

    cards: list[Card]
    count: int
    counts: dict[str, int]


def board(
    member: Member | None, today: date, view: str, *, contact_id: int | None = None, automation_id: int | None = None
) -> Board:
    """The desk of a member (None: somebody without a seat, who has no tasks of their own) on a day."""
    narrowed = Task.objects.filter(status=TaskStatus.OPEN)
    if contact_id is not None:
        narrowed = narrowed.filter(contact_id=contact_id)
    if automation_id is not None:
        narrowed = narrowed.filter(automation_id=automation_id)
    wanted = {name: _view(name, member, today) for name in VIEWS}
    counts = narrowed.aggregate(**{name: Count("pk", filter=condition) for name, condition in wanted.items()})
    rows = list(_pressing(narrowed.filter(wanted[view]))[:SHOWN])
    latest = latest_events([task.contact_id for task in rows if task.contact_id is not None])
    return Board([_card(task, today, latest) for task in rows], counts[view], counts)


def _card(task: Task, today: date, latest: dict[int, list[Happened]]) -> Card:
    due = task.due_date
    return Card(task, due is not None and due < today, due == today, latest.get(task.contact_id or 0, []))


def _view(name: str, member: Member | None, today: date) -> Q:
    mine = Q(assignee=member) if member is not None else Q(pk__in=[])
    awake = in_sight(today)
    return {
        "mine": mine & awake,
        "today": mine & awake & Q(due_date=today),
        "overdue": mine & awake & Q(due_date__lt=today),
        "snoozed": mine & ~awake,
        "nobody": Q(assignee=None) & awake,
        "all": awake,
    }[name]


def in_sight(today: date) -> Q:
    """Tasks that nobody has put off beyond today."""
    return Q(snoozed_until=None) | Q(snoozed_until__lte=today)


def _pressing(tasks: QuerySet[Task]) -> QuerySet[Task]:
    ranks = [When(priority=priority, then=Value(rank)) for priority, rank in RANKS.items()]
    return (
        tasks.annotate(rank=Case(*ranks, default=Value(9), output_field=IntegerField()))
        .order_by(F("due_date").asc(nulls_last=True), "rank", "pk")
        .select_related("contact", "assignee__user", "automation")
        .prefetch_related(Prefetch("notes", TaskNote.objects.order_by("-pk")))
    )


def latest_events(contact_ids: Sequence[int]) -> dict[int, list[Happened]]:
    """contact id → the newest events of the last LATEST_DAYS, without our own "sent". Two statements."""
    found: dict[int, list[Happened]] = {}
    organization_id = tenancy.required()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DULL_SQL, [organization_id, list(names_of(MessageEvent.SENT))])
        named: dict[str, Any] = {
            "organization": organization_id,
            "contacts": sorted(set(contact_ids)),
            "since": clock.now() - timedelta(days=LATEST_DAYS),
            "dull": [row[0] for row in cursor.fetchall()],
            "each": LATEST_EACH,
        }
        cursor.execute(LATEST_SQL, named)
        for contact_id, name, at, value_minor, currency in cursor.fetchall():
            worth = money.show(value_minor, currency or "") if value_minor is not None else ""
            found.setdefault(contact_id, []).append(Happened(name, at, worth))
    return found
