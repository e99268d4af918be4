"""SMS and WhatsApp by Twilio, or a provider whose API has its shape.

A recipient who wrote STOP, and a number that does not exist, come back as errors with a number of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from common.errors import Invalid
from common.http import Answer, check_url
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Text
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.http import HttpConnection, Request, decoded, said

BASE = "https://api.twilio.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# 21211, 21614: no such number, or none that takes SMS; 21610: the recipient wrote STOP; 63003: not on WhatsApp.
DEAD = frozenset({21211, 21610, 21614, 63003})
NOT_LET_IN = frozenset(
    {20003, 20005, 20008, 21606, 21660}
)  # credentials, a closed account, a sender that is not ours
SENT = frozenset({"accepted", "scheduled", "queued", "sending", "sent", "delivered", "read"})


class TwilioConnection(HttpConnection):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        account = str(settings["account_sid"])
        base = str(settings.get("base_url") or BASE).rstrip("/")
        self._url = f"{base}/2010-04-01/Accounts/{account}/Messages.json"
        word = base64.b64encode(f"{account}:{settings['auth_token']}".encode()).decode("ascii")
        self._headers = FORM | {"Authorization": f"Basic {word}"}
        self._sender = str(settings["sender"])
        self._prefix = "whatsapp:" if settings.get("channel") == "whatsapp" else ""
        self._hook = str(settings.get("hook_url") or "")

    def request(self, envelope: Envelope) -> Request:
        words: Text = envelope.payload
        asked = {"To": f"{self._prefix}{envelope.recipient}"}
        if self._sender.startswith("MG"):
            asked["MessagingServiceSid"] = self._sender
        else:
            asked["From"] = f"{self._prefix}{self._sender}"
        if words.template_id:
            asked["ContentSid"] = words.template_id
            asked["ContentVariables"] = msgspec.json.encode(words.template_variables).decode()
        else:
            asked["Body"] = words.text
        if self._hook:
            asked["StatusCallback"] = self._hook
        return Request("POST", self._url, self._headers, urlencode(asked).encode("ascii"))

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        told = decoded(answer)
        if told["status"] not in SENT:
            return Outcome(OutcomeKind.FAILED, f"{told['status']}: {told.get('error_message') or 'no reason given'}")
        return Outcome(OutcomeKind.SENT, str(told["sid"]))

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        code = _code(answer)
        if code in NOT_LET_IN:
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, f"The account is not let in: {said(answer)}")
        return Outcome(OutcomeKind.FAILED, said(answer), is_hard_bounce=code in DEAD)


def _code(answer: Answer) -> int:
    try:
        return int(decoded(answer)["code"])
    except (ValueError, KeyError, TypeError):
        return 0


def signature(auth_token: str, url: str, parameters: Mapping[str, str]) -> str:
    """What X-Twilio-Signature says of a request: HMAC-SHA1 over the address and the sorted form fields."""
    text = url + "".join(f"{name}{parameters[name]}" for name in sorted(parameters))
    return base64.b64encode(hmac.new(auth_token.encode(), text.encode(), hashlib.sha1).digest()).decode("ascii")


def connect(settings: Settings) -> Connection:
    return TwilioConnection(settings)


def check(settings: Settings) -> None:
    """Raises `Invalid` by field."""
    check_url(str(settings.get("base_url") or BASE), "base_url")
    if not str(settings["account_sid"]).isalnum():
        sentence = "An account SID has letters and digits only."
        raise Invalid(sentence, details={"account_sid": sentence})


FIELDS = (
    Field("account_sid", "Account SID", help="AC…"),
    Field("auth_token", "Auth token", "secret"),
    Field("sender", "Sender", help="Your number, such as +447700900123, or a messaging service, MG…"),
    Field("base_url", "Server", is_required=False, default=BASE, help="Another one that speaks as Twilio does."),
)
PROVIDER = Provider("twilio", "Twilio", ("sms", "whatsapp"), FIELDS, connect, check=check)
