"""What a platform must be able to do. One module each, one line in `PROVIDERS`; the same tests for all."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from common import clock, http
from common.errors import Permanent, Transient
from integrations.domain.identifiers import sha256
from integrations.domain.pacing import retry_after

EMAIL, PHONE, ID = "email", "phone", "id"
LONGEST_TOLD = 280
ANSWER_SECONDS = 30


class AccountRefused(Permanent):
    """The platform does not let us in, or not do this: every record would hear the same. A person must look."""

    code = "account_refused"


class Unreachable(Transient):
    """No answer came. `was_sent`: the platform may have done what it was asked all the same."""

    code = "unreachable"

    def __init__(self, message: str, *, was_sent: bool) -> None:
        super().__init__(message)
        self.was_sent = was_sent


@dataclass(frozen=True)
class Answer:
    """What a platform said; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON; None when it is none."""
        try:
            return json.loads(self.text)
        except (ValueError, RecursionError):
            return None


@dataclass(frozen=True)
class Setting:
    """One thing a person fills in to connect an account."""

    name: str
    label: str
    help: str = ""
    is_secret: bool = False
    is_required: bool = True


@dataclass(frozen=True)
class Account:
    """The settings of a destination, secrets among them, and where its platform is."""

    settings: Mapping[str, str]
    address: str

    def __getitem__(self, name: str) -> str:
        return self.settings.get(name, "")


@dataclass(frozen=True)
class Record:
    """One contact as the platform is told: hashed identifiers by kind (`email`, `phone`), and our `id` as it is."""

    identifiers: Mapping[str, str]

    def __getitem__(self, kind: str) -> str:
        return self.identifiers.get(kind, "")


class MakesAudience(Protocol):
    def __call__(self, account: Account, name: str) -> str: ...


class Pushes(Protocol):
    def __call__(
        self, account: Account, audience_id: str, records: Sequence[Record], *, is_removal: bool
    ) -> Mapping[int, str]: ...


@dataclass(frozen=True)
class Provider:
    """A platform.

    `make_audience` answers with the platform's id of a new audience. `push` tells it of up to `most_records` records
    and answers with those it refused: their places, with the reason. Telling the same twice must do no harm. Both
    raise `AccountRefused`, `Transient` with what the platform asked to wait, or `Unreachable`.
    """

    label: str
    settings: tuple[Setting, ...]
    address: str
    normalisers: Mapping[str, Callable[[str], str]]
    make_audience: MakesAudience
    push: Pushes
    most_records: int
    checks: Mapping[str, Callable[[str], None]] = field(default_factory=dict)

    def identifiers(self, raw: Mapping[str, str]) -> dict[str, str]:
        """What the platform is told of a contact's `email` and `phone`; empty when it could recognise nobody."""
        hashed = {kind: sha256(normal(raw.get(kind, ""))) for kind, normal in self.normalisers.items()}
        found = {kind: value for kind, value in hashed.items() if value}
        return {**found, ID: raw.get(ID, "")} if found else {}


def ask(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: Any = None,
    raw: bytes | None = None,
    guarded: bool = False,
    told: Callable[[Any], str] = lambda found: "",
) -> Answer:
    """One request with a JSON body; an answer that is no yes raises what it means.

    401 and 403 and whatever else concerns the account: `AccountRefused`. 408, 425, 429 and 5xx: `Transient`. `told`
    finds the platform's own sentence in its answer.
    """
    content = raw if raw is not None else (b"" if body is None else json.dumps(body).encode())
    sent = {"Content-Type": "application/json", "Accept": "application/json", **headers}
    answer = _call(method, url, sent, content, guarded=guarded)
    if 200 <= answer.status < 300:
        return answer
    sentence = sentence_of(answer, told)
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise busy(sentence, answer)
    raise AccountRefused(sentence)


def _call(method: str, url: str, headers: Mapping[str, str], body: bytes, *, guarded: bool) -> Answer:
    """A connection for each request: pushes are few and far between."""
    client = http.Client(guarded=guarded, answer_seconds=ANSWER_SECONDS)
    try:
        found = client.call(method, url, headers=headers, body=body)
    except http.NotSent as error:
        raise Unreachable(f"Could not be reached: {error}", was_sent=False) from error
    except http.NoAnswer as error:
        raise Unreachable(f"Did not answer: {error}", was_sent=True) from error
    finally:
        client.close()
    return Answer(found.status, found.headers, found.text)


def busy(sentence: str, answer: Answer) -> Transient:
    """The platform asks for patience."""
    seconds = retry_after(answer.headers.get("retry-after", ""), clock.now())
    return Transient(sentence, retry_after_seconds=None if seconds is None else int(seconds))


def sentence_of(answer: Answer, told: Callable[[Any], str]) -> str:
    """What it says, short, without what could be markup."""
    found = answer.json
    said = told(found) if isinstance(found, dict) else ""
    plain = " ".join((said or answer.text).split()).replace("<", " ").replace(">", " ")
    return f"{answer.status}: {plain}"[:LONGEST_TOLD].rstrip(": ")


def stable_key(audience_id: str, records: Sequence[Record], *, is_removal: bool) -> str:
    """The same for the same push, so that a platform that remembers does a repeat once."""
    told = json.dumps([audience_id, is_removal, [dict(record.identifiers) for record in records]], sort_keys=True)
    return base64.urlsafe_b64encode(hashlib.sha256(told.encode()).digest()).decode().rstrip("=")
