"""An AppError on a page is a sentence on that page, not a crash."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme

from common.errors import AppError


class RefusalMiddleware:
    """Turns an AppError that a page let through into its message; API views answer their own before."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not isinstance(error, AppError):
            return None
        if not request.accepts("text/html"):
            plain = {"code": error.code, "message": error.message, "details": error.details}
            return JsonResponse(plain, status=error.http_status)
        back = _where_from(request)
        if request.method == "POST" and back:
            messages.error(request, error.message)
            return HttpResponseRedirect(back)
        return render(request, "refusal.html", {"error": error}, status=error.http_status)


def _where_from(request: HttpRequest) -> str:
    """The page that sent the form, when it is one of ours."""
    back = request.headers.get("Referer", "")
    if back and url_has_allowed_host_and_scheme(back, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(back)
        return parts.path + (f"?{parts.query}" if parts.query else "")
    return ""
