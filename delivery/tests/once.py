"""For the proofs of "effectively once": receivers that count what arrives by our own message id, and a judge."""

from __future__ import annotations

import asyncio
import os
import random
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from common import clock
from delivery import links, services
from delivery.models import Claim, Message, Provider
from delivery.tests.fake_api import Reply, Request, serving
from delivery.tests.making import Sink, listening

SEED = int(os.environ.get("CRASH_SEED", "1"))
MESSAGE_ID = re.compile(rb"^Message-ID: <([^@>]+)@", re.MULTILINE | re.IGNORECASE)
ANSWER_SECONDS = 2  # for which a worker waits
# What a provider may do with a message; those that begin with "took it" do pass it on.
MOODS = {
    "took it": 920, "took it, slow": 4, "took it, hung up": 10, "took it, nonsense": 10,
    "later": 10, "busy": 10, "no": 10, "nonsense": 10, "hung up": 10, "gateway": 10,
}  # fmt: skip


class Moods:
    """Each mood once, then by chance, from a seed; good ones only once `is_over`."""

    def __init__(self, seed: int) -> None:
        self.random, self.lock, self.is_over = random.Random(f"moods {seed}"), threading.Lock(), False
        self.first = self.random.sample(list(MOODS), len(MOODS))

    def __call__(self) -> str:
        with self.lock:
            if self.is_over:
                return good()
            return self.first.pop() if self.first else self.random.choices(list(MOODS), list(MOODS.values()))[0]


def good() -> str:
    """The only mood of a provider that works."""
    return "took it"


@dataclass(frozen=True)
class House:
    """Where messages go. `changes` is what a worker must know to find it; `arrived` counts by message id."""

    changes: dict[str, Any]
    arrived: Counter[int]


class Receiver(Sink):
    """A mail server that counts what it takes and keeps none of it."""

    NO = {"later": "451 4.3.0 later", "busy": "421 4.3.2 closing", "no": "554 5.7.1 no", "gateway": "452 4.3.1 full"}

    def __init__(self, mood: Callable[[], str], seconds: float) -> None:
        super().__init__()
        self.mood, self.seconds_per_message = mood, seconds
        self.arrived: Counter[int] = Counter()

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        await asyncio.sleep(self.seconds_per_message)
        mood = self.mood()
        if mood in self.NO:
            return self.NO[mood]
        if mood.startswith("took it"):
            self.arrived[_message_id(envelope.content)] += 1
        if mood.endswith("slow"):
            await asyncio.sleep(ANSWER_SECONDS * 1.5)
        if mood.endswith("hung up"):
            server.transport.close()
        return "what?" if mood.endswith("nonsense") else "250 OK"


def _message_id(mail: Any) -> int:
    found = MESSAGE_ID.search(bytes(mail))
    known = links.read(links.REPORT, found[1].decode()) if found else None
    assert known is not None
    return known.message_id


@contextmanager
def smtp_house(mood: Callable[[], str] = good, seconds: float = 0.0) -> Iterator[House]:
    """A mail server to which EMAIL_URL leads, and which takes `seconds` for a message."""
    receiver = Receiver(mood, seconds)
    with listening(receiver) as port:
        changes = {
            "django.conf.settings.EMAIL_URL": f"smtp://127.0.0.1:{port}",
            "delivery.providers.smtp.TIMEOUT_SECONDS": ANSWER_SECONDS,
        }
        yield House(changes, receiver.arrived)


@contextmanager
def api_house(mood: Callable[[], str] = good, kind: str = "postmark", seconds: float = 0.0) -> Iterator[House]:
    """The API of a provider, with an account there."""
    no = {
        "later": Reply(429, {"Message": "slow down"}, {"Retry-After": "1"}),
        "busy": Reply(500, {"Message": "oops"}),
        "no": Reply(422, {"ErrorCode": 300, "Message": "no"}),
        "gateway": Reply(502, "<html>"),
    }

    def behave(request: Request, nth: int) -> Reply:
        now = mood()
        if now in no:
            return no[now]
        reply = api.take(request) if now.startswith("took it") else Reply()
        if now.endswith("nonsense"):
            return Reply(200, "\ufffd<?>")
        seconds = ANSWER_SECONDS * 1.5 if now.endswith("slow") else 0.0
        return Reply(reply.status, reply.body, seconds=seconds, hangs_up=now.endswith("hung up"))

    with serving(kind) as api:
        api.behave, api.seconds = behave, seconds
        made = services.save_provider(Provider(kind=kind, channel="email", name=kind), api.fake.settings)
        Provider.objects.filter(pk=made.pk).update(updated_at=clock.now() - timedelta(days=1))
        changes = {
            "django.conf.settings.PROVIDER_API_URLS": {kind: api.url},
            "django.conf.settings.PROVIDER_TIMEOUT_SECONDS": ANSWER_SECONDS,
        }
        yield House(changes, api.taken)


HOUSES = {"smtp": smtp_house, "api": api_house}


def lapse() -> None:
    """The leases of all workers run out."""
    Claim.objects.update(lease_expires_at=clock.now() - timedelta(seconds=1))


def ids(*statuses: str) -> set[int]:
    """The messages in these states."""
    return set(Message.objects.filter(status__in=statuses).values_list("pk", flat=True))


def judge(arrived: Counter[int]) -> Counter[str]:
    """Nothing twice and nothing lost; returns how many are in which state."""
    twice = {pk: count for pk, count in arrived.items() if count > 1}
    assert not twice, f"seed {SEED}: arrived more than once: {twice}"
    lost = ids("sent") - arrived.keys()
    assert not lost, f"seed {SEED}: said to be sent, and never arrived: {lost}"
    wrong = arrived.keys() - ids("sent", "uncertain")
    assert not wrong, f"seed {SEED}: arrived, and not known to have: {wrong}"
    return Counter(Message.objects.values_list("status", flat=True))


def resolve(arrived: Iterable[int]) -> int:
    """A person looks at the receiver and decides about every uncertain message; returns how many there were."""
    uncertain, there = ids("uncertain"), set(arrived)
    decided = services.resolve_uncertain(sorted(uncertain & there), as_sent=True)
    return decided + services.resolve_uncertain(sorted(uncertain - there), as_sent=False)
