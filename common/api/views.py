"""Base classes of every API view: idempotency, scope by role, and 404 for what another organisation owns."""

from __future__ import annotations

from typing import Any

from rest_framework import viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from common.api.idempotency import IdempotentMixin


class ApiView(IdempotentMixin, APIView):
    """`resource` names the room whose read/write capability the caller needs."""

    resource: str = ""


class ApiViewSet(IdempotentMixin, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """`resource` names the room whose read/write capability the caller needs.

    An address that names a row answers 404 before its body is judged: whoever may not see the row learns nothing.
    """

    resource: str = ""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        names_a_row = (self.lookup_url_kwarg or self.lookup_field) in self.kwargs
        if names_a_row and request.method not in SAFE_METHODS:
            self.get_object()
