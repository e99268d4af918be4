"""The doorbell: a hint in Redis that rows are waiting. PostgreSQL is the truth (architecture §2.3).

Rooms name their work in `WORK` through marketing_site/wiring.py. `ring(name)` wakes a worker after commit;
rings for the same work and organisation collapse into one until a worker answers. Beat's sweep rings for
whatever a lost doorbell left behind, so wiping Redis makes work late, never lost.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

import redis
from celery import current_app
from django.conf import settings
from django.db import transaction
from kombu.exceptions import OperationalError

from common import clock, commits, tenancy

logger = logging.getLogger(__name__)

RING_SECONDS = 10  # a ring nobody answered may be repeated after this
# What is worked in small steps stops after so long and rings again: a stream of requests must not keep a worker
# from the notices that they cause.
TURN_SECONDS = 0.005
# So long the worker of a ring goes on with what it rings for itself before that goes through the queue.
ERRAND_SECONDS = 0.05
BEAT_KEY = "beat:last"


@dataclass(frozen=True)
class Work:
    """One kind of worked row: who works it (per organisation) and which organisations have some due.

    With `patience` (seconds) a ring waits that long, so that a busy stream is worked a few times a second and
    not after each drop: for books nobody waits for. `is_repeatable`: from rows to rows, nothing leaves the house, so
    that commits need not wait for the disk (common/commits.py).
    """

    name: str
    queue: str
    run: Callable[[int], int]
    organizations_due: Callable[[], list[int]]
    patience: float = 0
    is_repeatable: bool = False


WORK: dict[str, Work] = {}
_client: redis.Redis | None = None


@dataclass
class _Turn:
    """One turn of a work: when it is over, and whether the work was told so and left something behind."""

    ends: float
    was_stopped: bool = False


@dataclass
class _Errand:
    """One ring being answered: what was done, and what that rang for and this worker can do itself."""

    queue: str
    organization_id: int
    ends: float
    done: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)

    def takes(self, work: Work, organization_id: int) -> bool:
        """Whether the worker goes on with this work by itself; with what it did already, only for a while."""
        is_near = work.queue == self.queue and organization_id == self.organization_id and not work.patience
        if is_near and (work.name not in self.done or time.monotonic() < self.ends):
            self.waiting.add(work.name)
            return True
        return False

    def following(self) -> Work | None:
        """What comes next: in the order of the wiring, what was done already after the rest."""
        waiting = [work for work in WORK.values() if work.name in self.waiting]
        return min(waiting, key=lambda work: work.name in self.done, default=None)

    def take(self, work: Work) -> None:
        self.waiting.discard(work.name)
        self.done.add(work.name)


_turn: ContextVar[_Turn | None] = ContextVar("turn", default=None)
_errand: ContextVar[_Errand | None] = ContextVar("errand", default=None)


def wire(works: Sequence[Work]) -> None:
    """Take the project's table of worked rows; replaces an earlier one."""
    WORK.clear()
    WORK.update({work.name: work for work in works})


def client() -> redis.Redis:
    """The process-wide Redis client."""
    global _client  # noqa: PLW0603 — one connection pool per process
    if _client is None:
        _client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
    return _client


def ring(name: str, organization_id: int | None = None) -> None:
    """Wake a worker for the named work of an organisation once the current transaction has committed."""
    target = organization_id if organization_id is not None else tenancy.required()
    if settings.DOORBELL_ENABLED:
        transaction.on_commit(lambda: _ring_now(name, target))


def _ring_now(name: str, organization_id: int) -> None:
    errand = _errand.get()
    if errand is not None and errand.takes(WORK[name], organization_id):
        return
    try:
        if client().set(f"bell:{name}:{organization_id}", 1, nx=True, ex=RING_SECONDS):
            work = WORK[name]
            current_app.send_task(
                "common.work", args=[name, organization_id], queue=work.queue, countdown=work.patience or None
            )
    except (redis.RedisError, OperationalError) as error:
        logger.warning("The doorbell for %s did not ring (%s); the sweep will find the row.", name, error)


