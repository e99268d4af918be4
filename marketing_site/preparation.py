"""What `manage.py up` makes sure of before it starts anything; each refusal is one sentence."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import redis
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connections

from accounts import services as accounts
from audience.services import partitions
from common import doorbell, trial

MIGRATION_LOCK = 0x67726F756E64  # one machine migrates at a time; the number is arbitrary
# A trial in a container is root's; Celery's eight lines about it, per worker, would hide the login.
SUPERUSER_WARNING = "ignore:You're running the worker with superuser privileges"
ADMIN_EMAIL = "admin@groundswell.example"
DEMO_EMAIL = "demo@groundswell.example"


@contextmanager
def only_one_here(role: str, url: str) -> Iterator[None]:
    """Refuse a second `up` of the same role on the same folder. Only a trial has a folder."""
    if not trial.is_trial():
        yield
        return
    with (trial.home() / f"up-{role}.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise CommandError(
                f"Groundswell already runs from {trial.home()} ({file.read().strip()}); stop it first, "
                "or set GROUNDSWELL_HOME to another folder and choose another --port."
            ) from None
        file.truncate(0)
        file.write(f"{url}, process {os.getpid()}")
        file.flush()
        yield


def check_port(host: str, port: int) -> None:
    """Refuse a port that somebody else listens on, before any work is done."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CommandError(f"Port {port} on {host} is busy; choose another with --port.") from None
        raise CommandError(f"Port {port} on {host} cannot be used: {error.strerror}.") from None
    except OverflowError:
        raise CommandError(f"{port} is not a port; choose one between 1 and 65535.") from None


def check_services() -> None:
    """Refuse a database or a Redis that does not answer."""
    try:
        psycopg.connect(settings.DATABASE_URL, connect_timeout=10).close()
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[-1]
        raise CommandError(f"The database named by DATABASE_URL does not answer: {reason}") from None
    try:
        doorbell.client().ping()
    except redis.RedisError as error:
        raise CommandError(f"The Redis named by REDIS_URL does not answer: {error}") from None


def migrate() -> None:
    """Bring the tables up to date; of several machines that start at once, one at a time."""
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as owner:
        owner.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        call_command("migrate", verbosity=0)
        partitions.ensure_ahead()  # not only at night: a first start has none
        if trial.is_trial():
            accounts.ensure_superuser(ADMIN_EMAIL, trial.logins()[ADMIN_EMAIL])
    # The children have their own connections; this process needs none while it waits.
    connections.close_all()


def child_environment(url: str) -> dict[str, str]:
    """The environment of every child: ours, completed for a trial."""
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if not trial.is_trial():
        return environment
    port = _mailbox_port()
    addresses = {
        "PUBLIC_URL": os.environ.get("PUBLIC_URL") or url,
        "EMAIL_URL": os.environ.get("EMAIL_URL") or f"smtp://127.0.0.1:{port}",
        "MAILBOX_PORT": str(port),
        "DEMO_PASSWORD": trial.logins()[DEMO_EMAIL],
    }
    trial.remember_running(addresses)
    return environment | addresses | {"PYTHONWARNINGS": SUPERUSER_WARNING}


def _mailbox_port() -> int:
    """The mailbox's port: the one that was asked for, else the usual one, else any free one."""
    if os.environ.get("EMAIL_URL") or os.environ.get("MAILBOX_PORT"):
        return settings.MAILBOX_PORT
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", settings.MAILBOX_PORT))
        except OSError:
            probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def system_sentence(error: OSError) -> str:
    """One sentence about what the operating system refused."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {trial.home()} is full; free some space and start again."
    return f"The operating system refused: {error}."
