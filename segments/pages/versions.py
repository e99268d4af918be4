"""The versions of the rule, what changed between them, and the way back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from segments import services
from segments.insight import versions as insight
from segments.models import Segment
from segments.pages import shell


def versions(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Newest first, each with what changed since the one before."""
    return shell.render(request, segment, "versions", {"versions": insight.versions(segment)})


def restore(request: HttpRequest, segment: Segment) -> HttpResponse:
    """Make an earlier rule the current one; only by POST."""
    version = shell.number(request.POST.get("number", "")) or 0
    changed = services.restore_version(segment, version)
    messages.success(
        request,
        f"The rule of version {version} is back, as version {changed.version_number}. "
        f"It is being built; until then the present members stay.",
    )
    return HttpResponseRedirect(shell.address(segment, "versions"))
