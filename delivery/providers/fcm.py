"""Push to apps by Firebase Cloud Messaging, HTTP v1. A service account signs for a token that lasts an hour."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import urlencode

import jwt
import msgspec

from common.errors import Invalid
from common.http import Answer, NoAnswer, NotSent, check_url
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Push
from delivery.providers.contract import Connection, Field, Provider, ProviderUnavailable, Settings
from delivery.providers.http import HttpConnection, Request, decoded, encoded, said

SCOPE = "https://www.googleapis.com/auth/firebase.messaging"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
BASE = "https://fcm.googleapis.com"
TOKEN_SECONDS = 3600
RENEW_SECONDS = 120
# Of a refusal: the token belongs to nobody any more, or never did to us.
DEAD = frozenset({"UNREGISTERED", "SENDER_ID_MISMATCH"})


class ServiceAccount(msgspec.Struct, frozen=True):
    """What we need of the JSON file that Google's console gives."""

    project_id: str
    client_email: str
    private_key: str
    private_key_id: str = ""
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 — an address


def account_of(text: str) -> ServiceAccount:
    """Raises `Invalid`."""
    try:
        account = msgspec.json.decode(text, type=ServiceAccount)
        jwt.encode({}, account.private_key, algorithm="RS256")
    except (msgspec.MsgspecError, ValueError, TypeError, jwt.PyJWTError) as error:
        sentence = "Paste the whole JSON file of the service account, with its private key."
        raise Invalid(sentence, details={"service_account": sentence}) from error
    return account


class FcmConnection(HttpConnection):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._account = account_of(str(settings["service_account"]))
        self._base = str(settings.get("base_url") or BASE).rstrip("/")
        self._token, self._expires = "", 0.0
        self._authorize()

    def _authorize(self) -> None:
        """Fetch an access token. Raises `ProviderUnavailable`."""
        now = int(time.time())
        account = self._account
        claims = {
            "iss": account.client_email,
            "scope": SCOPE,
            "aud": account.token_uri,
            "iat": now,
            "exp": now + TOKEN_SECONDS,
        }
        headers = {"kid": account.private_key_id} if account.private_key_id else None
        assertion = jwt.encode(claims, account.private_key, algorithm="RS256", headers=headers)
        body = urlencode({"grant_type": GRANT, "assertion": assertion}).encode("ascii")
        try:
            answer = self._client.call("POST", account.token_uri, headers=FORM, body=body)
        except (NotSent, NoAnswer) as error:
            raise ProviderUnavailable(f"Google gives no access token: {error}") from error
        try:
            told = decoded(answer)
            self._token = f"Bearer {told['access_token']}"
            self._expires = time.monotonic() + float(told.get("expires_in", TOKEN_SECONDS))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ProviderUnavailable(f"Google gives no access token: {said(answer)}") from error

    def request(self, envelope: Envelope) -> Request:
        if time.monotonic() > self._expires - RENEW_SECONDS:
            self._authorize()
        url = f"{self._base}/v1/projects/{self._account.project_id}/messages:send"
        headers = {"Authorization": self._token, "Content-Type": "application/json"}
        return Request("POST", url, headers, encoded({"message": _message(envelope.payload)}))

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.SENT, str(decoded(answer)["name"]))

    def judge(self, answer: Answer, envelope: Envelope) -> Outcome:
        if answer.status == 403 and _code(answer) in DEAD:
            return self.refused(answer, envelope)
        if answer.status == 401:
            self._expires = 0.0
        return super().judge(answer, envelope)

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        return Outcome(OutcomeKind.FAILED, said(answer), is_hard_bounce=_code(answer) in DEAD or _is_no_token(answer))


def _message(push: Push) -> dict[str, Any]:
    notification = {"title": push.title, "body": push.body, "image": push.image}
    return {
        "token": push.device.token,
        "notification": {name: value for name, value in notification.items() if value},
        "data": {"url": push.url, "tag": push.tag},
        # A second try replaces the first instead of standing beside it.
        "android": {"notification": {"tag": push.tag}},
        "apns": {"headers": {"apns-collapse-id": push.tag}, "payload": {"aps": {"sound": "default"}}},
    }


def _code(answer: Answer) -> str:
    """FCM's own word for an error, e.g. UNREGISTERED; "" when it says none."""
    try:
        details = decoded(answer)["error"].get("details") or []
        return next((str(each["errorCode"]) for each in details if "errorCode" in each), "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""


def _is_no_token(answer: Answer) -> bool:
    """Whether a 400 is about the token: it never was one."""
    try:
        details = decoded(answer)["error"].get("details") or []
        fields = [violation.get("field") for each in details for violation in each.get("fieldViolations", ())]
    except (ValueError, KeyError, TypeError, AttributeError):
        return False
    return answer.status == 400 and "message.token" in fields


def connect(settings: Settings) -> Connection:
    return FcmConnection(settings)


def check(settings: Settings) -> None:
    """Raises `Invalid` by field."""
    account = account_of(str(settings["service_account"]))
    check_url(account.token_uri, "service_account")
    check_url(str(settings.get("base_url") or BASE), "base_url")


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
FIELDS = (
    Field(
        "service_account",
        "Service account",
        "secret_lines",
        help="The JSON file from Firebase: Project settings, Service accounts.",
    ),
    Field("base_url", "Server", is_required=False, default=BASE, help="Only for an emulator."),
)
PROVIDER = Provider("fcm", "Firebase Cloud Messaging", ("push",), FIELDS, connect, check=check, device_kind="fcm")
