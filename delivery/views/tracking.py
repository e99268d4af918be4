"""Addresses inside mails that count: the pixel and the links. No session; a token says whose they are."""

from __future__ import annotations

import logging
from base64 import b64decode

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from delivery import links
from delivery.domain import utm
from delivery.domain.machines import CLICK, OPEN, TRAP
from delivery.domain.tokens import Reference
from delivery.services import short_links, visits
from delivery.services.short_links import Followed
from delivery.views.plain import not_found, plain

logger = logging.getLogger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """A transparent picture; that it was fetched is recorded."""
    reference = links.read(links.OPEN, token)
    if reference is None:
        return not_found(request)
    _record(request, OPEN, reference)
    return plain(HttpResponse(PIXEL, content_type="image/gif"))


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads. Only an address that we signed is followed, so nobody can aim it elsewhere."""
    reference = links.read(links.CLICK, token)
    clicked = links.read_click(reference) if reference else links.Click()
    if reference is None or not utm.is_web_address(clicked.address):
        return not_found(request)
    _record(request, CLICK, reference, clicked.address, clicked.place)
    return plain(HttpResponseRedirect(utm.marked(clicked.address, clicked.mark)))


@require_safe
def short(request: HttpRequest, token: str) -> HttpResponse:
    """On to where a link in a text leads."""
    followed = short_links.follow(token)
    if followed is None:
        return not_found(request)
    _record(request, CLICK, followed, followed.url)
    return plain(HttpResponseRedirect(followed.goal))


@require_safe
def trap(request: HttpRequest, token: str) -> HttpResponse:
    """A link that people cannot see. Whoever follows it is told so, and counted as a machine."""
    reference = links.read(links.TRAP, token)
    if reference is None:
        return not_found(request)
    _record(request, TRAP, reference)
    return plain(HttpResponse("This link is for programs that follow links.", content_type="text/plain"))


def _record(
    request: HttpRequest, kind: str, reference: Reference | Followed, address: str = "", place: int = links.IN_TEXT
) -> None:
    try:
        visits.accept(reference.organization_id, kind, reference.message_id, _caller(request), address, place)
    except DatabaseError:
        # The reader goes on all the same.
        logger.exception("An %s of message %s was not recorded.", kind, reference.message_id)


def _caller(request: HttpRequest) -> visits.Caller:
    said = request.headers
    purpose = said.get("Sec-Purpose", "") + said.get("Purpose", "") + said.get("X-Moz", "")
    # Browsers speak of a navigation over TLS only.
    is_browserlike = "Sec-Fetch-Mode" in said if request.is_secure() else None
    return visits.Caller(
        said.get("User-Agent", ""), request.method == "HEAD" or "prefetch" in purpose.lower(), is_browserlike
    )
