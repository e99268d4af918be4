"""Workers in processes of their own, forked from one that has loaded everything, as Celery forks them; killed at any
step of their work. A step is a moment at which a worker waits for the world: a statement, a commit, something sent
to a server, an answer read from one.
"""

from __future__ import annotations

import http.client
import itertools
import multiprocessing
import os
import pkgutil
import signal
import smtplib
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.context import ForkServerProcess
from typing import Any

import django
from django.apps import apps

if not apps.ready:  # here the others are forked from
    django.setup()

from django.db import Error, connection

import automations.services.engine  # noqa: F401 — loaded before the others are forked
from delivery import services  # noqa: F401
from delivery.providers.smtp import SmtpConnection

FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["pytest", "tests.workers"])
SENDS = "delivery.services.send_due"


def start_worker(
    organization_id: int,
    changes: Mapping[str, Any],
    *,
    database: Mapping[str, str] | None = None,
    dies_at: int = 0,
    stays: bool = False,
    does: str = SENDS,
) -> ForkServerProcess:
    """A worker that `does` what is due (a dotted name, called with the organisation's id), on the test's database
    unless told otherwise: until nothing is due, or, if it `stays`, until it is killed; then a turn that fails because
    the database is away is tried again.

    `changes`: what is otherwise in its process, by dotted name. With `dies_at` it kills itself at that step.
    """
    database = database or {"NAME": connection.settings_dict["NAME"]}
    arguments = (does, organization_id, dict(database), dict(changes), dies_at, stays)
    worker = FORKS.Process(target=_work, args=arguments, daemon=True)
    worker.start()
    return worker


@contextmanager
def two_workers(
    organization_id: int,
    changes: Mapping[str, Any],
    *,
    database: Mapping[str, str] | None = None,
    does: str = SENDS,
) -> Iterator[list[ForkServerProcess]]:
    """Two workers that stay until the end, whatever that is; whoever kills one may put another in its place."""
    workers = [start_worker(organization_id, changes, database=database, stays=True, does=does) for _ in range(2)]
    try:
        yield workers
    finally:
        for worker in workers:
            worker.kill()
            worker.join()


def _work(
    does: str, organization_id: int, database: dict[str, str], changes: dict[str, Any], dies_at: int, stays: bool
) -> None:
    turn = pkgutil.resolve_name(does)
    connection.settings_dict.update(database)
    for path, value in changes.items():
        place, _, name = path.rpartition(".")
        setattr(pkgutil.resolve_name(place), name, value)
    if dies_at:
        _die_at(dies_at)
    while _turn(turn, organization_id, stays) or stays:
        time.sleep(0.01)


def _turn(does: Callable[[int], int], organization_id: int, stays: bool) -> int:
    try:
        return does(organization_id)
    except Error:
        connection.close()
        if not stays:
            raise
        return 0


def _die_at(nth: int) -> None:
    """Count steps, and at the `nth` be gone without a word, before it is done."""
    steps = itertools.count(1)

    def step() -> None:
        if next(steps) == nth:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(place: Any, name: str) -> None:
        original: Callable[..., Any] = getattr(place, name)

        def counted(*args: Any, **named: Any) -> Any:
            step()
            return original(*args, **named)

        setattr(place, name, counted)

    def statement(execute: Callable[..., Any], *args: Any) -> Any:
        step()
        return execute(*args)

    connection.execute_wrappers.append(statement)
    before(connection, "_commit")
    before(socket.socket, "sendall")
    before(smtplib.SMTP, "getreply")
    before(SmtpConnection, "_read")
    before(http.client.HTTPResponse, "begin")
