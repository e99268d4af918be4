"""What a marketer sees and does while a segment is being built."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse

from accounts.backends import allowed
from common.errors import Conflict
from segments import services
from segments.models import Segment, SegmentStatus
from segments.pages import shell
from segments.services import progress as building

STEPS = {building.EVALUATING: "Looking at everybody", building.WRITING: "Writing down who enters and leaves"}


def progress(request: HttpRequest, segment: Segment) -> HttpResponse:
    """The strip that asks for itself every second; once the build is done it has the page loaded anew."""
    if segment.status != SegmentStatus.BUILDING:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return TemplateResponse(request, "segments/progress.html", context(request, segment))


def context(request: HttpRequest, segment: Segment) -> dict[str, Any]:
    """For templates/segments/progress.html."""
    running = building.of(segment.pk, segment.build_seconds)
    return {
        "segment": segment,
        "running": running,
        "step": STEPS[running.step] if running else "",
        "percent": round(100 * running.share) if running and running.share is not None else None,
        "may_stop": allowed(request.user, "segments", write=True),
    }


def rebuild(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Have everybody looked at again; only by POST."""
    services.request_rebuild(segment)
    messages.success(request, "Everybody is looked at again; the present members stay until that is done.")
    return HttpResponseRedirect(shell.address(segment, "overview"))


def stop(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Stop the build; only by POST."""
    try:
        stopped = services.cancel_build(segment)
    except Conflict as error:
        messages.warning(request, error.message)
    else:
        messages.success(request, _told(stopped))
    return HttpResponseRedirect(shell.address(segment, "overview"))


def _told(segment: Segment) -> str:
    if not segment.is_active:
        return "The build was stopped. It was the first one, so the segment is inactive now; activate it to build it."
    if segment.status == SegmentStatus.BUILDING:
        return "The build was stopped and the earlier rule is back; its members are looked at once more."
    return "The build was stopped; the members stand as they were."
