"""Starting `manage.py` as a person would, on a machine where nothing is configured, and looking what is left."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

PROJECT = Path(__file__).resolve().parents[2]
CONFIGURATION = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "EMAIL_URL", "PUBLIC_URL", "MAILBOX_PORT", "STATIC_ROOT")
INHERITED = ("GROUNDSWELL_", "DJANGO_", "PYTEST_", "MEDIA_ROOT", *CONFIGURATION)


def fresh_environment(home: Path) -> dict[str, str]:
    """The environment of a machine that knows nothing of us, but for the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(INHERITED)}
    return kept | {"GROUNDSWELL_HOME": str(home)}


def manage(home: Path, *arguments: str, seconds: float = 60, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=fresh_environment(home) | more,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


class Up:
    """A running `manage.py up`, its output in a file."""

    def __init__(self, home: Path, *arguments: str) -> None:
        self.home = home
        self.log = home.with_name("up.log")
        self.started_at = time.monotonic()
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up", *arguments],
                cwd=PROJECT,
                env=fresh_environment(home),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, *words: str, seconds: float = 180) -> float:
        """Seconds from the start until all the words are in the output."""
        assert wait(lambda: self._has(words), seconds), f"{words} never came:\n{self.output()}"
        return time.monotonic() - self.started_at

    def _has(self, words: tuple[str, ...]) -> bool:
        assert self.process.poll() is None, f"up ended with {self.process.returncode}:\n{self.output()}"
        text = self.output()
        return all(word in text for word in words)

    def end(self, number: int) -> int:
        """Signal the supervisor alone and return its exit code."""
        self.process.send_signal(number)
        return self.process.wait(60)


def wait(condition: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


def running_on(home: Path) -> list[str]:
    """Command lines of live processes that belong to a folder, by their arguments or their environment."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() == psutil.STATUS_ZOMBIE:
                continue
            command = " ".join(process.cmdline())
            if str(home) in command or process.environ().get("GROUNDSWELL_HOME") == str(home):
                found.append(command)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
