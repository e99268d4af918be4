from __future__ import annotations

import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from marketing_site import supervisor
from marketing_site.console import Console
from marketing_site.supervisor import Program, Supervisor
from marketing_site.tests.processes import wait

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); time.sleep(60)"


def shell(name: str, script: str, *, once: bool = False, ended: Callable[[int], None] | None = None) -> Program:
    return Program(name, ["/bin/sh", "-c", script], once=once, ended=ended)


def run(programs: list[Program], until: Callable[[str], bool], seconds: float = 60) -> str:
    """Run programs until the output satisfies a condition; returns the output."""
    stream = io.StringIO()
    deadline = time.monotonic() + seconds

    def tick() -> None:
        if until(stream.getvalue()) or time.monotonic() > deadline:
            os.kill(os.getpid(), signal.SIGTERM)

    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        Supervisor(Console(stream), dict(os.environ), tick).run(programs)
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
    assert time.monotonic() < deadline + 60, stream.getvalue()
    return stream.getvalue()


def test_lines_carry_the_name_of_their_child() -> None:
    output = run([shell("web", "echo one; printf two; sleep 60")], lambda text: "one" in text)

    assert "web      │ one\n" in output


def test_a_last_line_without_an_end_is_printed() -> None:
    output = run([shell("demo", "printf unfinished", once=True)], lambda text: "unfinished" in text)

    assert output == "demo     │ unfinished\n"


def test_a_progress_bar_becomes_a_line_now_and_then() -> None:
    bar = r"printf '\r 10%%'; sleep 0.3; printf '\r 20%%'; sleep 0.3; printf '\r100%%\n'; sleep 60"

    output = run([shell("demo", bar)], lambda text: "100%" in text)

    assert output.splitlines()[-1] == "demo     │ 100%"
    assert "20%" not in output


def test_a_crashed_child_is_started_again_with_a_growing_pause() -> None:
    output = run([shell("river", "echo up; exit 3")], lambda text: text.count("up") == 2)

    assert "river ended with code 3; starting it again in 1 s.\n" in output


def test_a_killed_child_is_started_again() -> None:
    output = run([shell("river", "echo up; kill -9 $$")], lambda text: text.count("up") == 2)

    assert "river was ended by SIGKILL; starting it again in 1 s.\n" in output


def test_a_program_for_once_reports_its_code_and_is_not_repeated() -> None:
    codes: list[int] = []
    program = shell("demo", "echo done; exit 4", once=True, ended=codes.append)

    output = run([program, shell("web", "sleep 60")], lambda text: bool(codes))

    assert codes == [4]
    assert output == "demo     │ done\n"


def test_grandchildren_are_stopped_too(tmp_path: Path) -> None:
    number = tmp_path / "pid"
    run([shell("web", f"sleep 60 & echo $! > {number}; echo ready; wait")], lambda text: "ready" in text)

    assert wait(lambda: _is_zombie(int(number.read_text())), 60)


def test_grandchildren_of_a_crashed_child_are_stopped(tmp_path: Path) -> None:
    number = tmp_path / "pid"
    script = f"sleep 60 >/dev/null 2>&1 & echo $! > {number}; exit 1"

    run([shell("web", script)], lambda text: "ended with code 1" in text)

    assert wait(lambda: _is_zombie(int(number.read_text())), 60)


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_child_that_ignores_the_request_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.5)

    output = run([Program("web", [sys.executable, "-c", STUBBORN])], lambda text: "deaf" in text)

    assert output.endswith("web did not stop in time; it is killed.\n")


def test_a_second_request_does_not_wait() -> None:
    timer = threading.Timer(1.5, lambda: os.kill(os.getpid(), signal.SIGTERM))
    timer.start()
    started_at = time.monotonic()

    run([Program("web", [sys.executable, "-c", STUBBORN])], lambda text: "deaf" in text)

    timer.cancel()
    assert time.monotonic() - started_at < 30


def test_colours_only_on_a_terminal() -> None:
    stream = io.StringIO()

    Console(stream).line("web", "plain")

    assert stream.getvalue() == "web      │ plain\n"
