"""Starting, watching and stopping the server programs that `common.embedded` runs for a trial or a test."""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil

LAUNCHER = Path(__file__).with_name("launch.py")
# sockaddr_un.sun_path holds 107 bytes on Linux and 103 on macOS; PostgreSQL adds ".lock" to a name beside it.
LONGEST_SOCKET_PATH = 98


class EmbeddedError(Exception):
    """An embedded server cannot run; the message is one sentence for a person, with what to do."""


def package_folder(package: str, role: str) -> Path:
    """Where an installed wheel lies, found without importing it."""
    specification = importlib.util.find_spec(package)
    if specification is None or specification.origin is None:
        raise EmbeddedError(
            f"{role} is not installed: the Python package that carries it is missing from this environment; "
            "run `make run`, or point DATABASE_URL and REDIS_URL at running servers."
        )
    return Path(specification.origin).parent


def server_user(data_dir: Path) -> int:
    """The user id to run PostgreSQL as, or -1 for our own: root hands over to the data's owner or nobody."""
    if os.geteuid() != 0:
        return -1
    if data_dir.exists() and data_dir.stat().st_uid != 0:
        return data_dir.stat().st_uid
    try:
        return pwd.getpwnam("nobody").pw_uid
    except KeyError:
        raise EmbeddedError(
            "PostgreSQL refuses to run as root and this machine has no user `nobody` to run it as; "
            "start as an ordinary user, or set DATABASE_URL."
        ) from None


def private_folder(folder: Path, user_id: int = -1) -> Path:
    """Make a folder that only its owner can enter; refuse one that somebody else prepared."""
    wanted_owner = user_id if user_id >= 0 else os.geteuid()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if folder.is_symlink():
            raise EmbeddedError(f"{folder} is a link; remove it and start again.")
        if folder.stat().st_uid != wanted_owner:
            os.chown(folder, wanted_owner, -1)
        folder.chmod(0o700)
    except PermissionError:
        raise EmbeddedError(owner_sentence(folder)) from None
    except OSError as error:
        raise EmbeddedError(disk_sentence(error, folder)) from None
    return folder


def owner_sentence(folder: Path) -> str:
    """One sentence about a folder of somebody else."""
    return f"{folder} belongs to another user; start as that user, or set GROUNDSWELL_HOME to a folder of yours."


def disk_sentence(error: OSError, path: Path) -> str:
    """One sentence about a file system that says no."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk that holds {path} is full; free some space and start again."
    return f"{path} cannot be written: {error.strerror}."


def socket_folder(data_dir: Path, name: str) -> Path:
    """Where a socket called `name` goes: inside the data, or a short path for a deep checkout."""
    inside = data_dir.resolve() / "socket"
    # libpq reads a comma in a host as two hosts.
    if len(os.fsencode(inside / name)) <= LONGEST_SOCKET_PATH and "," not in str(inside):
        return inside
    digest = hashlib.sha256(os.fsencode(data_dir.resolve())).hexdigest()[:12]
    temporary = Path(tempfile.gettempdir())
    if len(os.fsencode(temporary)) > 50:
        temporary = Path("/tmp")  # noqa: S108  # the folder made in it is private and its owner is checked
    return temporary / f"groundswell-{os.geteuid()}-{digest}"


def launcher(death: int, user_id: int = -1) -> list[str]:
    """The words in front of a command that tie its life to this process (common.launch)."""
    words = [str(int(death)), str(os.getpid()), str(user_id), "--"]
    return [sys.executable, "-I", "-S", str(LAUNCHER), *words]


def launch(command: list[str], log: Path, death: int, user_id: int = -1) -> subprocess.Popen[bytes]:
    """Start a server as a session of its own that gets signal `death` when we die; output goes to `log`."""
    words = launcher(death, user_id) + command
    try:
        with log.open("wb") as output:
            return subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
            )
    except OSError as error:
        raise EmbeddedError(disk_sentence(error, log)) from None


def run(command: list[str], user_id: int = -1) -> subprocess.CompletedProcess[str]:
    """Run a helper program of a server to its end, as the server's user."""
    words = launcher(signal.SIGKILL, user_id) + command
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, env=environment, check=False
    )


def wait_until(ready: Callable[[], bool], seconds: float) -> bool:
    """Ask again and again until `ready` says yes or the time is over."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if ready():
            return True
        time.sleep(0.02)
    return ready()


def find_process(pid: int, program: str, data_dir: Path) -> psutil.Process | None:
    """The process `pid` if it is our server on this folder, not a stranger who got the number later."""
    try:
        process = psutil.Process(pid)
        if process.name() != program or process.status() == psutil.STATUS_ZOMBIE:
            return None
        # The command line first: a container may forbid root to look at another user's folder.
        belongs = any(str(data_dir) in word for word in process.cmdline()) or process.cwd() == str(data_dir)
        return process if belongs else None
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None


def read_pid(path: Path) -> int:
    """The process id on the first line of a file, or 0."""
    try:
        first = path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except FileNotFoundError:
        return 0
    return int(first) if first.isdigit() else 0


def end(process: psutil.Process | subprocess.Popen[bytes], steps: list[tuple[signal.Signals, float]]) -> None:
    """Send each signal in turn until the process is gone, waiting the given seconds after each."""
    for number, seconds in steps:
        try:
            process.send_signal(number)
            process.wait(seconds)
            return
        except (psutil.TimeoutExpired, subprocess.TimeoutExpired):
            continue
        except (psutil.NoSuchProcess, ProcessLookupError):
            return


def last_words(log: Path) -> str:
    """What a server's log gives as the reason of its end."""
    text = log.read_text(encoding="utf-8", errors="replace")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    for sign in ("No space left", "PANIC", "FATAL", "could not"):
        for line in reversed(lines):
            if sign in line:
                return line.rpartition("PANIC:  ")[2].rpartition("FATAL:  ")[2]
    return " ".join(lines[-3:]) or "it said nothing"
