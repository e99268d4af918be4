"""The table of providers, and the one that EMAIL_URL names."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings

from audience.models import MessageChannel
from common.errors import Invalid
from common.registry import Registry
from delivery.providers import (
    amazon_ses,
    brevo,
    fcm,
    http_text,
    inbox,
    mailgun,
    postmark,
    resend,
    sendgrid,
    slack,
    smtp,
    sparkpost,
    twilio,
    webhook,
    webpush,
)
from delivery.providers.contract import Connection, Provider, ProviderUnavailable, Settings

PROVIDERS: Registry[Provider] = Registry(
    "provider",
    {
        provider.name: provider
        for provider in (
            smtp.PROVIDER,
            amazon_ses.PROVIDER,
            sendgrid.PROVIDER,
            mailgun.PROVIDER,
            postmark.PROVIDER,
            resend.PROVIDER,
            brevo.PROVIDER,
            sparkpost.PROVIDER,
            twilio.PROVIDER,
            http_text.PROVIDER,
            webpush.PROVIDER,
            fcm.PROVIDER,
            slack.PROVIDER,
            webhook.PROVIDER,
        )
    },
)
# Works without an account.
BUILT_IN = {MessageChannel.IN_APP.value: inbox.PROVIDER}


def of_kind(name: str) -> Provider:
    """The provider of an account; one that nobody can use when this version has no such kind."""

    def connect(settings: Settings) -> Connection:
        raise ProviderUnavailable(f"there is no kind of provider called “{name}” here")

    return PROVIDERS.get(name) or Provider(name, name, tuple(MessageChannel.values), (), connect)


def configured_url() -> str:
    """EMAIL_URL; empty means the built-in mailbox."""
    return str(settings.EMAIL_URL or f"smtp://127.0.0.1:{settings.MAILBOX_PORT}")


def is_mailbox(url: str) -> bool:
    """Whether a URL leads to the built-in mailbox, which files mail by organisation."""
    parts = urlsplit(url)
    return parts.hostname in ("127.0.0.1", "localhost") and parts.port == settings.MAILBOX_PORT


def of_url(url: str) -> tuple[Provider, dict[str, object]]:
    """The provider that a URL names, and its settings. Raises `Invalid`."""
    if urlsplit(url).scheme not in ("smtp", "smtps"):
        raise Invalid("EMAIL_URL begins with smtp:// or smtps://; other providers are set up under Providers.")
    return smtp.PROVIDER, smtp.parse(url)
