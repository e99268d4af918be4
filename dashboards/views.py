"""Home, boards and health, inside the shell."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render as render_part

from accounts.backends import allowed
from accounts.models import Organization
from accounts.shell import page, render
from common import clock
from common.export import csv_response
from dashboards import health, periods
from dashboards.boards import BOARDS
from dashboards.cards import CARDS
from dashboards.cards.base import Card, Reading
from dashboards.recommendations import recommend


@page("dashboards")
def home(request: HttpRequest) -> HttpResponse:
    """What happens now, what it earned, what to do next."""
    place = periods.organization()
    context = {
        "title": "Home",
        "organization": place,
        "first_name": request.user.get_short_name().split()[0],  # type: ignore[union-attr]
        "now": clock.now(),
        "live": _read(request, place, is_live=True),
        "numbers": _read(request, place, is_live=False),
        "recommendations": recommend(place, request.user),
    }
    return render(request, "dashboards/home.html", context)


@page("dashboards")
def live(request: HttpRequest) -> HttpResponse:
    """The part of the home page that htmx fetches every two seconds."""
    context = {"live": _read(request, periods.organization(), is_live=True)}
    return render_part(request, "dashboards/live.html", context)


def _read(request: HttpRequest, place: Organization, *, is_live: bool) -> list[tuple[Card, Reading]]:
    return [
        (card, card.read(place))
        for card in CARDS.values()
        if card.is_live == is_live and allowed(request.user, card.resource)
    ]


@page("dashboards")
def board(request: HttpRequest, name: str) -> HttpResponse:
    """One board; `?csv=<chart>` is the table of one of its charts."""
    found = BOARDS.get(name)
    if found is None or not allowed(request.user, found.resource):
        raise Http404
    place = periods.organization()
    period = periods.read(request.GET.dict(), place)
    filled = found.fill(place, period)
    if wanted := request.GET.get("csv"):
        chart = next((chart for chart in filled.charts if chart.name == wanted), None)
        if chart is None:
            raise Http404
        return csv_response(chart.table, f"{found.name}-{chart.name}-{period.first_day}-{period.last_day}")
    context: dict[str, Any] = {
        "title": found.title,
        "board": found,
        "filled": filled,
        "period": period,
        "choices": periods.CHOICES,
        "has_figures": any(chart.figure for chart in filled.charts),
    }
    return render(request, "dashboards/board.html", context)


@page("dashboards")
def health_page(request: HttpRequest) -> HttpResponse:
    """Is the river flowing, and if not, what to do."""
    queues, checks = health.queues(), health.machinery()
    whole = health.worst([*(queue.status for queue in queues), *(check.status for check in checks)])
    context = {"title": "Health", "queues": queues, "checks": checks, "whole": whole, "badge": health.BADGES[whole]}
    template = "dashboards/health_part.html" if request.headers.get("HX-Request") else "dashboards/health.html"
    if template.endswith("_part.html"):
        return render_part(request, template, context)
    return render(request, template, context)