def answer(name: str, organization_id: int) -> int:
    """Do the named work for one turn, then what it rang for on the same queue, each for a turn of its own.

    Events, memberships and runs so follow each other without a way through the broker. Work that was stopped by
    the end of its turn rings again. Returns how many rows were worked.
    """
    errand = _Errand(WORK[name].queue, organization_id, time.monotonic() + ERRAND_SECONDS, waiting={name})
    token = _errand.set(errand)
    worked = 0
    try:
        with tenancy.organization(organization_id):
            while errand.waiting:
                worked += _go_on(errand)
    finally:
        _errand.reset(token)
    return worked


def _go_on(errand: _Errand) -> int:
    """Take turns as long as what follows commits like what came before."""
    worked = 0
    work = errand.following()
    is_repeatable = work is not None and work.is_repeatable
    with commits.unhurried() if is_repeatable else nullcontext():
        while work is not None and work.is_repeatable == is_repeatable:
            errand.take(work)
            worked += _take_turn(work, errand.organization_id)
            work = errand.following()
    return worked


def _take_turn(work: Work, organization_id: int) -> int:
    _take_down(work.name, organization_id)
    turn = _Turn(time.monotonic() + TURN_SECONDS)
    token = _turn.set(turn)
    try:
        worked = work.run(organization_id)
    finally:
        _turn.reset(token)
    if worked and turn.was_stopped:
        ring(work.name, organization_id)
    return worked


def _take_down(name: str, organization_id: int) -> None:
    if settings.DOORBELL_ENABLED:
        try:
            client().delete(f"bell:{name}:{organization_id}")
        except redis.RedisError as error:
            logger.warning("The doorbell for %s could not be taken down: %s", name, error)


def turn_is_over() -> bool:
    """Whether work that could go on should let other work have the worker; then it is rung for again.

    Never outside `answer`.
    """
    turn = _turn.get()
    if turn is None or time.monotonic() < turn.ends:
        return False
    turn.was_stopped = True
    return True


def sweep() -> int:
    """Ring for every organisation that has due rows of any kind; returns the number of rings."""
    _note_the_beat()
    rung = 0
    for work in WORK.values():
        for organization_id in work.organizations_due():
            _ring_now(work.name, organization_id)
            rung += 1
    return rung


def _note_the_beat() -> None:
    try:
        client().set(BEAT_KEY, clock.now().isoformat())
    except redis.RedisError as error:
        logger.warning("The beat could not be noted: %s", error)


def last_beat() -> datetime | None:
    """When a sweep last ran, which takes a living Beat and a living worker; None when nobody knows.

    Raises redis.RedisError when Redis does not answer.
    """
    said = client().get(BEAT_KEY)
    return datetime.fromisoformat(said.decode()) if isinstance(said, bytes) else None


def drain(organization_id: int, *, rounds: int = 100) -> int:
    """Do all due work of an organisation here and now, until the river is quiet: for commands and tests.

    Returns how many rows were worked; raises `RuntimeError` when it does not come to rest.
    """
    total = 0
    for _ in range(rounds):
        worked = sum(work.run(organization_id) for work in WORK.values())
        if not worked:
            return total
        total += worked
    raise RuntimeError(f"The river of organisation {organization_id} did not come to rest after {rounds} rounds.")


def organizations_with(table: str, condition: str, parameters: Sequence[object] = ()) -> list[int]:
    """Organisations that have rows of `table` meeting `condition` (both written by us, values bound)."""
    with tenancy.engine(), transaction.get_connection().cursor() as cursor:
        cursor.execute(f"SELECT DISTINCT organization_id FROM {table} WHERE {condition}", list(parameters))
        return [row[0] for row in cursor.fetchall()]
