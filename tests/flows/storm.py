"""A storm for the product: seeded traffic by a thread, and SIGKILLs while it is worked."""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.flows.world import World, moment

BATCH = 100
NAMES = ("page_viewed", "product_added", "checkout_started", "order_completed")
WEIGHTS = (70, 15, 10, 5)
PLANS = ("free", "team", "pro")
ANONYMOUS_SHARE = 0.03
REPEATED_SHARE = 0.1  # requests sent twice, as an SDK does that heard no answer


@dataclass
class Sent:
    """What was said over the wire: the truth that the tables are held against."""

    counts: Counter[tuple[str, str]] = field(default_factory=Counter)  # (user id, event name) → events
    orders_minor: int = 0
    plans: dict[str, str] = field(default_factory=dict)
    owner_of: dict[str, str] = field(default_factory=dict)  # anonymous id → user id
    requests: int = 0

    @property
    def event_count(self) -> int:
        return sum(self.counts.values())


class Traffic(threading.Thread):
    """Sends `event_count` events of known and of not yet known people, a request every `seconds` or so."""

    def __init__(self, world: World, seed: int, people: list[str], event_count: int, seconds: float) -> None:
        super().__init__(daemon=True)
        self.world, self.people, self.event_count, self.seconds = world, people, event_count, seconds
        self.random = random.Random(f"traffic {seed}")
        self.sent = Sent()
        self.failure: Exception | None = None

    def run(self) -> None:
        try:
            with httpx.Client(auth=(self.world.write_key, ""), timeout=60) as client:
                while self.sent.event_count < self.event_count:
                    self._post(client, [self._event() for _ in range(BATCH)])
                    time.sleep(self.random.uniform(0, 2 * self.seconds))
                self._post(client, [self._introduction(name) for name in self.sent.owner_of])
        except Exception as error:  # noqa: BLE001 — the test's thread looks at it
            self.failure = error

    def _post(self, client: httpx.Client, events: list[dict[str, Any]]) -> None:
        body = {"batch": events + self._news(), "sentAt": moment()}
        for _ in range(1 + (self.random.random() < REPEATED_SHARE)):
            answer = client.post(f"{self.world.url}/v1/batch", json=body)
            assert answer.status_code == 200, answer.text
            self.sent.requests += 1

    def _event(self) -> dict[str, Any]:
        person, name = self.random.choice(self.people), self.random.choices(NAMES, WEIGHTS)[0]
        event: dict[str, Any] = {"type": "track", "event": name, "messageId": self._id(), "timestamp": moment()}
        if self.random.random() < ANONYMOUS_SHARE:
            anonymous_id = f"browser-{self.random.randrange(200)}"
            person = self.sent.owner_of.setdefault(anonymous_id, person)
            event["anonymousId"] = anonymous_id
        else:
            event["userId"] = person
        if name == "order_completed":
            minor = self.random.randrange(100, 50_000)
            event["properties"] = {"order_id": self._id(), "total": f"{minor / 100:.2f}", "currency": "GBP"}
            self.sent.orders_minor += minor
        self.sent.counts[person, name] += 1
        return event

    def _news(self) -> list[dict[str, Any]]:
        """Some people change their plan."""
        changed = self.random.sample(self.people, 3)
        self.sent.plans |= {person: self.random.choice(PLANS) for person in changed}
        return [self._identify(person, traits={"plan": self.sent.plans[person]}, userId=person) for person in changed]

    def _introduction(self, anonymous_id: str) -> dict[str, Any]:
        return self._identify(anonymous_id, anonymousId=anonymous_id, userId=self.sent.owner_of[anonymous_id])

    def _identify(self, name: str, **fields: Any) -> dict[str, Any]:
        return {"type": "identify", "messageId": self._id(), "timestamp": moment(), **fields}

    def _id(self) -> str:
        return str(uuid.UUID(int=self.random.getrandbits(128), version=4))


@dataclass
class Reaper:
    """Kills workers at seeded moments: mostly the process that does the work, sometimes a worker with all it has."""

    world: World
    seed: int
    workers: tuple[str, ...]
    kills: Counter[str] = field(default_factory=Counter)
    restarts: int = 0

    def __post_init__(self) -> None:
        self.random = random.Random(f"reaper {self.seed}")

    def reap(self, count: int, acts: dict[int, Callable[[], None]]) -> None:
        """Kill `count` times; before the n-th kill do what `acts` says for n."""
        for number in range(count):
            acts.get(number, lambda: None)()
            self._await_moment()
            self.supervise()
            self._kill(self.random.choice(self.workers))

    def _await_moment(self) -> None:
        """A random while, or until some more mails arrived: in the middle of a flight."""
        deadline = time.monotonic() + self.random.uniform(0.2, 1.6)
        wanted = len(self.world.inbox.mails) + self.random.randrange(1, 60)
        in_flight = self.random.random() < 0.6
        while time.monotonic() < deadline + (0.8 if in_flight else 0):
            if in_flight and len(self.world.inbox.mails) >= wanted:
                return
            time.sleep(0.005)

    def _kill(self, worker: str) -> None:
        if self.random.random() < 0.12:
            self.world.kill(worker)
            self.world.start_worker(worker)
            self.kills["worker"] += 1
            return
        while not self.world.kill_pool_process(worker):
            self.supervise()
            time.sleep(0.02)
            worker = self.random.choice(self.workers)
        self.kills["pool process"] += 1

    def supervise(self) -> None:
        """Start workers again that ended, as whoever runs them does: Celery gives up when its first process dies."""
        for worker in self.workers:
            if not self.world.is_running(worker):
                self.world.start_worker(worker)
                self.restarts += 1
