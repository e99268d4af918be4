"""Shares one pair of embedded servers among every process that works on the same folder.

`hold(home)` gives the addresses and starts the servers when nobody has. They are children of a keeper
process (`python -m common.keeper HOME`), not of the first user, so the first may leave before the others.
Users are counted by shared locks on a file: the kernel drops them however a process dies, so a `kill -9`
neither leaves servers behind nor takes them from somebody else. When the last user has gone, they stop.

    users.lock    shared: a user; exclusive: the keeper while it stops, so that newcomers wait
    start.lock    one newcomer at a time looks whether a keeper lives
    keeper.lock   held while a keeper lives
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from common import embedded, programs
from common.programs import EmbeddedError

PROJECT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.2
STOP_SECONDS = 10.0


@dataclass
class Services:
    """Held embedded servers. `release` them; a process that just dies releases them, too."""

    home: Path
    database_url: str
    redis_url: str
    _users: int

    def are_running(self) -> bool:
        return not _is_free(self.home / "keeper.lock")

    def restart(self) -> None:
        """Start the servers again after they died; the addresses stay the same."""
        _find_or_start(self.home)

    def release(self) -> None:
        """Stop counting as a user; the last one stays until the servers have stopped."""
        if self._users < 0:
            return
        if _try_lock(self._users, fcntl.LOCK_EX):
            _ask_keeper_to_stop(self.home)
            programs.wait_until(lambda: not self.are_running(), STOP_SECONDS)
        else:
            # Refused by other users, who have the servers now, or by the keeper, which is stopping them.
            programs.wait_until(lambda: _try_lock(self._users, fcntl.LOCK_SH), STOP_SECONDS)
        os.close(self._users)
        self._users = -1


def hold(home: Path) -> Services:
    """Join the users of the servers under `home`, starting them when needed. Raises EmbeddedError."""
    home = programs.private_folder(home.resolve())
    try:
        users = _open(home / "users.lock")
        # Waits while a keeper is stopping.
        fcntl.flock(users, fcntl.LOCK_SH)
        try:
            found = _find_or_start(home)
        except BaseException:
            os.close(users)
            raise
    except PermissionError:
        raise EmbeddedError(programs.owner_sentence(home)) from None
    except OSError as error:
        raise EmbeddedError(programs.disk_sentence(error, home)) from None
    return Services(home, found["database_url"], found["redis_url"], users)


def _find_or_start(home: Path) -> dict[str, str]:
    start = _open(home / "start.lock")
    try:
        fcntl.flock(start, fcntl.LOCK_EX)
        # A keeper that lost a server takes its addresses away, stops the other and goes.
        programs.wait_until(lambda: _addresses(home) is not None or _is_free(home / "keeper.lock"), STOP_SECONDS)
        found = _addresses(home)
        return found if found and not _is_free(home / "keeper.lock") else _start_keeper(home)
    finally:
        os.close(start)


def _start_keeper(home: Path) -> dict[str, str]:
    """Start a keeper and wait for its one line: the addresses, or the sentence that says why not."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "common.keeper", str(home)],
        cwd=PROJECT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert keeper.stdout is not None and keeper.stderr is not None
    try:
        line = keeper.stdout.readline()
    except KeyboardInterrupt:
        # It stops as soon as its servers can be stopped; nothing may be left when we are gone.
        keeper.terminate()
        keeper.wait()
        raise
    keeper.stdout.close()
    if not line:
        words = keeper.stderr.read().strip().splitlines()
        raise EmbeddedError(f"The embedded servers did not start: {(words or ['no reason given'])[-1]}")
    keeper.stderr.close()
    answer: dict[str, str] = json.loads(line)
    if "problem" in answer:
        keeper.wait(STOP_SECONDS)
        raise EmbeddedError(answer["problem"])
    return answer


def _addresses(home: Path) -> dict[str, str] | None:
    try:
        found: dict[str, str] = json.loads((home / "services.json").read_text(encoding="utf-8"))
        return found
    except (FileNotFoundError, ValueError):
        return None


def _ask_keeper_to_stop(home: Path) -> None:
    found = _addresses(home)
    if found and not _is_free(home / "keeper.lock"):
        with contextlib.suppress(ProcessLookupError):
            os.kill(int(found["keeper"]), signal.SIGTERM)


def _open(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _try_lock(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
        return True
    except BlockingIOError:
        return False


def _is_free(path: Path) -> bool:
    descriptor = _open(path)
    try:
        return _try_lock(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


# --- the keeper process ----------------------------------------------------------------------------


def main(home: Path) -> None:
    """Start both servers, say where they are, and stop them when the last user has gone."""
    keeper = _open(home / "keeper.lock")
    # A newcomer that looks whether a keeper lives holds this lock for a moment.
    fcntl.flock(keeper, fcntl.LOCK_EX)
    asked_to_stop: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        asked_to_stop.append(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, note)
    users = _open(home / "users.lock")
    try:
        _announce(home)
        while not asked_to_stop and _both_run(home) and not _try_lock(users, fcntl.LOCK_EX):
            time.sleep(POLL_SECONDS)
    except (EmbeddedError, OSError) as error:
        sentence = programs.disk_sentence(error, home) if isinstance(error, OSError) else str(error)
        _say({"problem": sentence})
    finally:
        (home / "services.json").unlink(missing_ok=True)
        embedded.stop_redis(home / "redis")
        embedded.stop_postgres(home / "postgres")


def _announce(home: Path) -> None:
    addresses = {
        "redis_url": embedded.start_redis(home / "redis"),
        "database_url": embedded.start_postgres(home / "postgres"),
        "keeper": str(os.getpid()),
    }
    path = home / "services.json"
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(addresses), encoding="utf-8")
    draft.rename(path)
    _say(addresses)


def _say(answer: dict[str, str]) -> None:
    """The one line for the process that waits for us; it may have gone."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    # Nobody reads on: later words would only fill a pipe.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)


def _both_run(home: Path) -> bool:
    return embedded.is_running(home / "redis") and embedded.is_running(home / "postgres")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
