"""`Idempotency-Key` on POST: a repeat gets the first answer and nothing is done twice."""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec
from django.db import transaction
from rest_framework.request import Request
from rest_framework.response import Response

from common.api.renderers import QuickJSONRenderer
from common.errors import Conflict, Invalid
from common.models import IdempotentAnswer

MOST_KEY_LENGTH = 200


class IdempotentMixin:
    """For API views. The key's row, the work and the kept answer are one transaction.

    A second request with the same key waits for the first on the row's unique index, then reads its answer.
    """

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method != "POST" or not request.headers.get("Idempotency-Key"):
            return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
            if response.status_code >= 400:
                transaction.set_rollback(True)
            return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)  # type: ignore[misc]
        key = request.headers.get("Idempotency-Key", "")
        if request.method == "POST" and key:
            self._answer_row = _open_row(request, key)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        row: IdempotentAnswer | None = getattr(self, "_answer_row", None)
        if row is not None and response.status_code < 400:
            row.status_code, row.body = response.status_code, _plain(response.data)
            row.save(update_fields=["status_code", "body"])
        return super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc,no-any-return]

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Repeated):
            return Response(exc.row.body, status=exc.row.status_code, headers={"Idempotent-Replayed": "true"})
        return super().handle_exception(exc)  # type: ignore[misc,no-any-return]


class Repeated(Exception):
    """Not a fault: the way out of the view to the kept answer."""

    def __init__(self, row: IdempotentAnswer) -> None:
        self.row = row


def _open_row(request: Request, key: str) -> IdempotentAnswer:
    if len(key) > MOST_KEY_LENGTH or not key.isprintable():
        raise Invalid(f"Idempotency-Key must be printable and at most {MOST_KEY_LENGTH} characters.")
    caller = str(getattr(request.user, "caller", request.user.pk))
    row, created = IdempotentAnswer.objects.get_or_create(
        key=key, caller=caller, defaults={"request_hash": _request_hash(request)}
    )
    if created:
        return row
    if row.request_hash != _request_hash(request):
        raise Conflict("This Idempotency-Key was used for a different request; use a new one.", code="key_reused")
    raise Repeated(row)


def _request_hash(request: Request) -> str:
    body = request._request.body
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n".encode() + body).hexdigest()


def _plain(data: Any) -> Any:
    """The answer as it goes over the wire."""
    return msgspec.json.decode(QuickJSONRenderer().render(data) or b"null")
