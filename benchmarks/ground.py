"""Real servers for a benchmark: durable PostgreSQL and Redis of its own, a migrated database, child processes."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from common import embedded

ROOT = Path(__file__).resolve().parent.parent
WEB_PORT = 18_080
READY_DATABASE = "BENCHMARK_DATABASE_URL"


@contextlib.contextmanager
def servers() -> Iterator[None]:
    """Start servers, point Django at them and migrate; everything is gone afterwards.

    A smoke may be given a database that is migrated already (READY_DATABASE): migrating takes longer than it.
    """
    ready = os.environ.get(READY_DATABASE)
    folder = Path(tempfile.mkdtemp(prefix="groundswell-bench-"))
    folder.chmod(0o755)
    try:
        os.environ |= {
            "GROUNDSWELL_MODE": "trial",
            "SECRET_KEY": "benchmark-" + "k" * 60,
            "DJANGO_SETTINGS_MODULE": "marketing_site.settings",
            "DATABASE_URL": ready or embedded.start_postgres(folder / "postgres", track_commit_timestamp="on"),
            "REDIS_URL": embedded.start_redis(folder / "redis"),
            "LOG_LEVEL": "WARNING",
            "API_RATE": "100000000/min",
            "EMAIL_URL": "smtp://127.0.0.1:18025",
            "PUBLIC_URL": f"http://127.0.0.1:{WEB_PORT}",
        }
        _prepare_django(migrated=bool(ready))
        yield
    finally:
        embedded.stop_redis(folder / "redis")
        if not ready:
            embedded.stop_postgres(folder / "postgres")
        shutil.rmtree(folder, ignore_errors=True)


def _prepare_django(*, migrated: bool) -> None:
    import django
    from django.core.management import call_command

    django.setup()
    if not migrated:
        call_command("migrate", verbosity=0)


@contextlib.contextmanager
def child(*command: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of the product (own process group), stopped at the end."""
    process = subprocess.Popen(command, cwd=ROOT, start_new_session=True)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextlib.contextmanager
def web(application: str = "marketing_site.wsgi:application", workers: int = 1) -> Iterator[subprocess.Popen[bytes]]:
    """The web server as production starts it; yields when it answers."""
    from marketing_site import processes

    with child(*processes.web_command("127.0.0.1", WEB_PORT, workers, application)) as process:
        wait_for(f"http://127.0.0.1:{WEB_PORT}/healthz")
        yield process


def worker(queues: str) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """A Celery worker with one process for the named queues."""
    from marketing_site import processes

    return child(*processes.worker_command(queues, queues, 1, "WARNING"))


def beat() -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """The clock that sweeps."""
    from marketing_site import processes

    return child(*processes.beat_command("ERROR"))


def wait_for(url: str, seconds: float = 30) -> None:
    """Wait until `url` answers at all; raises TimeoutError."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url, timeout=2)
            return
        time.sleep(0.1)
    raise TimeoutError(f"{url} did not answer within {seconds} s")
