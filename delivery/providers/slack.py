"""Slack: by an incoming webhook, which belongs to one channel, or by a bot's token and chat.postMessage."""

from __future__ import annotations

from common import http
from common.errors import Invalid
from common.http import Answer
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import Connection, Field, Provider, Settings
from delivery.providers.http import HttpConnection, Request, decoded, encoded, said

JSON = {"Content-Type": "application/json; charset=utf-8"}
# What chat.postMessage says in a 200 when it did not post, by what it means for us.
LATER = frozenset(
    {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}
)
NOT_LET_IN = frozenset(
    {"invalid_auth", "not_authed", "token_revoked", "token_expired", "account_inactive", "missing_scope"}
)


class SlackConnection(HttpConnection):
    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._webhook = str(settings.get("webhook_url") or "")
        self._token = str(settings.get("token") or "")
        self._channel = str(settings.get("room") or "")
        self._base = str(settings.get("base_url") or BASE).rstrip("/")

    def request(self, envelope: Envelope) -> Request:
        text = envelope.payload.text
        if self._webhook:
            return Request("POST", self._webhook, JSON, encoded({"text": text}))
        body = {"channel": self._channel, "text": text, "unfurl_links": False}
        headers = JSON | {"Authorization": f"Bearer {self._token}"}
        return Request("POST", f"{self._base}/chat.postMessage", headers, encoded(body))

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        if self._webhook:
            if answer.text.strip() != "ok":
                raise ValueError("an incoming webhook answers ok")
            return Outcome(OutcomeKind.SENT)
        told = decoded(answer)
        if told["ok"] is True:
            return Outcome(OutcomeKind.SENT, str(told["ts"]))
        reason = f"Slack says {told['error']}."
        if told["error"] in LATER:
            self._usable = False
            return Outcome(OutcomeKind.RETRY, reason, retry_after_seconds=answer.retry_after_seconds)
        if told["error"] in NOT_LET_IN:
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, reason)
        return Outcome(OutcomeKind.FAILED, reason)

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        # 404 and 410 of a webhook: it was taken away, or its channel archived. It is the account that is wrong.
        if self._webhook and answer.status in (404, 410):
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, f"The webhook is not there any more: {said(answer)}")
        return Outcome(OutcomeKind.FAILED, said(answer))


def connect(settings: Settings) -> Connection:
    return SlackConnection(settings)


def check(settings: Settings) -> None:
    """One of the two ways. Raises `Invalid`."""
    if settings.get("webhook_url"):
        http.check_url(str(settings["webhook_url"]), "webhook_url")
    elif not (settings.get("token") and settings.get("room")):
        sentence = "Give the address of an incoming webhook, or a bot's token and a channel."
        raise Invalid(sentence, details={"webhook_url": sentence})
    http.check_url(str(settings.get("base_url") or BASE), "base_url")


BASE = "https://slack.com/api"
FIELDS = (
    Field(
        "webhook_url", "Incoming webhook", "secret", False, "https://hooks.slack.com/services/… Posts to one channel."
    ),
    Field("token", "Bot token", "secret", False, "xoxb-… with the right chat:write, instead of a webhook."),
    Field("room", "Channel", is_required=False, help="With a token: the channel's id, such as C0123456789."),
    Field("base_url", "Server", is_required=False, default=BASE, help="Only for a server that speaks as Slack does."),
)
PROVIDER = Provider("slack", "Slack", ("slack",), FIELDS, connect, check=check)
