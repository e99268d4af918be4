"""Mailgun: https://documentation.mailgun.com/docs/mailgun/api-reference."""

from __future__ import annotations

from typing import Any

from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url
from delivery.providers.mail_hooks import MailHooks

REGIONS = {"us": "https://api.mailgun.net/v3", "eu": "https://api.eu.mailgun.net/v3"}


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "api_key": settings["api_key"],
        "sender_domain": settings["domain"],
        "api_url": base_url("mailgun", REGIONS[str(settings.get("region") or "us")]),
    }


def _identity(event: Any) -> object:
    """Its id is unique within a day. The token, which anymail takes, is a new one each time that it tries again."""
    data = event.esp_event.get("event-data") if isinstance(event.esp_event, dict) else None
    return [data["id"], data.get("timestamp")] if isinstance(data, dict) and data.get("id") else event.event_id


def _is_dead(event: Any) -> bool:
    data = event.esp_event.get("event-data", {}) if isinstance(event.esp_event, dict) else {}
    return data.get("severity") == "permanent" and data.get("reason") in ("bounce", "suppress-bounce")


API = MailApi("mailgun", "anymail.backends.mailgun.EmailBackend", _options)
HOOKS = MailHooks(
    "anymail.webhooks.mailgun.MailgunTrackingWebhookView", ("hook_key", "webhook_signing_key"), _is_dead, _identity
)
PROVIDER = Provider(
    "mailgun",
    "Mailgun",
    ("email",),
    (
        Field("api_key", "Sending API key", "secret"),
        Field("domain", "Sending domain", help="As it stands in Mailgun, such as mg.example.com."),
        Field(
            "region", "Region", "choice", choices=(("us", "United States"), ("eu", "European Union")), default="us"
        ),
        Field("hook_key", "HTTP webhook signing key", "secret", is_required=False),
    ),
    API.connect,
    hooks=HOOKS,
    help="Webhooks: the address below for delivered, permanent and temporary failure, complained, unsubscribed.",
)
