"""Three ways to call the API: a secret key, a member's JWT, a signed-in session. Each says for which organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework_simplejwt.authentication import JWTAuthentication

from accounts import actor, selectors, services
from accounts.domain import roles
from accounts.middleware import client_address
from accounts.models import ApiKeyKind
from common import tenancy

ORGANIZATION_CLAIM = "organization_id"


@dataclass(frozen=True)
class Caller:
    """Who calls the API, as `request.user`: a member or a program, with capabilities in one organisation."""

    caller: str
    name: str
    capabilities: frozenset[str]
    pk: int | None = None
    is_authenticated: bool = True
    is_active: bool = True
    is_anonymous: bool = False

    def may(self, resource: str, *, write: bool) -> bool:
        return f"{resource}:{'write' if write else 'read'}" in self.capabilities


def _arrive(request: Request, caller: Caller, organization_id: int) -> Caller:
    tenancy.activate(organization_id)
    actor.become(actor.Actor(caller.name, client_address(request._request)))
    return caller


class SecretKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer sk_…`."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.startswith("sk_"):
            return None
        key = selectors.known_key(text.strip(), ApiKeyKind.SECRET)
        if key is None:
            raise AuthenticationFailed("This secret key is unknown, expired or revoked.")
        services.touch_key(key)
        granted = frozenset(key.scopes) if key.scopes else roles.EVERYTHING
        return _arrive(request, Caller(f"key:{key.pk}", f"key {key.name}", granted), key.organization_id), key

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class MemberTokenAuthentication(JWTAuthentication):
    """`Authorization: Bearer <JWT>` from `/api/v1/token/`."""

    def authenticate(self, request: Request) -> Any:
        found = super().authenticate(request)
        if found is None:
            return None
        user, token = found
        seat = selectors.seat(user, token.get(ORGANIZATION_CLAIM))
        if seat is None:
            raise AuthenticationFailed("Your seat in this organisation was taken away; ask for a new token.")
        granted = roles.EVERYTHING if user.is_superuser else roles.CAPABILITIES[seat.role]
        return _arrive(request, Caller(f"user:{user.pk}", user.email, granted, user.pk), seat.organization_id), token


class MemberSessionAuthentication(SessionAuthentication):
    """The browser session of the admin, with CSRF checked."""

    def authenticate(self, request: Request) -> Any:
        found = super().authenticate(request)
        seat = getattr(request._request, "seat", None)
        if found is None or seat is None:
            return None
        user = found[0]
        granted = roles.EVERYTHING if user.is_superuser else roles.CAPABILITIES[seat.role]
        return _arrive(request, Caller(f"user:{user.pk}", user.email, granted, user.pk), seat.organization_id), None


class SecretKeyScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = SecretKeyAuthentication
    name = "SecretKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A secret key: `Authorization: Bearer sk_…`.",
        }


class MemberTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = MemberTokenAuthentication
    name = "MemberToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}


class MemberSessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = MemberSessionAuthentication
    name = "Session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
