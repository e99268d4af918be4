"""Addresses inside mails that count: the pixel and the links. No session; a token says whose they are."""

from __future__ import annotations

import logging
from base64 import b64decode

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe

from common import tenancy
from delivery import links
from delivery.domain import utm
from delivery.services import engagement
from delivery.services.engagement import Visit
from delivery.views.plain import not_found, plain

logger = logging.getLogger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")


@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """A transparent picture; that it was fetched is recorded."""
    reference = links.read(links.OPEN, token)
    if reference is None:
        return not_found(request)
    try:
        with tenancy.organization(reference.organization_id):
            engagement.record_open(reference.message_id, _visit(request))
    except DatabaseError:
        logger.exception("An open of message %s was not recorded.", reference.message_id)
    return plain(HttpResponse(PIXEL, content_type="image/gif"))


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads. Only an address that we signed is followed, so nobody can aim it elsewhere."""
    reference = links.read(links.CLICK, token)
    if reference is None or not utm.is_web_address(reference.address):
        return not_found(request)
    address = reference.address
    try:
        with tenancy.organization(reference.organization_id):
            address = engagement.record_click(reference.message_id, address, _visit(request))
    except DatabaseError:
        # The reader goes on all the same.
        logger.exception("A click in message %s was not recorded.", reference.message_id)
    return plain(HttpResponseRedirect(address))


def _visit(request: HttpRequest) -> Visit:
    return Visit(request.headers.get("User-Agent", ""), request.method == "HEAD")
