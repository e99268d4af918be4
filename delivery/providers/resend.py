"""Resend: https://resend.com/docs/api-reference/emails/send-email. It recognises a second try for 24 hours."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from delivery.domain.http_answers import Answer
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.domain.reports import ReportKind
from delivery.providers import webhook_signature
from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url

MEMORY = timedelta(hours=12)  # half of what it promises
NEWER_KINDS = {"email.failed": ReportKind.REJECTED, "email.suppressed": ReportKind.REJECTED}


def _options(settings: Settings) -> dict[str, Any]:
    return {"api_key": settings["api_key"], "api_url": base_url("resend", "https://api.resend.com/")}


def _prepare(payload: Any, key: str) -> None:
    payload.headers["Idempotency-Key"] = key


def _judge(answer: Answer) -> Outcome | None:
    body = answer.json
    name = body.get("name") if isinstance(body, dict) else None
    if answer.status == 409 and name == "concurrent_idempotent_requests":
        return Outcome(OutcomeKind.UNCERTAIN, answer.sentence)
    if answer.status == 409 and name == "invalid_idempotent_request":
        # It has had this message before, in other words: what became of that one its webhooks tell.
        return Outcome(OutcomeKind.UNCERTAIN, answer.sentence)
    return None


def _is_dead(event: Any) -> bool:
    data = event.esp_event.get("data") or {}
    return (data.get("bounce") or {}).get("type") == "Permanent" or event.esp_event.get("type") == "email.suppressed"


def _kind(event: Any) -> ReportKind | None:
    return NEWER_KINDS.get(event.esp_event.get("type"))


API = MailApi(
    "resend",
    "anymail.backends.resend.EmailBackend",
    _options,
    _judge,
    _prepare,
    has_memory=True,
    turns_tracking_off=False,  # a setting of the domain there
    parallel=2,  # its limit is a few requests a second
)
HOOKS = webhook_signature.SignedMailHooks(
    "anymail.webhooks.resend.ResendTrackingWebhookView",
    ("hook_secret", ""),
    _is_dead,
    kind=_kind,
    headers=("svix-id",),
)
PROVIDER = Provider(
    "resend",
    "Resend",
    ("email",),
    (
        Field("api_key", "API key", "secret"),
        Field(
            "hook_secret", "Signing secret of the webhook", "secret", is_required=False, help="Begins with whsec_."
        ),
    ),
    API.connect,
    hooks=HOOKS,
    remembers=MEMORY,
    help="Webhook: the address below with all e-mail events. Switch open and click tracking of the domain off.",
)
