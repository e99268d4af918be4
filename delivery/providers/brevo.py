"""Brevo: https://developers.brevo.com/reference/sendtransacemail. It recognises a second try for some minutes."""

from __future__ import annotations

import uuid
from typing import Any

from delivery.domain.http_answers import Answer
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.providers import hooks
from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url
from delivery.providers.mail_hooks import MailHooks

KEY_SPACE = uuid.UUID("6f3a4f6e-6d4d-4a55-9b6c-2b1f0b7f3c11")


def _options(settings: Settings) -> dict[str, Any]:
    return {"api_key": settings["api_key"], "api_url": base_url("brevo", "https://api.brevo.com/v3/")}


def _prepare(payload: Any, key: str) -> None:
    # It wants a UUID: https://developers.brevo.com/docs/heterogenous-versions-batch-emails
    payload.data["headers"]["idempotencyKey"] = str(uuid.uuid5(KEY_SPACE, key))


def _judge(answer: Answer) -> Outcome | None:
    body = answer.json
    code = body.get("code") if isinstance(body, dict) else None
    if answer.status == 400 and code == "duplicate_parameter":
        return Outcome(OutcomeKind.SENT, "")  # it took this very message a moment ago
    if answer.status == 400 and code in ("unauthorized", "permission_denied", "not_enough_credits"):
        return Outcome(OutcomeKind.UNTRIED, answer.sentence, is_account_refused=True)
    return None


def _is_dead(event: Any) -> bool:
    return event.esp_event.get("event") in ("hard_bounce", "invalid_email")


API = MailApi(
    "brevo",
    "anymail.backends.brevo.EmailBackend",
    _options,
    _judge,
    _prepare,
    has_memory=True,
    turns_tracking_off=False,  # a setting of the account there
)
HOOKS = MailHooks("anymail.webhooks.brevo.BrevoTrackingWebhookView", is_dead=_is_dead)
PROVIDER = Provider(
    "brevo",
    "Brevo",
    ("email",),
    (Field("api_key", "API key", "secret", help="Of version 3; begins with xkeysib-."), hooks.PASSWORD),
    API.connect,
    hooks=HOOKS,
    help="Transactional webhook: the address below with all events. Switch tracking off in the account.",
)
