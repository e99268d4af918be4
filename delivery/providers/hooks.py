"""How a provider tells what became of messages: one request to /webhooks/<token>/, proven, kept raw, read later."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest

from delivery.domain.reports import Report
from delivery.providers.contract import Field, Settings

USER = "groundswell"  # the user name in an address that carries a password
# For providers that do not sign: the password is part of the address that is pasted there.
PASSWORD = Field(
    "hook_password",
    "Password of the webhook",
    "secret",
    is_required=False,
    help="Any long text; the provider proves itself with it. Without one, its reports are refused.",
)


class Forged(Exception):
    """A request that does not prove that it comes from the provider. `asks` lets it try again with a password."""

    def __init__(self, reason: str, *, asks: bool = False) -> None:
        super().__init__(reason)
        self.asks = asks


@dataclass(frozen=True)
class Call:
    """A proven request as it is kept: only the headers that reading it needs."""

    body: bytes
    received_at: datetime
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)

    def request(self) -> HttpRequest:
        """The request once more, for readers that want one."""
        headers = {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        return WSGIRequest(
            {
                "REQUEST_METHOD": "POST",
                "PATH_INFO": "/",
                "CONTENT_TYPE": self.content_type,
                "CONTENT_LENGTH": str(len(self.body)),
                "wsgi.input": io.BytesIO(self.body),
                **headers,
            }
        )


class Hooks(Protocol):
    """What a provider owes whose reports we read.

    `verify` raises `Forged`. `greet` answers what must be answered at once, such as the confirmation of a
    subscription; it may ask the network and raises `Transient`. `read` raises `Invalid` for what it cannot
    understand. `headers` are kept with the body.
    """

    @property
    def headers(self) -> tuple[str, ...]: ...

    def verify(self, request: HttpRequest, settings: Settings) -> None: ...

    def greet(self, request: HttpRequest, settings: Settings) -> None: ...

    def read(self, call: Call) -> list[Report]: ...
