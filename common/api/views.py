"""Base classes of every API view: idempotency, scope by role, and 404 for what another organisation owns."""

from __future__ import annotations

from rest_framework import viewsets
from rest_framework.views import APIView

from common.api.idempotency import IdempotentMixin


class ApiView(IdempotentMixin, APIView):
    """`resource` names the room whose read/write capability the caller needs."""

    resource: str = ""


class ApiViewSet(IdempotentMixin, viewsets.GenericViewSet):  # type: ignore[type-arg]
    """`resource` names the room whose read/write capability the caller needs."""

    resource: str = ""
