"""Every bad production setting is a sentence with an id and a fix."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings as project
from django.core.checks import CheckMessage, run_checks
from django.db import connection
from django.test.utils import CaptureQueriesContext

from marketing_site import checks, schedule

GOOD = {
    "IS_PRODUCTION": True,
    "SECRET_KEY_IS_SET": True,
    "SECRET_KEY": "9f4c1b7a2e8d5063-4b8e1d6c0a7f3952-9f4c1b7a2e8d5063-xyz",
    "ALLOWED_HOSTS": ["grow.example.com"],
    "DATABASE_URL": "postgresql://user:word@db.example.com:5432/groundswell",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "REDIS_URL_IS_SET": True,
    "EMAIL_URL": "smtp://user:word@mail.example.com:587?tls=starttls",
    "PUBLIC_URL": "https://grow.example.com",
    "SECURE_SSL_REDIRECT": True,
}
ALL: list[Callable[..., list[CheckMessage]]] = [
    checks.check_secret_key,
    checks.check_hosts,
    checks.check_database_url,
    checks.check_redis_url,
    checks.check_email_url,
    checks.check_public_url,
    checks.check_https,
    checks.check_nightly_times,
]


def found(settings: Any, **changed: object) -> list[CheckMessage]:
    for name, value in (GOOD | changed).items():
        setattr(settings, name, value)
    return [message for check in ALL for message in check(None)]


def test_well_formed_settings_pass(settings: Any) -> None:
    assert found(settings) == []


@pytest.mark.parametrize(
    ("changed", "identifier", "words"),
    [
        ({"SECRET_KEY_IS_SET": False}, "E001", "is not set"),
        ({"SECRET_KEY": "short"}, "E001", "too easy to guess"),
        ({"SECRET_KEY": "a" * 60}, "E001", "too easy to guess"),
        ({"ALLOWED_HOSTS": []}, "E002", "is not set"),
        ({"ALLOWED_HOSTS": ["*"]}, "E002", "every name"),
        ({"DATABASE_URL": ""}, "E003", "is not set"),
        ({"DATABASE_URL": "mysql://user@host/name"}, "E003", '"mysql"'),
        ({"DATABASE_URL": "postgresql://host:port/name"}, "E003", "malformed"),
        ({"DATABASE_URL": "postgresql://host"}, "E003", "names no database"),
        ({"REDIS_URL_IS_SET": False}, "E004", "is not set"),
        ({"REDIS_URL": "http://redis.example.com"}, "E004", "not the address of a Redis"),
        ({"EMAIL_URL": ""}, "W001", "nowhere else"),
        ({"EMAIL_URL": "mail.example.com:587"}, "E005", "not the address of a mail server"),
        ({"EMAIL_URL": "smtp://mail.example.com:x"}, "E005", "not the address of a mail server"),
        ({"EMAIL_URL": "smtp://mail.example.com?tls=yes"}, "E005", "tls=yes"),
        ({"PUBLIC_URL": "http://grow.example.com"}, "E006", "https"),
        ({"PUBLIC_URL": "grow"}, "E006", "not an address"),
        ({"PUBLIC_URL": "https://other.example.com"}, "E006", "does not admit"),
        ({"SECURE_SSL_REDIRECT": False}, "E007", "in the clear"),
    ],
)
def test_a_bad_setting_is_named_with_its_fix(
    settings: Any, changed: dict[str, object], identifier: str, words: str
) -> None:
    messages = found(settings, **changed)

    assert [message.id for message in messages] == [f"groundswell.{identifier}"]
    assert words in messages[0].msg
    assert messages[0].hint


def test_a_nightly_time_that_no_day_has_is_named(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETING_ANALYSIS_HOUR", "24")
    monkeypatch.setenv("CAMPAIGN_CLEANUP_MINUTE", "soon")

    messages = found(settings)

    assert [message.id for message in messages] == ["groundswell.E009"] * 2
    assert [message.msg for message in messages] == [
        "MARKETING_ANALYSIS_HOUR is “24”.", "CAMPAIGN_CLEANUP_MINUTE is “soon”.",
    ]  # fmt: skip


def test_the_nightly_times_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETING_ANALYSIS_HOUR", "4")
    monkeypatch.setenv("MARKETING_ANALYSIS_MINUTE", "35")

    assert str(schedule.nightly("MARKETING_ANALYSIS", 2)) == "<crontab: 35 4 * * * (m/h/dM/MY/d)>"
    assert str(schedule.nightly("CAMPAIGN_CLEANUP", 3)) == "<crontab: 0 3 * * * (m/h/dM/MY/d)>"


def test_a_trial_is_not_judged(settings: Any) -> None:
    assert found(settings, IS_PRODUCTION=False, SECRET_KEY_IS_SET=False, ALLOWED_HOSTS=[], DATABASE_URL="") == []


@pytest.mark.django_db
def test_an_old_server_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checks.check_postgres_version(None, databases=["default"]) == []

    monkeypatch.setattr(checks, "OLDEST_POSTGRES", 99)
    messages = checks.check_postgres_version(None, databases=["default"])
    assert [message.id for message in messages] == ["groundswell.E008"]
    assert "too old" in messages[0].msg


@pytest.mark.django_db
def test_the_version_is_asked_before_the_application_role_exists(monkeypatch: pytest.MonkeyPatch) -> None:
    options = connection.settings_dict["OPTIONS"] | {"assume_role": "nobody_made_this_role_yet"}
    monkeypatch.setitem(connection.settings_dict, "OPTIONS", options)

    assert checks.check_postgres_version(None, databases=["default"]) == []


@pytest.mark.django_db
def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connection.settings_dict, "HOST", "127.0.0.1")
    monkeypatch.setitem(connection.settings_dict, "PORT", "1")

    messages = checks.check_postgres_version(None, databases=["default"])

    assert [message.id for message in messages] == ["groundswell.E008"]
    assert "does not answer" in messages[0].msg


@pytest.mark.django_db
def test_the_server_is_asked_only_when_wanted() -> None:
    with CaptureQueriesContext(connection) as queries:
        run_checks()

    assert [query for query in queries if "version" in query["sql"]] == []
    assert checks.check_postgres_version(None) == []


def test_a_server_without_settings_refuses_to_start() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import marketing_site.wsgi"], cwd=project.BASE_DIR, capture_output=True, text=True,
        env={"PATH": os.environ["PATH"], "GROUNDSWELL_MODE": "production"}, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == [
        f"groundswell.E00{number}" for number in (1, 2, 3, 4, 6)
    ]


def test_production_settings_pass_the_deployment_check() -> None:
    production = {
        "GROUNDSWELL_MODE": "production",
        "SECRET_KEY": str(GOOD["SECRET_KEY"]),
        "ALLOWED_HOSTS": "grow.example.com",
        "PUBLIC_URL": "https://grow.example.com",
        "DATABASE_URL": str(GOOD["DATABASE_URL"]),
        "REDIS_URL": str(GOOD["REDIS_URL"]),
        "EMAIL_URL": str(GOOD["EMAIL_URL"]),
    }
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=project.BASE_DIR, env=inherited | production, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (done.returncode, done.stderr) == (0, "")
