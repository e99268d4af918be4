"""What makes `manage.py` work on a machine where nothing is configured: a trial under `.groundswell/`.

Settings read environment variables only. Here the missing ones are filled in before Django loads: embedded
servers for DATABASE_URL and REDIS_URL, a secret key that is made once. Nothing is filled in for production,
which is GROUNDSWELL_MODE=production or simply a DATABASE_URL.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from common import embedded, keeper, programs

PROJECT = Path(__file__).resolve().parent.parent
RUNNING = "running.json"
# Commands that look at code and files only; starting a database for them would be a waste.
WITHOUT_SERVICES = {
    "check",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "help",
    "makemessages",
    "makemigrations",
    "spectacular",
    "startapp",
    "version",
}


held: keeper.Services | None = None  # the embedded servers this process uses


def home() -> Path:
    """The folder of everything that a trial writes."""
    return Path(os.environ.get("GROUNDSWELL_HOME") or PROJECT / ".groundswell").expanduser().resolve()


def is_trial() -> bool:
    """Whether this process works on a trial rather than on a configured installation."""
    return os.environ.get("GROUNDSWELL_MODE") == "trial"


def prepare(arguments: list[str]) -> None:
    """Fill in what the environment lacks for `manage.py ARGUMENT…`, starting embedded servers when needed.

    Raises EmbeddedError with one sentence when they cannot run.
    """
    global held  # noqa: PLW0603 — one set of servers per process
    default_mode = "production" if os.environ.get("DATABASE_URL") else "trial"
    if os.environ.setdefault("GROUNDSWELL_MODE", default_mode) != "trial":
        return
    _name_folders()
    if not needs_services(arguments):
        return
    programs.private_folder(home())
    os.environ.setdefault("SECRET_KEY", secret_key())
    if arguments[0] != "up":
        _follow_running_up()
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        return
    held = keeper.hold(home())
    if not os.environ.get("DATABASE_URL"):
        os.environ["DATABASE_URL"] = held.database_url
        # psql and pg_dump must be as new as the server; the system's may be older.
        os.environ["PATH"] = f"{embedded.postgres_programs()}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    os.environ["REDIS_URL"] = os.environ.get("REDIS_URL") or held.redis_url


def release() -> None:
    """Give the embedded servers back; they stop when nobody else uses them."""
    global held  # noqa: PLW0603 — one set of servers per process
    if held is not None:
        held.release()
        held = None


def needs_services(arguments: list[str]) -> bool:
    """Whether a command works with the database or the queue."""
    if not arguments or {"-h", "--help", "--version"} & set(arguments):
        return False
    return arguments[0] not in WITHOUT_SERVICES


def _name_folders() -> None:
    for name, folder in (("MEDIA_ROOT", "media"), ("STATIC_ROOT", "static")):
        os.environ.setdefault(name, str(home() / folder))


def remember_running(addresses: dict[str, str]) -> None:
    """Let commands beside a running `up` make the same links and send to the same mailbox."""
    path = home() / RUNNING
    path.touch(mode=0o600)
    path.write_text(json.dumps(addresses), encoding="utf-8")


def forget_running() -> None:
    (home() / RUNNING).unlink(missing_ok=True)


def _follow_running_up() -> None:
    with contextlib.suppress(OSError, ValueError):
        for name, value in json.loads((home() / RUNNING).read_text(encoding="utf-8")).items():
            os.environ.setdefault(name, value)


def secret_key() -> str:
    """The trial's secret key, made on first use."""
    return _once("secret_key", lambda: secrets.token_urlsafe(48))


def logins() -> dict[str, str]:
    """E-mail address → password of the people of the trial, made on first use."""
    people = ("admin@groundswell.example", "demo@groundswell.example")
    made: dict[str, str] = json.loads(
        _once("login.json", lambda: json.dumps({person: secrets.token_urlsafe(9) for person in people}, indent=2))
    )
    return made


def _once(name: str, make: Callable[[], str]) -> str:
    """The text of a private file; the first reader makes it, whole or not at all."""
    path = home() / name
    try:
        if not path.exists():
            draft = path.with_name(f"{name}.{os.getpid()}")
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(make() + "\n")
            # A link does not replace: of two first starts at once, one secret wins.
            with contextlib.suppress(FileExistsError):
                os.link(draft, path)
            draft.unlink()
        return path.read_text(encoding="utf-8").strip()
    except PermissionError:
        raise programs.EmbeddedError(programs.owner_sentence(home())) from None
    except OSError as error:
        raise programs.EmbeddedError(programs.disk_sentence(error, path)) from None
