"""Addresses inside mails: the pixel, the links, the way out. No session, no script; a token says whose they are."""

from __future__ import annotations

import logging
from base64 import b64decode

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods, require_safe

from accounts import actor
from accounts.middleware import client_address
from accounts.models import Organization
from audience.models import Topic
from common import tenancy
from delivery import links
from delivery.domain import utm
from delivery.domain.tokens import Reference
from delivery.models import Message
from delivery.services import engagement
from delivery.services.engagement import Visit

logger = logging.getLogger(__name__)

PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
ONE_CLICK = "One-Click"  # RFC 8058: the body is List-Unsubscribe=One-Click


@require_safe
def open_pixel(request: HttpRequest, token: str) -> HttpResponse:
    """A transparent picture; that it was fetched is recorded."""
    reference = links.read(links.OPEN, token)
    if reference is None:
        return _not_found(request)
    try:
        with tenancy.organization(reference.organization_id):
            engagement.record_open(reference.message_id, _visit(request))
    except DatabaseError:
        logger.exception("An open of message %s was not recorded.", reference.message_id)
    return _plain(HttpResponse(PIXEL, content_type="image/gif"))


@require_safe
def click(request: HttpRequest, token: str) -> HttpResponse:
    """On to where the link leads. Only an address that we signed is followed, so nobody can aim it elsewhere."""
    reference = links.read(links.CLICK, token)
    if reference is None or not utm.is_web_address(reference.address):
        return _not_found(request)
    address = reference.address
    try:
        with tenancy.organization(reference.organization_id):
            address = engagement.record_click(reference.message_id, address, _visit(request))
    except DatabaseError:
        # The reader goes on all the same.
        logger.exception("A click in message %s was not recorded.", reference.message_id)
    return _plain(HttpResponseRedirect(address))


@csrf_exempt  # mail programs post without cookies (RFC 8058); the token is the proof
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does: link scanners follow every link, and must not unsubscribe anybody."""
    reference = links.read(links.UNSUBSCRIBE, token)
    if reference is None:
        return _not_found(request)
    who = actor.Actor("recipient", client_address(request))
    with tenancy.organization(reference.organization_id), actor.acting(who):
        is_known = request.method != "POST" or _change(request, reference.message_id)
        message = Message.objects.filter(pk=reference.message_id).first()
        if message is None or not is_known:
            return _not_found(request)
        return _page(request, reference, message)


def _change(request: HttpRequest, message_id: int) -> bool:
    if request.POST.get("action") == "subscribe":
        return engagement.resubscribe(message_id)
    is_one_click = request.POST.get("List-Unsubscribe") == ONE_CLICK
    return engagement.unsubscribe(
        message_id,
        how="one-click unsubscribe" if is_one_click else "unsubscribe page",
        only_topic=request.POST.get("action") == "topic",
    )


def _page(request: HttpRequest, reference: Reference, message: Message) -> HttpResponse:
    topic = Topic.objects.filter(pk=message.topic_id).first() if message.topic_id else None
    context = {
        "organization": Organization.objects.get(pk=reference.organization_id),
        "address": message.address,
        "topic": topic,
        "is_unsubscribed": message.unsubscribed_at is not None,
    }
    return _plain(render(request, "delivery/unsubscribe.html", context))


def _visit(request: HttpRequest) -> Visit:
    return Visit(request.headers.get("User-Agent", ""), request.method == "HEAD")


def _not_found(request: HttpRequest) -> HttpResponse:
    return _plain(render(request, "delivery/no_such_link.html", status=404))


def _plain(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response
