"""SendGrid: https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send."""

from __future__ import annotations

from typing import Any

from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url
from delivery.providers.mail_hooks import MailHooks


def _options(settings: Settings) -> dict[str, Any]:
    return {"api_key": settings["api_key"], "api_url": base_url("sendgrid", "https://api.sendgrid.com/v3/")}


def _is_dead(event: Any) -> bool:
    """A bounce of type `blocked` was turned away for now: the address may be fine."""
    return event.esp_event.get("event") == "bounce" and event.esp_event.get("type") != "blocked"


API = MailApi("sendgrid", "anymail.backends.sendgrid.EmailBackend", _options)
HOOKS = MailHooks(
    "anymail.webhooks.sendgrid.SendGridTrackingWebhookView",
    ("hook_key", "tracking_webhook_verification_key"),
    _is_dead,
)
PROVIDER = Provider(
    "sendgrid",
    "SendGrid",
    ("email",),
    (
        Field("api_key", "API key", "secret", help="With the right to send mail."),
        Field(
            "hook_key",
            "Verification key of the event webhook",
            "secret",
            is_required=False,
            help="The public key that SendGrid shows once its signed event webhook is switched on.",
        ),
    ),
    API.connect,
    hooks=HOOKS,
    help="Event webhook: the address below, signed, with all delivery events, spam reports and unsubscribes.",
)
