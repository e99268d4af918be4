"""One permission for the whole API: the caller's capabilities cover the view's resource."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request


class RolePermission(BasePermission):
    message = "Your role or key does not cover this."

    def has_permission(self, request: Request, view: Any) -> bool:
        resource = getattr(view, "resource", "")
        may = getattr(request.user, "may", None)
        if may is None or not resource:
            return False
        # A view that only computes (evaluate, preview) names the actions that read although they are POSTs.
        reads = request.method in SAFE_METHODS or getattr(view, "action", None) in getattr(
            view, "reading_actions", ()
        )
        return bool(may(resource, write=not reads))
