"""SMS and WhatsApp by Twilio, or a provider whose API has its shape.

A recipient who wrote STOP, and a number that does not exist, come back as errors with a number of their own.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

import msgspec
from django.conf import settings as site
from django.http import HttpRequest

from common import tenancy
from common.errors import Invalid
from common.http import Answer, check_url
from delivery import links
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.domain.payloads import Text
from delivery.domain.reports import Finding, Report, ReportKind, key_of
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.hooks import Call, Forged
from delivery.providers.http import HttpConnection, Request, decoded, said

BASE = "https://api.twilio.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# 21211, 21614: no such number, or none that takes SMS; 21610: the recipient wrote STOP; 63003: not on WhatsApp.
DEAD = frozenset({21211, 21610, 21614, 63003})
NOT_LET_IN = frozenset(
    {20003, 20005, 20008, 21606, 21660}
)  # credentials, a closed account, a sender that is not ours
STATUSES = {
    "sent": ReportKind.ACCEPTED,
    "delivered": ReportKind.DELIVERED,
    "undelivered": ReportKind.BOUNCED,
    "failed": ReportKind.REJECTED,
    "read": ReportKind.OPENED,
}
DEAD_CODES = frozenset({"30005", "30006", "21211", "21614", "63003"})  # no such number, a landline, not on WhatsApp
STOP_WORDS = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
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
        self._account_id: int | None = settings.get("account_id")

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
        if self._account_id is not None and envelope.message_id:
            asked["StatusCallback"] = _callback(self._account_id, envelope.message_id)
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


def _callback(account_id: int, message_id: int) -> str:
    """Where Twilio tells what became of a message; the address says which one."""
    organization_id = tenancy.required()
    reference = urlencode({"reference": links.reference(organization_id, message_id)})
    return f"{links.hook_url(organization_id, account_id)}?{reference}"


class TwilioHooks:
    """Status callbacks, and what recipients write back: STOP withdraws their consent."""

    headers: tuple[str, ...] = ()

    def verify(self, request: HttpRequest, settings: Settings) -> None:
        """Raises `Forged`."""
        url = f"{site.PUBLIC_URL}{request.get_full_path()}"
        expected = signature(str(settings["auth_token"]), url, request.POST.dict())  # type: ignore[arg-type]
        if not hmac.compare_digest(expected.encode(), request.headers.get("X-Twilio-Signature", "").encode()):
            raise Forged("The signature is not Twilio's.")

    def greet(self, request: HttpRequest, settings: Settings) -> None:
        """Twilio needs no answer."""

    def read(self, call: Call) -> list[Report]:
        """Raises `Invalid`."""
        said = {name: value.replace("\x00", "") for name, value in parse_qsl(call.body.decode("utf-8", "replace"))}
        number = said.get("MessageSid") or said.get("SmsSid")
        if not number:
            raise Invalid("Twilio names every message; this request names none.")
        if "MessageStatus" in said:
            return self._status(said, number, call)
        word = said.get("OptOutType") or said.get("Body", "")
        if word.strip().upper() not in STOP_WORDS:
            return []
        address = said.get("From", "").removeprefix("whatsapp:")
        key = key_of("twilio", number, "stop")
        return [Report(key, ReportKind.UNSUBSCRIBED, call.received_at, "", number, address, Finding.UNSUBSCRIBED)]

    def _status(self, said: Mapping[str, str], number: str, call: Call) -> list[Report]:
        kind = STATUSES.get(said["MessageStatus"])
        if kind is None:
            return []
        code = said.get("ErrorCode", "")
        finding = Finding.DEAD if code in DEAD_CODES else Finding.NOTHING
        reference = dict(parse_qsl(call.headers.get("query", ""))).get("reference", "")
        key = key_of("twilio", number, said["MessageStatus"])
        answer = f"{said['MessageStatus']} {code}".strip()
        return [Report(key, kind, call.received_at, reference, number, finding=finding, answer=answer)]


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
PROVIDER = Provider("twilio", "Twilio", ("sms", "whatsapp"), FIELDS, connect, check=check, hooks=TwilioHooks())
