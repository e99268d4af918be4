"""Postmark: https://postmarkapp.com/developer/api/email-api, error codes at …/developer/api/overview#error-codes."""

from __future__ import annotations

from typing import Any

from delivery.domain.http_answers import Answer
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.providers import hooks
from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url
from delivery.providers.mail_hooks import MailHooks

# The sender's signature is unknown or unconfirmed, sending is not allowed, the account waits for approval.
ACCOUNT_ERRORS = frozenset({10, 400, 401, 405, 412, 413})


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "server_token": settings["server_token"],
        "message_stream": settings.get("message_stream") or None,
        "api_url": base_url("postmark", "https://api.postmarkapp.com/"),
    }


def _judge(answer: Answer) -> Outcome | None:
    body = answer.json
    if isinstance(body, dict) and body.get("ErrorCode") in ACCOUNT_ERRORS:
        return Outcome(OutcomeKind.UNTRIED, answer.sentence, is_account_refused=True)
    return None


def _is_dead(event: Any) -> bool:
    return event.esp_event.get("Type") in ("HardBounce", "BadEmailAddress")


# Without X-PM-KeepID it would put a Message-ID of its own in the place of ours.
API = MailApi("postmark", "anymail.backends.postmark.EmailBackend", _options, _judge, headers={"X-PM-KeepID": "true"})
HOOKS = MailHooks("anymail.webhooks.postmark.PostmarkTrackingWebhookView", is_dead=_is_dead)
PROVIDER = Provider(
    "postmark",
    "Postmark",
    ("email",),
    (
        Field("server_token", "Server API token", "secret"),
        Field("message_stream", "Message stream", is_required=False, help="Such as broadcast; empty: outbound."),
        hooks.PASSWORD,
    ),
    API.connect,
    hooks=HOOKS,
    help="Webhooks: add one with the address below for delivery, bounce, spam complaint and subscription change.",
)
