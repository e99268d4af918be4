"""What the pages for people who got a mail share: no session, no script, nothing kept."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

from audience.models import Contact

POLICY = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"


def plain(response: HttpResponse) -> HttpResponse:
    response["Content-Security-Policy"] = POLICY
    response["Cache-Control"] = "no-store, private"
    response["Referrer-Policy"] = "no-referrer"
    response["X-Robots-Tag"] = "noindex"
    return response


def not_found(request: HttpRequest) -> HttpResponse:
    return plain(render(request, "delivery/no_such_link.html", status=404))


def page(
    request: HttpRequest, template: str, context: dict[str, Any], contact: Contact | None = None, status: int = 200
) -> HttpResponse:
    """A page in the contact's language as far as it is translated (locale/<language>/LC_MESSAGES), else English."""
    language = contact.locale.replace("_", "-") if contact is not None and contact.locale else ""
    if not language or not translation.check_for_language(language):
        language = translation.get_language() or "en"
    with translation.override(language):
        return plain(render(request, template, {"language": language, **context}, status=status))
