"""My desk: the tasks of a colleague, each done, put off or handed on with one tap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.backends import allowed
from accounts.models import Member
from accounts.shell import page, render
from audience.models import Contact
from automations import days, services
from automations.models import Automation, Outcome, Task
from automations.selectors import desk
from common.errors import AppError, Invalid

MOST_COLLEAGUES = 200
# What can be said of a finished task, and the key that says it.
OUTCOMES = [
    (Outcome.DONE, "d"),
    (Outcome.REACHED, "r"),
    (Outcome.NO_ANSWER, "x"),
    (Outcome.NOT_INTERESTED, "i"),
]


@page("tasks")
def my_desk(request: HttpRequest) -> HttpResponse:
    """`?view=mine|today|overdue|snoozed|nobody|all&contact=&workflow=&by=contact|workflow`."""
    return _shown(request, request.GET)


def _shown(request: HttpRequest, asked: QueryDict, **said: Any) -> HttpResponse:
    is_part = request.headers.get("HX-Request") == "true"
    template = "automations/desk_board.html" if is_part else "automations/desk.html"
    return render(request, template, _context(request, asked) | said)


def _context(request: HttpRequest, asked: QueryDict) -> dict[str, Any]:
    view = asked.get("view", "mine")
    view = view if view in desk.VIEWS else "mine"
    by = asked.get("by", "")
    contact_id, automation_id = _number(asked, "contact"), _number(asked, "workflow")
    today = days.today()
    member = _own_seat(request)
    board = desk.board(member, today, view, contact_id=contact_id, automation_id=automation_id)
    kept = {"view": view, "by": by, "contact": contact_id, "workflow": automation_id}
    return {
        "title": "My desk",
        "board": board,
        "groups": _grouped(board.cards, by),
        "tabs": [_tab(name, title, view, board.counts[name], kept) for name, title in desk.VIEWS.items()],
        "view": view,
        "by": by,
        "query": _query(kept),
        "contact": Contact.objects.filter(pk=contact_id).first() if contact_id else None,
        "automation": Automation.objects.filter(pk=automation_id).first() if automation_id else None,
        "without_filter": f"?{_query({'view': view, 'by': by})}",
        "ways": [(name, title, f"?{_query(kept | {'by': name})}") for name, title in WAYS.items()],
        "outcomes": OUTCOMES,
        "colleagues": Member.objects.filter(is_active=True).select_related("user").order_by("pk")[:MOST_COLLEAGUES],
        "member": member,
        "today": today,
        "tomorrow": today + timedelta(days=1),
        "monday": days.next_monday(today),
        "may_write": allowed(request.user, "tasks", write=True),
        "may_see_contacts": allowed(request.user, "audience"),
        "shown": desk.SHOWN,
    }


WAYS = {"": "By day", "contact": "By contact", "workflow": "By workflow"}


def _tab(name: str, title: str, view: str, count: int, kept: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": title,
        "count": count,
        "address": f"?{_query(kept | {'view': name})}",
        "is_current": name == view,
        "is_critical": name == "overdue" and count > 0,
    }


def _query(kept: dict[str, Any]) -> str:
    return urlencode({name: value for name, value in kept.items() if value not in ("", None)})


def _grouped(cards: list[desk.Card], by: str) -> list[tuple[Contact | Automation | None, list[desk.Card]]]:
    """The cards under their contact or workflow, the most pressing group first; one group without a head by day."""
    attribute = {"contact": "contact", "workflow": "automation"}.get(by)
    groups: dict[int, tuple[Contact | Automation | None, list[desk.Card]]] = {}
    for card in cards:
        head = getattr(card.task, attribute) if attribute else None
        groups.setdefault(head.pk if head else 0, (head, []))[1].append(card)
    return list(groups.values())


def _own_seat(request: HttpRequest) -> Member | None:
    return Member.objects.filter(user_id=request.user.pk, is_active=True).first()


# --- what one can do with a task -----------------------------------------------------------------------

Act = Callable[[HttpRequest, Task], str]


def _done(request: HttpRequest, task: Task) -> str:
    outcome = request.POST.get("outcome", Outcome.DONE)
    services.finish(task, outcome, request.POST.get("note", ""))
    return f"“{task}” is done: {Outcome(outcome).label.lower()}."


def _snooze(request: HttpRequest, task: Task) -> str:
    until = _day(request.POST.get("until", ""))
    services.snooze(task, until)
    return f"“{task}” comes back on {until:%A, %-d %B}."


def _wake(request: HttpRequest, task: Task) -> str:
    services.update_task(task, {"snoozed_until": None})
    return f"“{task}” is back on the desk."


def _reassign(request: HttpRequest, task: Task) -> str:
    text = request.POST.get("assignee_id", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 19):
        raise Invalid("Choose a colleague.", details={"assignee_id": "choose a colleague"})
    moved = services.reassign(task, int(text) if text else None)
    return (
        f"“{task}” is {moved.assignee.user.get_short_name()}'s now." if moved.assignee else f"“{task}” is nobody's."
    )


def _note(request: HttpRequest, task: Task) -> str:
    services.add_note(task, request.POST.get("text", ""))
    return f"Your note stands beside “{task}”."


def _reopen(request: HttpRequest, task: Task) -> str:
    services.reopen(task)
    return f"“{task}” is open again."


ACTS: dict[str, Act] = {
    "done": _done,
    "snooze": _snooze,
    "wake": _wake,
    "reassign": _reassign,
    "note": _note,
    "reopen": _reopen,
}
# What takes an act back.
UNDO = {"done": "desk-reopen", "snooze": "desk-wake"}


def act(name: str) -> Callable[..., HttpResponse]:
    """The view of one act: it does it and shows the desk again, as it was asked for in the field `query`."""

    @require_POST
    @page("tasks", write=True)
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        task = Task.objects.filter(pk=pk).first()
        if task is None:
            raise Http404
        try:
            said, tone = ACTS[name](request, task), messages.SUCCESS
        except AppError as error:
            said, tone = error.message, messages.ERROR
        asked = QueryDict(request.POST.get("query", ""))
        if request.headers.get("HX-Request") != "true":
            messages.add_message(request, tone, said)
            return HttpResponseRedirect(f"{reverse('desk')}?{asked.urlencode()}")
        is_refusal = tone == messages.ERROR
        return _shown(
            request, asked, said=said, is_refusal=is_refusal, undo=None if is_refusal else UNDO.get(name), task=task
        )

    return view


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("Choose a day, such as tomorrow.", details={"until": "choose a day"}) from error


def _number(asked: QueryDict, name: str) -> int | None:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
