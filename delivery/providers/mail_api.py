"""E-mail through a provider's HTTP API, by django-anymail: what all of them share.

anymail writes the request that each provider wants and reads its yes. What a no, a silence or nonsense means for
the message is judged here, because anymail raises one exception for all three. Requests go over kept connections,
`parallel` at a time, are never repeated by a library, and follow no redirect: each of those could send twice.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any

import requests
import urllib3
from anymail.exceptions import AnymailAPIError, AnymailError, AnymailNotSupportedWarning
from anymail.utils import EmailAddress
from django.conf import settings as site
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string
from requests.adapters import HTTPAdapter

from common import clock, tenancy
from delivery import links
from delivery.domain import http_answers
from delivery.domain.http_answers import Answer
from delivery.domain.mime import CONTROL, Letter
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import Connection, ProviderUnavailable, Settings

REFERENCE = "groundswell"  # the name under which a message carries our signed reference to the provider and back
LONGEST_ANSWER = 20_000
# boto3's words for a request that never left; the others mean silence.
BOTO_NEVER_SENT = frozenset(
    {
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ProxyConnectionError",
        "SSLError",
        "NoCredentialsError",
        "ParamValidationError",
    }
)
NEVER_CONNECTED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
    urllib3.exceptions.ProxyError,
    urllib3.exceptions.SSLError,
)


def no_opinion(answer: Answer) -> Outcome | None:
    """For providers whose answers mean what their status says."""
    return None


def as_it_is(payload: Any, key: str) -> None:
    """For providers to which a message needs no more than what anymail writes."""


@dataclass(frozen=True)
class MailApi:
    """What is particular to one provider.

    `options(settings)`: what anymail's backend is made with. `judge(answer)`: an outcome where the status alone would
    mislead, else None. `prepare(payload, key)` adds to the request what recognises a second try of the message `key`.
    `has_memory`: it does recognise one, so a silence is asked again at once.
    """

    name: str
    backend: str
    options: Callable[[Settings], dict[str, Any]]
    judge: Callable[[Answer], Outcome | None] = no_opinion
    prepare: Callable[[Any, str], None] = as_it_is
    has_memory: bool = False
    turns_tracking_off: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
    parallel: int = 8

    def connect(self, settings: Settings) -> Connection:
        """Make ready; the first request opens the connection. Raises `ProviderUnavailable`."""
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", AnymailNotSupportedWarning)
                backend = import_string(self.backend)(**self.options(settings))
            backend.open()
        except Exception as error:  # anymail and boto refuse odd settings in their own ways
            raise ProviderUnavailable(f"{type(error).__name__}: {error}"[:300]) from error
        return MailConnection(self, backend)


def base_url(name: str, usual: str) -> str:
    """Where a provider's API is: `usual`, unless whoever runs this site said otherwise (PROVIDER_API_URLS)."""
    return str(site.PROVIDER_API_URLS.get(name, usual))


