"""The table of providers."""

from __future__ import annotations

from audience.models import MessageChannel
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
    site,
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

    if name == site.PROVIDER.name:
        return site.PROVIDER
    return PROVIDERS.get(name) or Provider(name, name, tuple(MessageChannel.values), (), connect)
