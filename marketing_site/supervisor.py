"""Keeps a set of programs running: prefixed logs, restart with back-off, and a stop that leaves nothing.

Each child leads a session of its own, so a terminal's Ctrl-C reaches only the supervisor, and a signal to
the child's group reaches its children, too. Should the supervisor itself be killed, `common.guard` ends the
groups. One thread, one loop.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from common import guard, programs
from marketing_site.console import Console

STOP_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 30.0
HEALTHY_SECONDS = 60.0  # a child that lived this long starts its back-off afresh
TICK_SECONDS = 0.2
PROGRESS_SECONDS = 5.0


@dataclass(frozen=True)
class Program:
    """A command to keep running, or to run `once`."""

    name: str
    command: Sequence[str]
    once: bool = False
    ended: Callable[[int], None] | None = None


@dataclass
class Child:
    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    failure_count: int = 0
    partial_line: bytes = field(default=b"", repr=False)
    progress_shown_at: float = 0.0


class Supervisor:
    """Runs programs until somebody asks to stop; `tick` is called five times a second."""

    def __init__(self, console: Console, environment: dict[str, str], tick: Callable[[], None]) -> None:
        self.console = console
        self.environment = environment
        self.tick = tick
        self.children: list[Child] = []
        self.stop_request_count = 0
        self._selector = selectors.DefaultSelector()
        self._guard = subprocess.Popen(
            [sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE, start_new_session=True
        )

    def run(self, programs_to_run: Sequence[Program]) -> None:
        """Start the programs and keep them until SIGINT, SIGTERM or SIGHUP; then stop every one."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)
        try:
            for program in programs_to_run:
                self.add(program)
            while not self.stop_request_count:
                self._read_output(TICK_SECONDS)
                self._reap()
                self._start_due()
                self.tick()
        finally:
            self._stop_all()

    def add(self, program: Program) -> None:
        """Start one more program."""
        child = Child(program)
        self.children.append(child)
        self._start(child)

    def _request_stop(self, number: int, frame: object) -> None:
        self.stop_request_count += 1

    def _start(self, child: Child) -> None:
        child.process = subprocess.Popen(
            [*programs.launcher(signal.SIGTERM), *child.program.command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=self.environment,
            start_new_session=True,
        )
        self._tell_guard("+", child.process.pid)
        child.started_at = time.monotonic()
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _tell_guard(self, sign: str, group: int) -> None:
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.write(f"{sign}{group}\n".encode())
            self._guard.stdin.flush()

    def _read_output(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            self._read(key.data)

    def _read(self, child: Child) -> None:
        """Print what a child has written, in whole lines; at its end stop listening."""
        assert child.process is not None and child.process.stdout is not None
        data = child.process.stdout.read(65536)
        if data is None:
            return
        lines = (child.partial_line + data).split(b"\n")
        child.partial_line = lines.pop()
        if not data:
            self._selector.unregister(child.process.stdout)
            child.process.stdout.close()
            lines = [child.partial_line] if child.partial_line else []
            child.partial_line = b""
        for line in lines:
            self._print(child, line)
        if b"\r" in child.partial_line:
            self._show_progress(child)

    def _print(self, child: Child, line: bytes) -> None:
        # Of a progress bar that was drawn over itself, the last state.
        shown = line.rstrip(b"\r").rpartition(b"\r")[2]
        self.console.line(child.program.name, shown.decode("utf-8", "replace"))

    def _show_progress(self, child: Child) -> None:
        """A progress bar has no line ends: show its state every few seconds."""
        drawn, _, child.partial_line = child.partial_line.rpartition(b"\r")
        if time.monotonic() - child.progress_shown_at >= PROGRESS_SECONDS:
            child.progress_shown_at = time.monotonic()
            self._print(child, drawn)

    def _reap(self) -> None:
        for child in list(self.children):
            if child.process is None or child.process.poll() is None:
                continue
            code = child.process.returncode
            self._forget(child)
            if child.program.once:
                self.children.remove(child)
                if child.program.ended:
                    child.program.ended(code)
            else:
                self._plan_restart(child, code)

    def _forget(self, child: Child) -> None:
        """Take the last output of a child that ended, and end what it left in its group."""
        assert child.process is not None and child.process.stdout is not None
        guard.send(child.process.pid, signal.SIGKILL)
        if not child.process.stdout.closed:
            self._read(child)
        if not child.process.stdout.closed:
            self._selector.unregister(child.process.stdout)
            child.process.stdout.close()
        self._tell_guard("-", child.process.pid)
        child.process = None

    def _plan_restart(self, child: Child, code: int) -> None:
        lived = time.monotonic() - child.started_at
        child.failure_count = 1 if lived > HEALTHY_SECONDS else child.failure_count + 1
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (child.failure_count - 1))
        child.start_again_at = time.monotonic() + pause
        self.console.say(f"{child.program.name} {_how_it_ended(code)}; starting it again in {pause:.0f} s.")

    def _start_due(self) -> None:
        for child in self.children:
            if child.process is None and time.monotonic() >= child.start_again_at:
                self._start(child)

    def _stop_all(self) -> None:
        """SIGTERM to every group, SIGKILL after five seconds or at a second Ctrl-C."""
        requests = self.stop_request_count
        deadline = time.monotonic() + STOP_SECONDS
        running = [child for child in self.children if child.process is not None]
        for child in running:
            assert child.process is not None
            guard.send(child.process.pid, signal.SIGTERM)
        while time.monotonic() < deadline and self.stop_request_count == requests:
            self._read_output(0.05)
            if all(child.process is None or child.process.poll() is not None for child in running):
                break
        for child in running:
            assert child.process is not None
            if child.process.poll() is None:
                self.console.say(f"{child.program.name} did not stop in time; it is killed.")
            guard.send(child.process.pid, signal.SIGKILL)
            child.process.wait()
            self._forget(child)
        assert self._guard.stdin is not None
        self._guard.stdin.close()
        self._guard.wait()


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"was ended by {signal.Signals(-code).name}"
    return f"ended with code {code}"
