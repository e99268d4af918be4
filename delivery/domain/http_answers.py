"""What a provider's answer over HTTP means for the message that was handed over.

A 2xx in the provider's own form is a yes. 401, 402, 403 and 404 speak of the account: every other message would
hear the same, so this one is not blamed. Answers of a gateway in front of the provider (502, 504 and their kin)
say nothing: it may have taken the message behind it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from delivery.domain.outcomes import Outcome, OutcomeKind

ACCOUNT_CODES = frozenset({401, 402, 403, 404, 405})
GATEWAY_CODES = frozenset({502, 504, 520, 524})
TOO_MANY = 429
REQUEST_TIMEOUT = 408
LONGEST_SENTENCE = 280
MOST_SECONDS = 24 * 3600.0
TAGS = re.compile(r"<[^<>]*>")
SENTENCE_KEYS = ("message", "Message", "error", "detail", "description", "errors")


@dataclass(frozen=True)
class Answer:
    """An answer of a provider; header names in lower case."""

    status: int
    text: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None

    @property
    def sentence(self) -> str:
        """What it says, short: its own sentence where it has one."""
        said = _sentence(self.json) or TAGS.sub(" ", self.text)
        return f"{self.status} {' '.join(said.split())}".strip()[:LONGEST_SENTENCE]


def judge(answer: Answer, now: datetime) -> Outcome:
    """The outcome of a message whose answer is no yes. `now` is the moment that a Retry-After date counts from."""
    status, sentence = answer.status, answer.sentence
    if status in ACCOUNT_CODES or 300 <= status < 400:
        return Outcome(OutcomeKind.UNTRIED, sentence, is_account_refused=True)
    if status == TOO_MANY:
        # Not the fault of the message: it costs no attempt.
        return Outcome(OutcomeKind.UNTRIED, sentence, retry_after_seconds=retry_after(answer.headers, now) or 1.0)
    if status in GATEWAY_CODES or 200 <= status < 300:
        return Outcome(OutcomeKind.UNCERTAIN, f"an unclear answer: {sentence}"[:LONGEST_SENTENCE])
    if status >= 500 or status == REQUEST_TIMEOUT:
        return Outcome(OutcomeKind.RETRY, sentence, retry_after_seconds=retry_after(answer.headers, now))
    return Outcome(OutcomeKind.FAILED, sentence)


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait: Retry-After as seconds or a date (RFC 9110 §10.2.3), else X-RateLimit-Reset."""
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    if seconds is None and text:
        try:
            seconds = (parsedate_to_datetime(text) - now).total_seconds()
        except (ValueError, TypeError, OverflowError):
            seconds = None
    if seconds is None:
        reset = _number(headers.get("x-ratelimit-reset", headers.get("ratelimit-reset", "")).strip())
        # Some give a moment in seconds since 1970, others a span.
        seconds = reset - now.timestamp() if reset is not None and reset > 1e9 else reset
    return None if seconds is None else min(max(seconds, 0.0), MOST_SECONDS)


def _number(text: str) -> float | None:
    return float(text) if re.fullmatch(r"\d{1,12}(\.\d{1,6})?", text, re.ASCII) else None


def _sentence(body: Any) -> str:
    """The first text under a key that providers use for their sentence."""
    if isinstance(body, str):
        return body
    if isinstance(body, list):
        return next((found for each in body[:5] if (found := _sentence(each))), "")
    if isinstance(body, dict):
        return next((found for key in SENTENCE_KEYS if key in body and (found := _sentence(body[key]))), "")
    return ""
