"""Hangs the pages of a segment into its admin."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import path, reverse
from django.utils.html import format_html

from accounts.backends import allowed
from segments import uses
from segments.models import Segment
from segments.pages import building, compare, log, members, overview, versions, why

View = Callable[[HttpRequest, Segment], Any]
# Address → what it shows; who may read segments may look.
PAGES: dict[str, View] = {
    "overview": overview.overview,
    "progress": building.progress,
    "members": members.members,
    "log": log.log,
    "versions": versions.versions,
    "compare": compare.compare,
    "why": why.why,
}
# Address → what it does, by POST; who may write segments. An export only reads, but it takes people away.
ACTS: dict[str, View] = {
    "rebuild": building.rebuild,
    "stop": building.stop,
    "upload": members.upload,
    "restore": versions.restore,
}
TAKEN: dict[str, View] = {"export": members.export}


class SegmentPages:
    """Mixed into the admin of segments."""

    admin_site: Any

    def get_urls(self) -> list[Any]:
        own = [
            path(
                f"<int:pk>/{name}/",
                self.admin_site.admin_view(partial(_serve, name)),
                name=f"segments_segment_{name}",
            )
            for name in (*PAGES, *ACTS, *TAKEN)
        ]
        return [*own, *super().get_urls()]  # type: ignore[misc]

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes with a segment in counts, as Django would load every membership to name it; and who needs it."""
        lines = [_going(segment) for segment in objs]
        counts = {"segments": len(lines), "memberships": sum(segment.member_count for segment in objs)}
        needed = set() if allowed(request.user, "segments", write=True) else {"segments"}
        return lines, counts, needed, [use.link for segment in objs for use in uses.of(segment)]


def _going(segment: Segment) -> Any:
    link = reverse("admin:segments_segment_change", args=[segment.pk])
    text = f"{segment.member_count:,} contacts leave it, and its history goes too"
    return format_html('Segment: <a href="{}">{}</a>: {}', link, segment.name, text)


def _serve(name: str, request: HttpRequest, pk: int) -> HttpResponse:
    """404 for what is not here, before any question of rights."""
    segment = Segment.objects.filter(pk=pk).first()
    if segment is None:
        raise Http404
    if not allowed(request.user, "segments", write=name in ACTS):
        raise PermissionDenied
    if name in TAKEN and not allowed(request.user, "audience"):
        raise PermissionDenied
    is_page = name in PAGES
    if is_page != (request.method in ("GET", "HEAD")):
        return HttpResponseNotAllowed(["GET", "HEAD"] if is_page else ["POST"])
    view = (PAGES | ACTS | TAKEN)[name]
    answer: HttpResponse = view(request, segment)
    return answer
