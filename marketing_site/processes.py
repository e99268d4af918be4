"""The processes that together are a running Groundswell, by role."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.core.management import get_commands

from marketing_site.supervisor import Program

PYTHON = sys.executable
MANAGE = str(Path(settings.BASE_DIR) / "manage.py")
QUICK_QUEUE = "river"
APPLICATION = "marketing_site.wsgi:application"
# A second thread works while the first waits for the database. More of them only quarrel over Python's lock:
# with four, the slowest of 20 clients waited a third longer.
THREADS_PER_WORKER = 2


def web_command(host: str, port: int, workers: int, application: str = APPLICATION) -> list[str]:
    """The web server (granian: the fastest WSGI server measured here)."""
    options = {
        "--interface": "wsgi",
        "--host": host,
        "--port": str(port),
        "--workers": str(workers),
        "--blocking-threads": str(THREADS_PER_WORKER),
        "--workers-kill-timeout": "4",
        "--log-level": "warning",
    }
    words = [word for option in options.items() for word in option]
    return [PYTHON, "-m", "granian", *words, "--no-ws", "--respawn-failed-workers", application]


def worker_command(name: str, queues: str, processes: int, log_level: str = "INFO") -> list[str]:
    """A Celery worker for the queues (by comma)."""
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]  # workers here never ask each other
    options = ["-Q", queues, "-n", f"{name}@%h", "--concurrency", str(processes), "--loglevel", log_level]
    return [PYTHON, "-m", "celery", "-q", "-A", "marketing_site", "worker", *options, *quiet]


def beat_command(log_level: str = "WARNING") -> list[str]:
    """The clock; exactly one per installation."""
    options = ["--scheduler", settings.CELERY_BEAT_SCHEDULER, "--loglevel", log_level]
    return [PYTHON, "-m", "celery", "-q", "-A", "marketing_site", "beat", *options]


def web(host: str, port: int, workers: int) -> Program:
    return Program("web", web_command(host, port, workers))


def workers() -> list[Program]:
    """One worker for what must be quick, one for everything that talks to the network or takes long."""
    others = ",".join(queue for queue in settings.QUEUES if queue != QUICK_QUEUE)
    return [
        Program("river", worker_command("river", QUICK_QUEUE, 1)),
        Program("delivery", worker_command("delivery", others, 2)),
    ]


def beat() -> Program:
    return Program("beat", beat_command())


def mailbox() -> Program:
    """The built-in mailbox that takes what would be sent."""
    return Program("mail", [PYTHON, MANAGE, "run_mailbox"])


def demo(url: str, ended: Callable[[int], None]) -> Program:
    """Fill the demo organisation through the running web server."""
    return Program("demo", [PYTHON, MANAGE, "load_demo", "--url", url], once=True, ended=ended)


def command_exists(name: str) -> bool:
    return name in get_commands()


def default_web_workers() -> int:
    return max(2, min(4, os.cpu_count() or 2))
