"""What every page of one segment shares: its tabs, its frame, its addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.backends import allowed
from common.charts import Chart
from segments.models import Segment, SegmentKind, SegmentStatus

BADGES = {SegmentStatus.READY: "good", SegmentStatus.BUILDING: "warning", SegmentStatus.FAILED: "critical"}
WORDS = {SegmentStatus.READY: "Live", SegmentStatus.BUILDING: "Being built", SegmentStatus.FAILED: "Stopped"}


@dataclass(frozen=True)
class Tab:
    """One page of a segment, by the name of its address."""

    name: str
    title: str
    is_for_static: bool = True


TABS = (
    Tab("overview", "Overview"),
    Tab("change", "Edit"),
    Tab("members", "Members"),
    Tab("log", "Entered and left"),
    Tab("versions", "Versions", is_for_static=False),
    Tab("compare", "Compare"),
    Tab("why", "Why"),
)


def address(segment: Segment, name: str, **query: object) -> str:
    """The address of a page of the segment."""
    path = reverse(f"admin:segments_segment_{name}", args=[segment.pk])
    filled = {key: value for key, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(filled)}" if filled else path


def tabs(segment: Segment, current: str) -> list[dict[str, Any]]:
    """The pages of this segment, for templates/segments/tabs.html."""
    return [
        {"title": tab.title, "address": address(segment, tab.name), "is_current": tab.name == current}
        for tab in TABS
        if tab.is_for_static or segment.kind != SegmentKind.STATIC
    ]


def badge(segment: Segment) -> SafeString:
    """The state in a word, with its colour."""
    if not segment.is_active:
        return format_html('<span class="gs-badge">{}</span>', "Inactive")
    status = SegmentStatus(segment.status)
    return format_html('<span class="gs-badge gs-badge--{}">{}</span>', BADGES[status], WORDS[status])


def render(
    request: HttpRequest, segment: Segment, current: str, context: dict[str, Any], template: str = ""
) -> HttpResponse:
    """A page in the shell; its template extends segments/page.html and is called like the tab."""
    drawn: list[Chart] = context.get("charts", [])
    whole = {
        **admin.site.each_context(request),
        "title": str(segment),
        "subtitle": None,
        "opts": Segment._meta,
        "segment": segment,
        "tabs": tabs(segment, current),
        "may_write": allowed(request.user, "segments", write=True),
        "has_figures": any(chart.figure for chart in drawn),
        **context,
    }
    return TemplateResponse(request, template or f"segments/{current}.html", whole)


def number(text: str) -> int | None:
    """A row's id from an address; None when it is none."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None
