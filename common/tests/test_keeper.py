from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from common import keeper, programs

PROJECT = Path(__file__).resolve().parents[2]
USER = (
    "import sys, time; from pathlib import Path; from common import keeper;"
    "services = keeper.hold(Path(sys.argv[1])); print(services.database_url, flush=True); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "home"
    assert programs.wait_until(lambda: _is_free(tmp_path / "home"), 10), "a keeper outlived its users"


def _is_free(home: Path) -> bool:
    return keeper._is_free(home / "keeper.lock")


def _other_user(home: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], cwd=PROJECT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_users_share_servers_that_stop_with_the_last(home: Path) -> None:
    other, other_url = _other_user(home)
    services = keeper.hold(home)
    assert services.database_url == other_url

    other.kill()
    other.wait()
    psycopg.connect(services.database_url).close()
    assert redis.Redis.from_url(services.redis_url).ping()

    services.release()
    assert not services.are_running()
    assert not (home / "services.json").exists()


def test_a_released_user_does_not_stop_the_servers_of_another(home: Path) -> None:
    services = keeper.hold(home)
    other, url = _other_user(home)

    services.release()

    psycopg.connect(url).close()
    other.kill()
    other.wait()


def test_a_killed_user_leaves_nothing_behind(home: Path) -> None:
    other, _ = _other_user(home)

    other.kill()
    other.wait()

    assert programs.wait_until(lambda: _is_free(home), 5)


def test_servers_of_a_killed_keeper_are_replaced_at_the_same_address(home: Path) -> None:
    services = keeper.hold(home)
    os.kill(int(json.loads((home / "services.json").read_text())["keeper"]), signal.SIGKILL)
    assert programs.wait_until(lambda: not services.are_running(), 5)

    services.restart()

    assert services.are_running()
    psycopg.connect(services.database_url).close()
    services.release()


def test_a_lost_server_ends_its_keeper_so_that_it_can_be_restarted(home: Path) -> None:
    services = keeper.hold(home)
    os.kill(programs.read_pid(home / "redis" / "redis.pid"), signal.SIGKILL)
    assert programs.wait_until(lambda: not services.are_running(), 10)

    services.restart()

    assert redis.Redis.from_url(services.redis_url).ping()
    services.release()


def test_the_keepers_refusal_reaches_the_user_as_one_sentence(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    (home / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(programs.EmbeddedError, match="was written by PostgreSQL 9"):
        keeper.hold(home)
