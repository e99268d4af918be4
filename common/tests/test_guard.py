from __future__ import annotations

import subprocess
import sys
import time

from common import guard

STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"


def _guard() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-I", "-S", guard.__file__], stdin=subprocess.PIPE)


def _sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "60"], start_new_session=True)


def test_groups_end_when_the_supervisor_is_gone() -> None:
    process, left, ended = _guard(), _sleeper(), _sleeper()
    assert process.stdin is not None
    process.stdin.write(f"+{left.pid}\n+{ended.pid}\n-{ended.pid}\n".encode())

    process.stdin.close()

    assert left.wait(30) == -15
    assert ended.poll() is None
    ended.kill()
    ended.wait()
    process.kill()
    process.wait()


def test_a_group_that_ignores_the_request_is_killed() -> None:
    stubborn = subprocess.Popen([sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, start_new_session=True)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    started_at = time.monotonic()

    guard.end_groups({stubborn.pid}, 0.3)

    assert stubborn.wait(30) == -9
    assert time.monotonic() - started_at < 30


def test_a_guard_without_groups_leaves_with_its_supervisor() -> None:
    process = _guard()
    assert process.stdin is not None

    process.stdin.close()

    assert process.wait(30) == 0
