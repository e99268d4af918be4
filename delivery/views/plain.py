"""What the pages for people who got a mail share: no session, no script, nothing kept."""

from __future__ import annotations

from contextlib import suppress
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
    return page(request, "delivery/no_such_link.html", {}, status=404)


def page(
    request: HttpRequest, template: str, context: dict[str, Any], contact: Contact | None = None, status: int = 200
) -> HttpResponse:
    """A page in the contact's language where it is translated (settings.LANGUAGES), else in one of the browser's."""
    language = _language(request, contact)
    with translation.override(language):
        return plain(render(request, template, {"language": language, **context}, status=status))


def _language(request: HttpRequest, contact: Contact | None) -> str:
    wanted = contact.locale.strip().replace("_", "-").lower() if contact is not None else ""
    if wanted:
        with suppress(LookupError, ValueError):
            return translation.get_supported_language_variant(wanted)
    return translation.get_language_from_request(request)
