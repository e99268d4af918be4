"""Pages of our own inside the admin's shell: signed-in people of the right role only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render as render_plain
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.backends import allowed
from accounts.middleware import allow_shell
from common import tenancy

View = Callable[..., HttpResponse]


def render(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page that extends `shell.html`, with everything the shell itself needs. `context` names its `title`."""
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    whole = {**admin.site.each_context(request), "subtitle": None, **context}
    response = TemplateResponse(request, template, whole, status=status)
    allow_shell(response)
    return response


def _without_a_seat(request: HttpRequest) -> HttpResponse:
    """A superuser of an empty installation opens the first organisation; others wait for an invitation."""
    user: Any = request.user
    if user.is_superuser:
        messages.info(request, "Open the first organisation; everything belongs to one.")
        return HttpResponseRedirect(reverse("admin:accounts_organization_add"))
    return render_plain(request, "accounts/no_seat.html", status=403)


def page(resource: str, *, write: bool = False) -> Callable[[View], View]:
    """Only for people who may read (or write) `resource`; others sign in first, or are refused."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if tenancy.current() is None:
                return _without_a_seat(request)
            if not allowed(request.user, resource, write=write):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
