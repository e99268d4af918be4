"""SparkPost: https://developers.sparkpost.com/api/transmissions/."""

from __future__ import annotations

from typing import Any

from delivery.domain.http_answers import Answer
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.providers import hooks
from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi, base_url
from delivery.providers.mail_hooks import MailHooks

REGIONS = {"us": "https://api.sparkpost.com/api/v1/", "eu": "https://api.eu.sparkpost.com/api/v1/"}
OVER_LIMIT = 420
SUPPRESSED = "1902"
# https://support.sparkpost.com/docs/deliverability/bounce-classification-codes: 10 invalid recipient, 30 no RCPT
DEAD_CLASSES = ("10", "30")


def _options(settings: Settings) -> dict[str, Any]:
    return {
        "api_key": settings["api_key"],
        "subaccount": settings.get("subaccount") or None,
        "api_url": base_url("sparkpost", REGIONS[str(settings.get("region") or "us")]),
    }


def _judge(answer: Answer) -> Outcome | None:
    if answer.status == OVER_LIMIT:
        return Outcome(OutcomeKind.UNTRIED, answer.sentence, retry_after_seconds=60.0)
    body = answer.json
    errors = body.get("errors") if isinstance(body, dict) else None
    if isinstance(errors, list) and any(isinstance(each, dict) and each.get("code") == SUPPRESSED for each in errors):
        return Outcome(OutcomeKind.FAILED, answer.sentence)
    return None


def _is_dead(event: Any) -> bool:
    inner: dict[str, Any] = next(iter(event.esp_event.get("msys", {}).values()), {})
    return str(inner.get("bounce_class")) in DEAD_CLASSES


API = MailApi("sparkpost", "anymail.backends.sparkpost.EmailBackend", _options, _judge)
HOOKS = MailHooks("anymail.webhooks.sparkpost.SparkPostTrackingWebhookView", is_dead=_is_dead)
PROVIDER = Provider(
    "sparkpost",
    "SparkPost",
    ("email",),
    (
        Field("api_key", "API key", "secret", help="With the right “Transmissions: read/write”."),
        Field(
            "region", "Region", "choice", choices=(("us", "United States"), ("eu", "European Union")), default="us"
        ),
        Field("subaccount", "Subaccount", is_required=False),
        hooks.PASSWORD,
    ),
    API.connect,
    hooks=HOOKS,
    help="Webhook: the address below with message, engagement and unsubscribe events, basic authentication.",
)
