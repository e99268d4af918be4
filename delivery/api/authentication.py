"""A contact's own token, with which an app shows the inbox and registers the device it runs on."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts import actor
from accounts.api.authentication import Caller
from accounts.middleware import client_address
from audience.models import Contact
from audience.views import allow_origin
from common import tenancy
from common.errors import AppError, Invalid
from delivery.services import inbox

CAPABILITIES = frozenset({"inbox:read", "inbox:write"})


class ContactTokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer ct_…` from `/api/v1/contact-tokens/`."""

    def authenticate(self, request: Request) -> tuple[Caller, Any] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not text.startswith(inbox.PREFIX):
            return None
        known = inbox.read_token(text.strip())
        if known is None:
            raise AuthenticationFailed("This contact token is wrong or has run out; ask your server for a new one.")
        organization_id, contact_id = known
        tenancy.activate(organization_id)
        try:
            contact = inbox.living_contact(contact_id)
        except AppError as error:
            raise AuthenticationFailed(error.message) from error
        name = f"contact {contact.pk}"
        actor.become(actor.Actor(name, client_address(request._request)))
        return Caller(f"contact:{contact.pk}", name, CAPABILITIES), contact

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


class ContactTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ContactTokenAuthentication
    name = "ContactToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A contact token: `Authorization: Bearer ct_…`."}


class FromApps:
    """For views that apps call from browsers of any site: CORS, and the contact that is meant."""

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.method == "OPTIONS":
            response: Any = HttpResponse(status=204)
        else:
            response = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        allow_origin(request, response)
        if request.method == "OPTIONS":
            response["Access-Control-Allow-Methods"] = "GET, POST, DELETE, OPTIONS"
        return response

    def contact(self, request: Request) -> Contact:
        """The token's contact; a server with a secret key names it by `contact_id`. Raises `Invalid`, `NotFound`."""
        if isinstance(request.auth, Contact):
            return request.auth
        text = str(request.query_params.get("contact_id", ""))
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            raise Invalid("Say whose inbox: ?contact_id=…, or call with a contact token.", code="contact_needed")
        return inbox.living_contact(int(text))
