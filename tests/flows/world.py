"""A whole Groundswell for a test: web server, workers and Beat as processes, on a database and Redis of its own."""

from __future__ import annotations

import asyncio
import contextlib
import email.policy
import logging
import os
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import psutil
import redis
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client

from common import embedded, programs
from delivery.tests.making import Listener
from marketing_site import processes

ROOT = Path(settings.BASE_DIR)
OWNER = "owner@acme.example"
for chatty in ("httpx", "mail.log"):
    logging.getLogger(chatty).setLevel(logging.WARNING)
STARTING_SECONDS = 2.0


@dataclass
class Inbox:
    """An SMTP server in a thread that keeps every mail it took, in order; `seconds` is how long it takes each."""

    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    seconds: float = 0.0

    async def handle_EHLO(
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.seconds)
        self.mails.append(message_from_bytes(envelope.original_content, policy=email.policy.default))
        self.recipients.extend(envelope.rcpt_tos)
        return "250 taken"

    def to(self, address: str) -> list[EmailMessage]:
        return [mail for mail, recipient in zip(self.mails, self.recipients, strict=False) if recipient == address]


@dataclass
class World:
    """Addresses and processes of a running product, and the organisation a test works for in it."""

    url: str
    environment: dict[str, str]
    inbox: Inbox
    redis_folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    seasoned: set[str] = field(default_factory=set)  # workers whose pool has been replaced once
    organization_id: int = 0
    secret_key: str = ""
    write_key: str = ""

    # --- as a client of the product -------------------------------------------------------------------

    def call(self, method: str, path: str, json: Any = None, *, status: int = 200) -> Any:
        """A call of the API with the secret key; what it answers. Fails unless it answers with `status`."""
        headers = {"Authorization": f"Bearer {self.secret_key}"}
        answer = httpx.request(method, f"{self.url}/api/v1/{path}", json=json, headers=headers, timeout=120)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text[:2000]}"
        return answer.json() if answer.content else None

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def post(self, path: str, json: Any = None, *, status: int = 200) -> Any:
        return self.call("POST", path, json or {}, status=status)

    def send(self, *events: dict[str, Any]) -> httpx.Response:
        """One batch as a Segment SDK sends it; events without an id get one."""
        batch = [{"messageId": str(uuid.uuid4()), "timestamp": moment(), **event} for event in events]
        body = {"batch": batch, "sentAt": moment()}
        return httpx.post(f"{self.url}/v1/batch", json=body, auth=(self.write_key, ""), timeout=120)

    def page(self, path: str) -> str:
        """A page of the admin as the owner sees it."""
        browser = Client()
        browser.force_login(get_user_model().objects.get(email=OWNER))
        cookies = {"sessionid": browser.cookies["sessionid"].value}
        answer = httpx.get(f"{self.url}{path}", cookies=cookies, timeout=120)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.headers.get('Location', '')}"
        return answer.text

    # --- its processes --------------------------------------------------------------------------------

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start a process of the product in its own group; it ends when this process does."""
        words = [*programs.launcher(signal.SIGTERM), *command]
        self.processes[name] = subprocess.Popen(words, cwd=ROOT, env=self.environment, start_new_session=True)
        return self.processes[name]

    def start_worker(self, name: str = "worker", queues: str = "river,delivery,default") -> subprocess.Popen[bytes]:
        return self.start(name, *processes.worker_command(name, queues, 1, "ERROR"))

    def start_beat(self) -> subprocess.Popen[bytes]:
        return self.start("beat", *processes.beat_command("ERROR"))

    def kill(self, name: str) -> None:
        """kill -9, children first found and killed too."""
        process = self.processes.pop(name)
        self.seasoned.discard(name)
        with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
            family = psutil.Process(process.pid).children(recursive=True)
            os.killpg(process.pid, signal.SIGKILL)
            for child in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    child.kill()
        process.wait()

    def is_running(self, name: str) -> bool:
        return self.processes[name].poll() is None

    def kill_pool_process(self, name: str) -> bool:
        """kill -9 the process of a worker that does the work; Celery replaces it. False when there is none to kill.

        A worker whose first process dies while it starts gives up, so that one is left alone for a moment.
        """
        with contextlib.suppress(psutil.NoSuchProcess):
            for child in psutil.Process(self.processes[name].pid).children():
                if name in self.seasoned or time.time() - child.create_time() > STARTING_SECONDS:
                    child.kill()
                    self.seasoned.add(name)
                    return True
        return False

    def flush_redis(self) -> None:
        """Everything in Redis is gone: bells, queued tasks, counters."""
        redis.Redis.from_url(self.environment["REDIS_URL"]).flushall()

    def kill_redis(self) -> None:
        """kill -9 Redis; with it goes everything it held."""
        os.kill(int((self.redis_folder / "redis.pid").read_text()), signal.SIGKILL)

    def start_redis(self) -> None:
        """Start Redis again at the same address."""
        embedded.start_redis(self.redis_folder)

    def stop(self) -> None:
        for name in list(self.processes):
            self.kill(name)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(database_url: str, redis_folder: Path) -> Iterator[World]:
    """Web server and an inbox; the test starts workers and Beat itself."""
    inbox = Inbox()
    smtp = Listener(inbox)
    smtp.start()
    port = free_port()
    environment = os.environ | {
        "GROUNDSWELL_MODE": "trial",
        "DATABASE_URL": database_url,
        "REDIS_URL": embedded.start_redis(redis_folder),
        "EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "LOG_LEVEL": "WARNING",
        "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
    }
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_CURRENT_TEST"):
        environment.pop(name, None)
    world = World(f"http://127.0.0.1:{port}", environment, inbox, redis_folder)
    world.start("web", *processes.web_command("127.0.0.1", port, 1))
    try:
        eventually(lambda: _answers(world.url), seconds=120)
        yield world
    finally:
        world.stop()
        smtp.stop()
        embedded.stop_redis(redis_folder)


def moment(ago: timedelta = timedelta(0)) -> str:
    """A moment as SDKs write it; now, or some time ago."""
    return (datetime.now(UTC) - ago).isoformat()


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{url}/readyz", timeout=10).status_code == 200
    return False


def eventually(
    check: Callable[[], Any],
    *,
    seconds: float = 120,
    every: float = 0.1,
    otherwise: Callable[[], Any] | None = None,
) -> Any:
    """Wait until `check` returns something true and return it; fails with what it, or `otherwise`, says last."""
    deadline = time.monotonic() + seconds
    found = check()
    while not found and time.monotonic() < deadline:
        time.sleep(every)
        found = check()
    assert found, f"still {(otherwise() if otherwise else found)!r} after {seconds} s"
    return found


def address(database: str) -> str:
    """The DATABASE_URL of another database on the test server."""
    server = settings.DATABASES["default"]
    query = {key: value for key, value in (("host", server["HOST"]), ("port", server["PORT"])) if value}
    user = f"{server['USER']}@" if server["USER"] else ""
    return f"postgresql://{user}/{database}?{urlencode(query)}"
