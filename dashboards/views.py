"""What marketers look at first."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from dashboards.shell import page, render


@page("dashboards")
def home(request: HttpRequest) -> HttpResponse:
    return render(request, "dashboards/home.html", {"title": "Home"})
