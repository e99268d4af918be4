"""Every request works for one organisation, or for none."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts import actor, selectors
from accounts.models import User
from common import tenancy

SESSION_KEY = "organization_id"
ADMIN_PREFIX = "/admin/"


class OrganizationMiddleware:
    """Signed-in people work for the organisation they chose; API callers are placed by their authenticator."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with tenancy.nobody(), actor.acting(actor.Actor("anonymous", client_address(request))):
            seat = _place(request)
            # Pages show the organisation's time; the API always speaks UTC.
            is_page = seat is not None and not request.path.startswith("/api/")
            with timezone.override(seat.timezone if seat and is_page else None):
                response = self.get_response(request)
        if request.path.startswith(ADMIN_PREFIX):
            allow_shell(response)
        return response


def allow_shell(response: HttpResponse) -> None:
    """Let a page run django-unfold's Alpine, which evaluates expressions; no page outside the shell may."""
    own: dict[str, list[str]] = getattr(response, "_csp_update", {})
    response._csp_update = {**own, "script-src": ["'self'", "'unsafe-eval'"]}  # type: ignore[attr-defined]


def _place(request: HttpRequest) -> selectors.Seat | None:
    request.seat = None  # type: ignore[attr-defined]
    if request.session.session_key is None or not isinstance(request.user, User):
        return None
    actor.become(actor.Actor(request.user.email, client_address(request)))
    seat = selectors.seat(request.user, request.session.get(SESSION_KEY)) or selectors.seat(request.user, None)
    if seat is not None:
        request.seat = seat  # type: ignore[attr-defined]
        tenancy.activate(seat.organization_id)
    return seat


def client_address(request: HttpRequest) -> str:
    """The caller's address; behind a trusted proxy the proxy sets REMOTE_ADDR (docs/deploy.md)."""
    return str(request.META.get("REMOTE_ADDR", ""))[:64]
