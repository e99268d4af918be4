"""Pictures of mails, for everybody who reads one."""

from __future__ import annotations

import re

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.views.decorators.http import require_safe

from campaigns.domain.pictures import CONTENT_TYPES
from campaigns.services import pictures

NAME = re.compile(r"[0-9a-f]{64}\.(png|jpg|gif|webp)")
A_YEAR = 365 * 24 * 3600


@require_safe
def picture(request: HttpRequest, file_name: str) -> HttpResponseBase:
    """The bytes behind a name that says what they are; whoever has fetched them once never asks again."""
    named = NAME.fullmatch(file_name)
    if named is None:
        raise Http404
    try:
        opened = default_storage.open(pictures.stored_at(file_name), "rb")
    except FileNotFoundError as error:
        raise Http404 from error
    response = FileResponse(opened, content_type=CONTENT_TYPES[named[1]])
    response["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    response["Cross-Origin-Resource-Policy"] = "cross-origin"  # web mail shows it on its own pages
    response["X-Content-Type-Options"] = "nosniff"
    return response
