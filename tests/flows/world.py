"""A whole Groundswell for a test: web server, workers and Beat as processes, on a database and Redis of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
from aiosmtpd.controller import Controller
from django.conf import settings

ROOT = Path(settings.BASE_DIR)
QUIET = ["--without-gossip", "--without-mingle", "--without-heartbeat"]


@dataclass
class Inbox:
    """An SMTP server in a thread that keeps every mail it took, in order."""

    mails: list[Message] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.mails.append(message_from_bytes(envelope.original_content))
        return "250 taken"

    def to(self, address: str) -> list[Message]:
        return [mail for mail in self.mails if address in str(mail["To"])]


@dataclass
class World:
    """Addresses and processes of a running product."""

    url: str
    environment: dict[str, str]
    inbox: Inbox
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a process of the product in its own group."""
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=self.environment, start_new_session=True
        )
        return self.processes[name]

    def start_worker(self, name: str = "worker", queues: str = "river,delivery,default") -> subprocess.Popen[bytes]:
        options = ["-Q", queues, "-n", f"{name}@%h", "--concurrency", "1", "--loglevel", "ERROR"]
        return self.start(name, "celery", "-q", "-A", "marketing_site", "worker", *options, *QUIET)

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self.start("beat", "celery", "-q", "-A", "marketing_site", "beat", "--loglevel", "ERROR")

    def kill(self, name: str) -> None:
        """kill -9, children first found and killed too."""
        process = self.processes.pop(name)
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            for child in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        process.wait()

    def kill_pool_process(self, name: str) -> bool:
        """kill -9 the process of a worker that does the work; Celery replaces it. False when there is none now."""
        children = psutil.Process(self.processes[name].pid).children(recursive=True)
        if not children:
            return False
        with contextlib.suppress(psutil.NoSuchProcess):
            children[0].kill()
        return True

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(database_url: str, redis_url: str) -> Iterator[World]:
    """Web server and an inbox; the test starts workers and Beat itself."""
    inbox = Inbox()
    smtp = Controller(inbox, hostname="127.0.0.1", port=free_port())
    smtp.start()
    port = free_port()
    environment = os.environ | {
        "GROUNDSWELL_MODE": "trial",
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
    }
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    world = World(f"http://127.0.0.1:{port}", environment, inbox)
    options = ["--interface", "wsgi", "--port", str(port), "--workers", "1", "--blocking-threads", "4", "--no-ws"]
    world.start("web", "granian", *options, "--log-level", "error", "marketing_site.wsgi:application")
    try:
        eventually(lambda: _answers(world.url), seconds=40)
        yield world
    finally:
        world.stop()
        smtp.stop()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=2).status_code == 200
    return False


def eventually(check: Callable[[], Any], *, seconds: float = 20, every: float = 0.1) -> Any:
    """Wait until `check` returns something true and return it; fails with what it returned last."""
    deadline = time.monotonic() + seconds
    found = check()
    while not found and time.monotonic() < deadline:
        time.sleep(every)
        found = check()
    assert found, f"still {found!r} after {seconds} s"
    return found


def address(database: str) -> str:
    """The DATABASE_URL of another database on the test server."""
    server = settings.DATABASES["default"]
    query = {key: value for key, value in (("host", server["HOST"]), ("port", server["PORT"])) if value}
    user = f"{server['USER']}@" if server["USER"] else ""
    return f"postgresql://{user}/{database}?{urlencode(query)}"
