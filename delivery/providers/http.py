"""What providers that are called over HTTP share: one request a message, and what its answer means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from common.errors import Invalid
from common.http import ANSWER_SECONDS, Answer, Client, NoAnswer, NotSent
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import ProviderUnavailable

LONGEST_ANSWER = 300


@dataclass(frozen=True)
class Request:
    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class HttpConnection:
    """A connection in the sense of contract.Connection; a provider says what to ask and what the answer means.

    `is_one_service`: all messages go to the same service, so when it is away or asks for a rest, the others need
    not try. Push services of browsers are many; one that is away says nothing about the next.
    """

    is_one_service = True
    answer_seconds = ANSWER_SECONDS

    def __init__(self) -> None:
        self._client = Client(guarded=True, answer_seconds=self.answer_seconds)
        self._usable = True

    # --- for providers to write ---------------------------------------------------------------------

    def request(self, envelope: Envelope) -> Request:
        """What to ask. Raises `ProviderUnavailable` when nothing can be asked, `Invalid` when this cannot be."""
        raise NotImplementedError

    def accepted(self, answer: Answer, envelope: Envelope) -> Outcome:
        """The outcome of a 2xx. Raises ValueError when it is not what this provider says."""
        raise NotImplementedError

    def refused(self, answer: Answer, envelope: Envelope) -> Outcome:
        """The outcome of a 4xx, 401, 403, 408 and 429 apart."""
        return Outcome(OutcomeKind.FAILED, said(answer))

    # --- the contract -------------------------------------------------------------------------------

    @property
    def is_usable(self) -> bool:
        return self._usable

    def is_alive(self) -> bool:
        """An idle connection may have been closed meanwhile, and then nobody knows what became of a request."""
        self._client.close()
        return self._usable

    def close(self) -> None:
        self._client.close()

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See contract.Connection."""
        for envelope in envelopes:
            yield envelope, self._outcome(envelope)
            if not self._usable:
                return

    def _outcome(self, envelope: Envelope) -> Outcome:
        try:
            asked = self.request(envelope)
        except ProviderUnavailable as error:
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, str(error))
        except Invalid as error:
            return Outcome(OutcomeKind.FAILED, error.message)
        try:
            answer = self._client.call(asked.method, asked.url, headers=asked.headers, body=asked.body)
        except NotSent as error:
            return self._away(str(error))
        except NoAnswer as error:
            self._client.close()
            return Outcome(OutcomeKind.UNCERTAIN, f"No answer: {error}")
        return self.judge(answer, envelope)

    def _away(self, reason: str) -> Outcome:
        """Nothing was sent. One of many services counts as an attempt, or it would be tried for ever."""
        if not self.is_one_service:
            return Outcome(OutcomeKind.RETRY, reason)
        self._usable = False
        return Outcome(OutcomeKind.UNTRIED, reason)

    def judge(self, answer: Answer, envelope: Envelope) -> Outcome:
        """What an answer means for the message, and whether others need try now."""
        status = answer.status
        if 200 <= status < 300:
            try:
                return self.accepted(answer, envelope)
            except (ValueError, KeyError, TypeError, AttributeError, msgspec.MsgspecError):
                return Outcome(OutcomeKind.UNCERTAIN, f"The answer cannot be understood: {said(answer)}")
        if status in (401, 403) and self.is_one_service:
            self._usable = False
            return Outcome(OutcomeKind.UNTRIED, f"The account is not let in: {said(answer)}")
        if status in (408, 429, 500, 503) or status > 504:
            self._usable = not self.is_one_service
            return Outcome(OutcomeKind.RETRY, said(answer), retry_after_seconds=answer.retry_after_seconds)
        if status in (502, 504):
            # Something in between gave up waiting; behind it the message may have been taken.
            return Outcome(OutcomeKind.UNCERTAIN, said(answer))
        if status < 400:
            return Outcome(OutcomeKind.FAILED, f"{status}: the address leads elsewhere; redirects are not followed.")
        return self.refused(answer, envelope)


def said(answer: Answer) -> str:
    """An answer in one line."""
    return f"{answer.status} {' '.join(answer.text.split())}"[:LONGEST_ANSWER].strip()


def decoded(answer: Answer) -> Any:
    """The answer's JSON. Raises ValueError."""
    return msgspec.json.decode(answer.body)


def encoded(value: Any) -> bytes:
    return msgspec.json.encode(value)
