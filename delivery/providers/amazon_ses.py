"""Amazon SES v2, with reports by Amazon SNS: https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.

boto3 is loaded when the first message goes; it would repeat requests by itself, which could send twice.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings as site

from delivery.domain.http_answers import Answer
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.domain.reports import ReportKind
from delivery.providers import amazon_sns
from delivery.providers.contract import Field, Provider, Settings
from delivery.providers.mail_api import MailApi

PARALLEL = 8
# What is wrong with the account or the sender, whatever the status of the answer.
ACCOUNT_ERRORS = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "MailFromDomainNotVerifiedException",
        "AccessDeniedException",
        "UnrecognizedClientException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "SignatureDoesNotMatch",
        "ExpiredTokenException",
        "NotFoundException",
    }
)
OVER_LIMIT = frozenset({"TooManyRequestsException", "ThrottlingException", "LimitExceededException"})
NOT_VERIFIED = "is not verified"


def _options(settings: Settings) -> dict[str, Any]:
    client: dict[str, Any] = {
        "aws_access_key_id": settings["access_key_id"],
        "aws_secret_access_key": settings["secret_access_key"],
        "region_name": settings["region"],
        "config": {
            "retries": {"total_max_attempts": 1},
            "connect_timeout": site.PROVIDER_TIMEOUT_SECONDS,
            "read_timeout": site.PROVIDER_TIMEOUT_SECONDS,
            "max_pool_connections": PARALLEL,
        },
    }
    if "amazon_ses" in site.PROVIDER_API_URLS:
        client["endpoint_url"] = site.PROVIDER_API_URLS["amazon_ses"]
    return {"client_params": client, "configuration_set_name": settings.get("configuration_set") or None}


def _judge(answer: Answer) -> Outcome | None:
    code = answer.headers.get("x-amzn-errortype", "")
    if code in OVER_LIMIT:
        return Outcome(OutcomeKind.UNTRIED, answer.sentence, retry_after_seconds=2.0)
    if code in ACCOUNT_ERRORS or (code == "MessageRejected" and NOT_VERIFIED in answer.text):
        return Outcome(OutcomeKind.UNTRIED, answer.sentence, is_account_refused=True)
    return None


def _is_dead(event: Any) -> bool:
    return (event.esp_event.get("bounce") or {}).get("bounceType") == "Permanent"


def _kind(event: Any) -> ReportKind | None:
    return ReportKind.DEFERRED if event.esp_event.get("eventType") == "DeliveryDelay" else None


API = MailApi(
    "amazon_ses",
    "anymail.backends.amazon_ses.EmailBackend",
    _options,
    _judge,
    turns_tracking_off=False,  # a matter of the configuration set there
    parallel=PARALLEL,
)
HOOKS = amazon_sns.SnsHooks(
    "anymail.webhooks.amazon_ses.AmazonSESTrackingWebhookView",
    is_dead=_is_dead,
    kind=_kind,
    headers=amazon_sns.HEADERS,
)
PROVIDER = Provider(
    "amazon_ses",
    "Amazon SES",
    ("email",),
    (
        Field("access_key_id", "Access key ID", help="Of a user that may ses:SendEmail and ses:SendRawEmail."),
        Field("secret_access_key", "Secret access key", "secret"),
        Field("region", "Region", help="Such as eu-west-1.", default="us-east-1"),
        Field("configuration_set", "Configuration set", is_required=False, help="The one that publishes to SNS."),
        Field(
            "topic_arn",
            "ARN of the SNS topic",
            is_required=False,
            help="Only reports of this topic are believed. Such as arn:aws:sns:eu-west-1:123456789012:mail.",
        ),
    ),
    API.connect,
    hooks=HOOKS,
    help=(
        "Let the configuration set publish events to an SNS topic, and subscribe the address below to it by HTTPS; "
        "the subscription confirms itself."
    ),
)
