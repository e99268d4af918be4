"""Pages of our own inside the admin's shell: signed-in people of the right role only."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from accounts.backends import allowed
from accounts.middleware import allow_shell

View = Callable[..., HttpResponse]


def render(request: HttpRequest, template: str, context: dict[str, Any], *, status: int = 200) -> HttpResponse:
    """A page that extends `shell.html`, with everything the shell itself needs. `context` names its `title`."""
    request.current_app = admin.site.name  # type: ignore[attr-defined]
    whole = {**admin.site.each_context(request), "subtitle": None, **context}
    response = TemplateResponse(request, template, whole, status=status)
    allow_shell(response)
    return response


def page(resource: str, *, write: bool = False) -> Callable[[View], View]:
    """Only for people who may read (or write) `resource`; others sign in first, or are refused."""

    def decorate(view: View) -> View:
        @wraps(view)
        @login_required
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not allowed(request.user, resource, write=write):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