class MailConnection:
    """Kept connections to one account."""

    def __init__(self, api: MailApi, backend: Any) -> None:
        self._api, self._backend = api, backend
        self._pool = ThreadPoolExecutor(max_workers=api.parallel, thread_name_prefix=api.name)
        self._open = True
        session = getattr(backend, "session", None)
        if session is not None:
            backend.timeout = site.PROVIDER_TIMEOUT_SECONDS
            session.max_redirects = 0
            for scheme in ("https://", "http://"):
                session.mount(scheme, HTTPAdapter(pool_maxsize=api.parallel, max_retries=0))

    @property
    def is_usable(self) -> bool:
        return self._open

    def is_alive(self) -> bool:
        """There is nothing to ask: a request opens a connection of its own where the kept one is gone."""
        return self._open

    def close(self) -> None:
        self._open = False
        self._pool.shutdown(wait=True)
        self._backend.close()

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See contract.Connection. After an answer that asks for a rest no more are taken."""
        under_way: dict[Future[Outcome], Envelope] = {}
        while self._open:
            envelope = next(envelopes, None)
            if envelope is None:
                break
            mail, key = self._mail(envelope), envelope.key
            under_way[self._pool.submit(self._hand_over, mail, key)] = envelope
            if len(under_way) >= self._api.parallel:
                yield from self._finished(under_way)
        while under_way:
            yield from self._finished(under_way)

    def _finished(self, under_way: dict[Future[Outcome], Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        done, _ = wait(under_way, return_when=FIRST_COMPLETED)
        for future in done:
            outcome = future.result()
            if asks_for_rest(outcome):
                self._open = False
            yield under_way.pop(future), outcome

    def _mail(self, envelope: Envelope) -> EmailMultiAlternatives:
        letter: Letter = envelope.payload
        headers = {name: CONTROL.sub(" ", value) for name, value in letter.headers}
        mail = EmailMultiAlternatives(
            CONTROL.sub(" ", letter.subject),
            letter.text,
            _mailbox(letter.sender_name, letter.sender_address),
            [_mailbox(letter.recipient_name, letter.recipient_address)],
            reply_to=[letter.reply_to] if letter.reply_to else None,
            headers={"Message-ID": f"<{letter.message_id}>", **headers, **self._api.headers},
        )
        if letter.html:
            mail.attach_alternative(letter.html, "text/html")
        mail.metadata = {REFERENCE: links.reference(tenancy.required(), envelope.message_id)}  # type: ignore[attr-defined]
        if self._api.turns_tracking_off:
            mail.track_opens = mail.track_clicks = False  # type: ignore[attr-defined]
        return mail

    def _hand_over(self, mail: EmailMultiAlternatives, key: str) -> Outcome:
        """One message, in a thread of the pool. Never raises."""
        outcome = self._try(mail, key)
        if outcome.kind == OutcomeKind.UNCERTAIN and self._api.has_memory:
            return self._try(mail, key)
        return outcome

    def _try(self, mail: EmailMultiAlternatives, key: str) -> Outcome:
        try:
            payload = self._backend.build_message_payload(mail, self._backend.send_defaults)
            self._api.prepare(payload, key)
        except (AnymailError, ValueError, TypeError) as error:
            return Outcome(OutcomeKind.FAILED, f"The message cannot be handed over: {error}"[:300])
        try:
            response = self._backend.post_to_esp(payload, mail)
            statuses = self._backend.parse_recipient_status(response, payload, mail)
            return self._taken(response, list(statuses.values()))
        except AnymailAPIError as error:
            return self._after(error)
        except AnymailError as error:  # before anything was sent
            return Outcome(OutcomeKind.FAILED, f"The message cannot be handed over: {error}"[:300])
        except Exception as error:  # noqa: BLE001 — a yes in a form that nobody foresaw; the ledger keeps the sentence
            return Outcome(OutcomeKind.UNCERTAIN, f"an unclear answer: {type(error).__name__}: {error}"[:300])

    def _taken(self, response: Any, statuses: list[Any]) -> Outcome:
        """What a yes says of the one recipient."""
        known = {status.status for status in statuses}
        if known and known <= {"queued", "sent"}:
            return Outcome(OutcomeKind.SENT, str(statuses[0].message_id or ""))
        answer = _answer(response)
        if known and known <= {"rejected", "invalid"}:
            return Outcome(OutcomeKind.FAILED, answer.sentence, is_hard_bounce=True)
        return self._judge(answer)

    def _after(self, error: AnymailAPIError) -> Outcome:
        if error.response is not None:
            return self._judge(_answer(error.response))
        return without_answer(error.__cause__ or error)

    def _judge(self, answer: Answer) -> Outcome:
        return self._api.judge(answer) or http_answers.judge(answer, clock.now())


def asks_for_rest(outcome: Outcome) -> bool:
    """Whether the next message would fare no better for now."""
    is_silence = outcome.kind == OutcomeKind.UNCERTAIN
    is_unreached = outcome.kind == OutcomeKind.UNTRIED
    return is_silence or is_unreached or outcome.retry_after_seconds is not None


def without_answer(error: BaseException) -> Outcome:
    """What is known when no answer came: nothing left the house, or nobody knows."""
    name = type(error).__name__
    reached = f"no answer after the message was sent: {name}"
    if isinstance(error, requests.TooManyRedirects):
        return Outcome(OutcomeKind.UNTRIED, "The address of the API leads elsewhere.", is_account_refused=True)
    if isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError | requests.exceptions.ProxyError):
        return Outcome(OutcomeKind.UNTRIED, f"The provider cannot be reached: {name}")
    reason = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(reason, NEVER_CONNECTED) or (
        not isinstance(error, requests.RequestException) and name in BOTO_NEVER_SENT
    ):
        return Outcome(OutcomeKind.UNTRIED, f"The provider cannot be reached: {type(reason or error).__name__}")
    return Outcome(OutcomeKind.UNCERTAIN, reached)


def _answer(response: Any) -> Answer:
    if isinstance(response, requests.Response):
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, response.text[:LONGEST_ANSWER], headers)
    # boto3 has parsed it already.
    error, about = response.get("Error", {}), response.get("ResponseMetadata", {})
    headers = {**about.get("HTTPHeaders", {}), "x-amzn-errortype": str(error.get("Code", ""))}
    text = json.dumps({"message": f"{error.get('Code', '')} {error.get('Message', '')}".strip()})
    return Answer(int(about.get("HTTPStatusCode") or 200), text[:LONGEST_ANSWER], headers)


def _mailbox(name: str, address: str) -> str:
    return str(EmailAddress(CONTROL.sub(" ", name).strip(), address).address)
