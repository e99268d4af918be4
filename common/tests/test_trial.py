from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from common import keeper, trial

UNSET = ("DATABASE_URL", "REDIS_URL", "GROUNDSWELL_MODE", "SECRET_KEY", "MEDIA_ROOT", "STATIC_ROOT", "PUBLIC_URL")


@pytest.fixture(autouse=True)
def fresh_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is configured, and nothing that a test sets survives it."""
    for name in UNSET:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", os.environ["PATH"])
    monkeypatch.setenv("GROUNDSWELL_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["migrate"], True),
        (["up", "--no-demo"], True),
        (["up", "--help"], False),
        (["makemigrations", "--check"], False),
        (["check", "--deploy"], False),
        ([], False),
    ],
)
def test_commands_about_code_start_no_servers(arguments: list[str], expected: bool) -> None:
    assert trial.needs_services(arguments) is expected


def test_a_configured_database_means_production(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")

    trial.prepare(["migrate"])

    assert os.environ["GROUNDSWELL_MODE"] == "production"
    assert "REDIS_URL" not in os.environ
    assert "SECRET_KEY" not in os.environ


def test_production_gets_no_embedded_servers_by_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GROUNDSWELL_MODE", "production")

    trial.prepare(["migrate"])

    assert "DATABASE_URL" not in os.environ


def test_a_fresh_machine_gets_servers_and_a_secret_for_the_commands_lifetime() -> None:
    trial.prepare(["migrate"])
    try:
        assert isinstance(trial.held, keeper.Services)
        assert os.environ["DATABASE_URL"].startswith("postgresql://groundswell@/")
        assert os.environ["REDIS_URL"].startswith("unix:///")
        assert len(os.environ["SECRET_KEY"]) >= 50
    finally:
        trial.release()
    assert trial.held is None


def test_the_secret_and_the_logins_are_made_once_and_private(tmp_path: Path) -> None:
    first_key, first_logins = trial.secret_key(), trial.logins()

    assert trial.secret_key() == first_key
    assert trial.logins() == first_logins
    assert set(first_logins) == {"admin@groundswell.example", "demo@groundswell.example"}
    assert json.loads((tmp_path / "login.json").read_text()) == first_logins
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}


def test_a_command_beside_a_running_up_uses_its_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql:///x")
    monkeypatch.setenv("REDIS_URL", "unix:///x")
    monkeypatch.setenv("GROUNDSWELL_MODE", "trial")
    trial.remember_running({"PUBLIC_URL": "http://127.0.0.1:9000"})

    trial.prepare(["load_demo"])

    assert os.environ["PUBLIC_URL"] == "http://127.0.0.1:9000"
