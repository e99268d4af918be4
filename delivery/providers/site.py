"""The mail server of the installation: EMAIL_URL, else the built-in mailbox. Nobody sets it up as an account.

It gets a `Provider` row in an organisation when it must be paused there for the first time.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from common.errors import Invalid
from delivery.providers import smtp
from delivery.providers.contract import Connection, Provider, ProviderUnavailable, Settings


def url() -> str:
    """EMAIL_URL; empty means the built-in mailbox."""
    return str(settings.EMAIL_URL or f"smtp://127.0.0.1:{settings.MAILBOX_PORT}")


def is_mailbox() -> bool:
    """Whether it is the built-in mailbox, which files mail by organisation."""
    parts = urlsplit(url())
    return parts.hostname in ("127.0.0.1", "localhost") and parts.port == settings.MAILBOX_PORT


def connect(_: Settings) -> Connection:
    """Open a connection to where EMAIL_URL leads now. Raises `ProviderUnavailable`."""
    try:
        if urlsplit(url()).scheme not in ("smtp", "smtps"):
            raise Invalid("EMAIL_URL begins with smtp:// or smtps://; other providers are set up under Providers.")
        return smtp.connect(smtp.parse(url()))
    except Invalid as error:
        raise ProviderUnavailable(error.message) from error


PROVIDER = Provider(
    "site",
    "Mail server of this site",
    ("email",),
    (),
    connect,
    wants_bytes=True,
    help="Where the setting EMAIL_URL leads. It carries the e-mails for which no account is chosen.",
)
