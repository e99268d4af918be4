"""The table of providers, and the one that settings name."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from common.registry import Registry
from delivery.providers import smtp
from delivery.providers.contract import Provider

PROVIDERS: Registry[Provider] = Registry("provider", {"smtp": smtp.PROVIDER, "smtps": smtp.PROVIDER})


def configured_url() -> str:
    """EMAIL_URL; empty means the built-in mailbox."""
    return str(settings.EMAIL_URL or f"smtp://127.0.0.1:{settings.MAILBOX_PORT}")


def is_mailbox(url: str) -> bool:
    """Whether a URL leads to the built-in mailbox, which files mail by organisation."""
    parts = urlsplit(url)
    return parts.hostname in ("127.0.0.1", "localhost") and parts.port == settings.MAILBOX_PORT


def find(url: str) -> Provider:
    """The provider a URL names by its scheme. Raises `Invalid`."""
    return PROVIDERS.find(urlsplit(url).scheme, "EMAIL_URL")
