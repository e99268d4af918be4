"""How our senders stand, the plan for a new domain, and the checks of a domain's zone."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.backends import allowed
from accounts.shell import page, render
from common import charts, clock, figures
from common.charts import Cell, Chart, Column, Table
from common.errors import AppError, NotFound
from delivery import lanes, resolver, standing
from delivery.domain import dkim, warmup
from delivery.models import DkimKey, SendingDomain, SendingPause
from delivery.services import domains, reputation, warmups

SHOWN_PAUSES = 20
USUAL_GOAL = 10_000
BADGES = {"pass": "good", "warn": "warning", "fail": "critical", "skipped": "", "": ""}
WORDS = {
    "pass": "Passes",
    "warn": "Could be better",
    "fail": "Fails",
    "skipped": "Not known",
    "": "Not looked at yet",
}


@page("delivery")
def overview(request: HttpRequest) -> HttpResponse:
    """What is paused and why, and how each sending domain stands today."""
    context = {
        "title": "Deliverability",
        "stops": standing.stops(),
        "standings": [
            (each, BADGES.get(each.domain.report_status, ""), WORDS.get(each.domain.report_status, ""))
            for each in standing.domain_standings()
        ],
        "past": SendingPause.objects.exclude(resumed_at=None).order_by("-resumed_at")[:SHOWN_PAUSES],
        "may_write": allowed(request.user, "delivery", write=True),
    }
    return render(request, "delivery/deliverability.html", context)


@require_POST
@page("delivery", write=True)
def resume(request: HttpRequest, pk: int) -> HttpResponse:
    """A person lets a pause end."""
    pause = SendingPause.objects.filter(pk=pk).first()
    if pause is None:
        raise NotFound(f"There is no pause {pk}.")
    try:
        count = reputation.resume(pause)
        messages.success(request, f"Marketing goes on; {count:,} messages that were held leave now.")
    except AppError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(reverse("delivery:deliverability"))


@page("delivery")
def plan(request: HttpRequest) -> HttpResponse:
    """The calendar for a volume, before anybody commits to it."""
    goal = _goal(request.GET.get("volume", ""))
    names = [each.name for each in domains.all_domains() if each.tier is None]
    chosen = request.GET.get("domain", "")
    day = lanes.today(clock.now()).date
    days = warmup.plan(goal, day)
    context = {
        "title": "Plan for a new domain",
        "goal": goal,
        "least": warmup.TIERS[0].per_day + 1,
        "most": warmup.MOST_PER_DAY,
        "names": names,
        "chosen": chosen if chosen in names else (names[0] if names else ""),
        "chart": _calendar(days, goal),
        "length": len(days),
        "has_figures": True,
        "may_write": allowed(request.user, "delivery", write=True),
    }
    return render(request, "delivery/warmup_plan.html", context)


def _goal(text: str) -> int:
    digits = text.replace(",", "").replace(" ", "")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 9 else USUAL_GOAL
    return min(max(number, warmup.TIERS[0].per_day + 1), warmup.MOST_PER_DAY)


def _calendar(days: list[warmup.PlannedDay], goal: int) -> Chart:
    columns = [Column("Day"), Column("Date"), Column("Mails", "number"), Column("What to watch")]
    rows = [
        [Cell(f"{each.number}", each.number), Cell(f"{each.day:%a\u00a0%-d\u00a0%b}", each.day.isoformat()),
         figures.count(each.mails), Cell(each.watch)]
        for each in days
    ]  # fmt: skip
    total = sum(each.mails for each in days)
    summary = (
        f"From {days[0].mails:,} a day to {goal:,} in {len(days)} days when every step is kept; "
        f"until then {total:,} mails. A day with too many bounces or complaints makes it longer."
    )
    figure = charts.lines([each.day.isoformat() for each in days], {"Mails a day": [each.mails for each in days]})
    return Chart("calendar", "The calendar", summary, Table(columns, rows), figure)


@require_POST
@page("delivery", write=True)
def start(request: HttpRequest) -> HttpResponse:
    """Begin the warm-up that the plan showed."""
    try:
        domain = warmups.start(request.POST.get("domain", ""), _goal(request.POST.get("volume", "")))
        messages.success(request, f"{domain.name} warms up from now on. {domain.tier_reason}")
    except AppError as error:
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("delivery:warmup-plan"))
    return HttpResponseRedirect(reverse("delivery:deliverability"))


@page("delivery")
def domain(request: HttpRequest, pk: int) -> HttpResponse:
    """One sending domain: its checks, its key, its warm-up."""
    found = domains.find(pk)
    key = DkimKey.objects.filter(domain=found).first()
    days = warmup.plan(found.goal_per_day, found.warmup_started_at.date()) if _warms(found) else []
    context: dict[str, Any] = {
        "title": found.name,
        "domain": found,
        "checks": [
            (line, BADGES.get(line["status"], ""), WORDS.get(line["status"], ""), line["name"] in found.broken)
            for line in found.report
        ],
        "badge": BADGES.get(found.report_status, ""),
        "word": WORDS.get(found.report_status, ""),
        "key": key,
        "key_name": f"{key.selector}._domainkey.{found.name}" if key else "",
        "key_value": dkim.record(key.public_key) if key else "",
        "can_look": resolver.is_configured(),
        "record": standing.progress(found),
        "needs": standing.needs(found),
        "per_day": warmup.budget(found.tier, found.goal_per_day) if found.tier is not None else None,
        "planned_end": days[-1].day if days else None,
        "may_write": allowed(request.user, "delivery", write=True),
    }
    return render(request, "delivery/sending_domain.html", context)


def _warms(found: SendingDomain) -> bool:
    return found.tier is not None and found.warmup_started_at is not None


@require_POST
@page("delivery", write=True)
def change(request: HttpRequest, pk: int) -> HttpResponse:
    """One of the buttons on a domain's page."""
    found = domains.find(pk)
    try:
        messages.success(request, _act(found, request.POST))
    except AppError as error:
        messages.error(request, error.message)
    return HttpResponseRedirect(reverse("delivery:domain", args=[pk]))


def _act(found: SendingDomain, words: Any) -> str:
    match words.get("act"):
        case "check":
            domains.check(found)
            return "The zone was looked at just now."
        case "make_key":
            domains.make_key(found)
            return "A new key was made. Write its record into the zone, then check again."
        case "sign":
            domains.set_signing(found, signs=True)
            return f"Mail from {found.name} is signed with this key from now on."
        case "stop_signing":
            domains.set_signing(found, signs=False)
            return "We no longer sign; that is left to the relay."
        case "selector":
            domains.set_relay_selector(found, words.get("selector", ""))
            return "The relay's selector is kept; check again to look at its record."
        case "stop_warmup":
            warmups.stop(found)
            return "The warm-up has ended; what waited leaves now."
    raise NotFound("There is no such button.")
