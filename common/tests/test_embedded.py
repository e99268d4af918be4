from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from common import embedded, programs
from common.programs import EmbeddedError

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    # pytest's folder is closed to the user that root's PostgreSQL runs as, as /root would be.
    yield tmp_path
    embedded.stop_postgres(tmp_path / "postgres")
    embedded.stop_redis(tmp_path / "redis")


def test_postgres_starts_as_a_login_role_that_owns_its_database_and_is_no_superuser(data: Path) -> None:
    url = embedded.start_postgres(data / "postgres", durable=False)

    with psycopg.connect(url) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper, rolcreaterole, current_database() FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("groundswell", False, True, "groundswell")


def test_only_the_safe_mode_waits_for_the_disk(data: Path) -> None:
    with psycopg.connect(embedded.start_postgres(data / "postgres", durable=False)) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    embedded.stop_postgres(data / "postgres")

    with psycopg.connect(embedded.start_postgres(data / "postgres")) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)


def test_rows_outlive_a_killed_server(data: Path) -> None:
    url = embedded.start_postgres(data / "postgres")
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    psutil.Process(programs.read_pid(data / "postgres" / "postmaster.pid")).kill()

    url = embedded.start_postgres(data / "postgres")

    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


def test_a_path_longer_than_a_socket_address_works(tmp_path: Path) -> None:
    deep = tmp_path / ("a" * 60) / ("b, c" * 20)
    try:
        with psycopg.connect(embedded.start_postgres(deep / "postgres", durable=False)) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert redis.Redis.from_url(embedded.start_redis(deep / "redis")).ping()
    finally:
        embedded.stop_postgres(deep / "postgres")
        embedded.stop_redis(deep / "redis")


def test_a_lock_file_with_a_strangers_process_number_is_dropped(data: Path) -> None:
    embedded.start_postgres(data / "postgres", durable=False)
    lock = data / "postgres" / "postmaster.pid"
    text = lock.read_text()
    embedded.stop_postgres(data / "postgres")
    stranger = subprocess.Popen(["sleep", "60"])
    lock.write_text(text.replace(text.splitlines()[0], str(stranger.pid), 1))

    try:
        url = embedded.start_postgres(data / "postgres", durable=False)
        psycopg.connect(url).close()
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_servers_end_with_a_starter_that_is_killed(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from common import embedded; home = Path(sys.argv[1]);"
        "embedded.start_redis(home / 'redis'); embedded.start_postgres(home / 'postgres', durable=False);"
        "print('ready', flush=True); time.sleep(60)"
    )
    starter = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE)
    assert starter.stdout is not None and starter.stdout.readline() == b"ready\n"
    servers = [
        programs.find_process(
            programs.read_pid(tmp_path / "redis" / "redis.pid"), "redis-server", tmp_path / "redis"
        ),
        programs.find_process(
            programs.read_pid(tmp_path / "postgres" / "postmaster.pid"), "postgres", tmp_path / "postgres"
        ),
    ]
    assert None not in servers

    starter.kill()
    starter.wait()

    assert programs.wait_until(lambda: all(_is_gone(server) for server in servers if server), 5)


def _is_gone(process: psutil.Process) -> bool:
    return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_stopping_what_does_not_run_is_no_error(tmp_path: Path) -> None:
    embedded.stop_postgres(tmp_path / "postgres")
    embedded.stop_redis(tmp_path / "redis")


def test_a_missing_wheel_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs.importlib.util, "find_spec", lambda name: None)

    with pytest.raises(EmbeddedError, match="PostgreSQL is not installed"):
        embedded.start_postgres(tmp_path / "postgres")
    with pytest.raises(EmbeddedError, match="Redis is not installed"):
        embedded.start_redis(tmp_path / "redis")


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 5 * 1024 * 1024))

    with pytest.raises(EmbeddedError, match="has 5 MB free and a new database needs 300 MB"):
        embedded.start_postgres(tmp_path / "postgres")
    assert list(tmp_path.iterdir()) == []


def test_data_of_another_major_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "PG_VERSION").write_text("16\n")

    with pytest.raises(EmbeddedError, match="was written by PostgreSQL 16 and this version brings 18"):
        embedded.start_postgres(tmp_path / "postgres")


def test_a_server_that_cannot_start_says_why(data: Path) -> None:
    embedded.start_postgres(data / "postgres", durable=False)
    embedded.stop_postgres(data / "postgres")
    (data / "postgres" / "global" / "pg_control").unlink()

    started_at = time.monotonic()
    with pytest.raises(EmbeddedError, match=r"PostgreSQL did not start: .*pg_control"):
        embedded.start_postgres(data / "postgres", durable=False)
    assert time.monotonic() - started_at < embedded.START_SECONDS / 2


@pytest.mark.skipif(os.geteuid() != 0, reason="only root hands PostgreSQL to another user")
def test_root_keeps_folders_closed_and_runs_postgres_as_somebody_else(data: Path) -> None:
    data.chmod(0o700)
    embedded.start_postgres(data / "postgres", durable=False)

    server = psutil.Process(programs.read_pid(data / "postgres" / "postmaster.pid"))
    assert server.uids().effective != 0
    assert data.stat().st_mode & 0o777 == 0o700


def test_a_stubborn_process_is_killed_in_the_end() -> None:
    stubborn = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import signal,time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)",
        ],
        stdout=subprocess.PIPE,
    )
    assert stubborn.stdout is not None
    stubborn.stdout.readline()

    programs.end(stubborn, [(signal.SIGTERM, 0.2), (signal.SIGKILL, 2.0)])

    assert stubborn.returncode == -signal.SIGKILL
