"""`/r/CODE`: a share link. Public, without cookie or script; leads to the programme's own page and nowhere else."""

from __future__ import annotations

import logging

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from accounts.middleware import client_address
from delivery.views.plain import page
from viral import services
from viral.domain.links import landing

logger = logging.getLogger(__name__)


@require_safe
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Count the click and lead on. What the address carries besides the code is ignored."""
    found = services.find(code)
    if found is None:
        return _private(page(request, "viral/no_such_code.html", {}, status=404))
    organization_id, referral_code = found
    try:
        target = services.follow(
            organization_id,
            referral_code,
            address=client_address(request),
            user_agent=request.headers.get("User-Agent", ""),
            is_counted=request.method == "GET",
        )
    except DatabaseError:
        # A friend is not kept waiting because a click could not be counted.
        logger.exception("A click on %s was not counted.", referral_code)
        program = referral_code.program
        target = landing(program.landing_url, referral_code.code, program.slug)
    return _private(HttpResponseRedirect(target))


def _private(response: HttpResponse) -> HttpResponse:
    response["Cache-Control"] = "no-store"
    response["X-Robots-Tag"] = "noindex"
    return response
