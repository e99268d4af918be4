"""A missing or bad setting is a sentence with an id and a fix, not a crash later (docs/deploy.md).

Settings are judged in production only: a trial and the tests fill in what is missing. `manage.py up`, `migrate`
and every other command run these before they start; `manage.py check --database default` adds the server's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import SplitResult, urlsplit

import psycopg
from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register
from django.db import connections

from marketing_site import environment

LEAST_SECRET = 50
OLDEST_POSTGRES = 16
REDIS_SCHEMES = {"redis", "rediss", "unix"}
MAIL_SCHEMES = {"smtp", "smtps"}
TLS_WORDS = {"", "starttls", "none"}
Apps = Sequence[AppConfig] | None


def _parts(url: str) -> SplitResult | None:
    """The address taken apart; None when it cannot be (a port that is no number, a broken bracket)."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 — reading it checks it
    except ValueError:
        return None
    return parts


def _error(number: int, text: str, hint: str) -> Error:
    return Error(text, hint=hint, id=f"groundswell.E{number:03}")


@register(Tags.security)
def check_secret_key(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E001: whoever knows the key can sign in as anybody."""
    if not settings.IS_PRODUCTION:
        return []
    hint = 'Set it to the output of: python -c "import secrets; print(secrets.token_urlsafe(50))"'
    key = settings.SECRET_KEY
    if not settings.SECRET_KEY_IS_SET:
        return [_error(1, "SECRET_KEY is not set.", hint)]
    if len(key) < LEAST_SECRET or len(set(key)) < 5:
        return [_error(1, f"SECRET_KEY is too easy to guess: it needs {LEAST_SECRET} random characters.", hint)]
    return []


@register(Tags.security)
def check_hosts(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E002: an answer to any Host header lets links in mail be forged."""
    if not settings.IS_PRODUCTION:
        return []
    hint = "Set ALLOWED_HOSTS to the names people use, e.g. ALLOWED_HOSTS=grow.example.com"
    if not settings.ALLOWED_HOSTS:
        return [_error(2, "ALLOWED_HOSTS is not set, so every request is refused.", hint)]
    if "*" in settings.ALLOWED_HOSTS:
        return [_error(2, "ALLOWED_HOSTS admits every name.", hint)]
    return []


@register(Tags.database)
def check_database_url(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E003: everything is kept in PostgreSQL, and in nothing else."""
    return _database_url() if settings.IS_PRODUCTION else []


def _database_url() -> list[CheckMessage]:
    hint = "Set DATABASE_URL=postgresql://user:password@host:5432/name"
    if not settings.DATABASE_URL:
        return [_error(3, "DATABASE_URL is not set.", hint)]
    parts = _parts(settings.DATABASE_URL)
    if parts is None:
        return [_error(3, "DATABASE_URL cannot be read: its host or port is malformed.", hint)]
    if parts.scheme not in ("postgresql", "postgres"):
        return [_error(3, f'DATABASE_URL names "{parts.scheme}"; Groundswell runs on PostgreSQL only.', hint)]
    if not parts.path.strip("/"):
        return [_error(3, "DATABASE_URL names no database.", hint)]
    return []


@register()
def check_redis_url(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E004: workers are woken through Redis."""
    if not settings.IS_PRODUCTION:
        return []
    parts = _parts(settings.REDIS_URL)
    hint = "Set REDIS_URL=redis://host:6379/0 (rediss:// for TLS)"
    if not settings.REDIS_URL_IS_SET:
        return [_error(4, "REDIS_URL is not set.", hint)]
    if parts is None or parts.scheme not in REDIS_SCHEMES or not (parts.hostname or parts.path):
        return [_error(4, "REDIS_URL is not the address of a Redis.", hint)]
    return []


@register()
def check_email_url(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E005 for an address that cannot work; W001 when there is none."""
    if not settings.IS_PRODUCTION:
        return []
    hint = "Set EMAIL_URL=smtp://user:password@host:587?tls=starttls (or smtps://… for TLS from the start)"
    if not settings.EMAIL_URL:
        text = "EMAIL_URL is not set, so mail goes to a mailbox on this machine and nowhere else."
        return [Warning(text, hint=hint, id="groundswell.W001")]
    parts = _parts(settings.EMAIL_URL)
    if parts is None or parts.scheme not in MAIL_SCHEMES or not parts.hostname:
        return [_error(5, "EMAIL_URL is not the address of a mail server.", hint)]
    tls = dict(pair.partition("=")[::2] for pair in parts.query.split("&")).get("tls", "")
    if tls not in TLS_WORDS:
        return [_error(5, f'EMAIL_URL says tls={tls}; it may be "starttls" or be left out.', hint)]
    return []


@register(Tags.security)
def check_public_url(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E006: links in mail, pixels and unsubscribe addresses start with it."""
    if not settings.IS_PRODUCTION:
        return []
    hint = "Set PUBLIC_URL=https://grow.example.com, as people reach it from outside"
    parts = _parts(settings.PUBLIC_URL)
    if parts is None or not parts.hostname:
        return [_error(6, "PUBLIC_URL is not an address.", hint)]
    if parts.scheme != "https":
        return [_error(6, "PUBLIC_URL does not start with https://; links in mail would be open to others.", hint)]
    hosts = settings.ALLOWED_HOSTS
    if hosts and "*" not in hosts and not any(_fits(parts.hostname, host) for host in hosts):
        return [_error(6, f"PUBLIC_URL names {parts.hostname}, which ALLOWED_HOSTS does not admit.", hint)]
    return []


def _fits(host: str, pattern: str) -> bool:
    return host == pattern or (pattern.startswith(".") and (host == pattern[1:] or host.endswith(pattern)))


@register(Tags.security)
def check_https(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E007: sessions and keys must not travel in the clear."""
    if not settings.IS_PRODUCTION or settings.SECURE_SSL_REDIRECT:
        return []
    hint = "Leave HTTPS unset (it is on), and set BEHIND_PROXY=1 where a proxy ends TLS and sets X-Forwarded-Proto"
    return [_error(7, "HTTPS is switched off, so sessions and keys travel in the clear.", hint)]


@register()
def check_nightly_times(app_configs: Apps, **options: Any) -> list[CheckMessage]:
    """E009: a moment that no day has would quietly be another one."""
    if not settings.IS_PRODUCTION:
        return []
    found: list[CheckMessage] = []
    for job in ("MARKETING_ANALYSIS", "CAMPAIGN_CLEANUP"):
        for part, most in (("HOUR", 23), ("MINUTE", 59)):
            said = environment.text(f"{job}_{part}")
            if said and not (said.isascii() and said.isdigit() and int(said) <= most):
                found.append(_error(9, f"{job}_{part} is “{said}”.", f"Set it to a number from 0 to {most}, UTC."))
    return found


def refuse_bad_settings() -> None:
    """For what starts without Django's checks (`up`, granian): raises SystemExit that says what to mend."""
    judges = (check_secret_key, check_hosts, check_database_url, check_redis_url, check_email_url, check_public_url)
    _refuse([found for judge in (*judges, check_https, check_nightly_times) for found in judge(None)])


def refuse_old_server() -> None:
    """Raises SystemExit where PostgreSQL is too old."""
    _refuse(check_postgres_version(None, databases=["default"]))


def _refuse(messages: Sequence[CheckMessage]) -> None:
    errors = [f"{message.id}: {message.msg} {message.hint}" for message in messages if message.is_serious()]
    if errors:
        raise SystemExit("\n".join(errors))


@register(Tags.database)
def check_postgres_version(
    app_configs: Apps, databases: Sequence[str] | None = None, **options: Any
) -> list[CheckMessage]:
    """E008: asks the server, so it runs with `check --database default`, `migrate` and `up` only."""
    found: list[CheckMessage] = []
    for alias in databases or []:
        try:
            version = _server_version(alias)
        except psycopg.Error as error:
            reason = str(error).strip().splitlines()[-1]
            hint = "Start the server, or mend host, user, password and name in DATABASE_URL."
            return [_error(8, f"The database does not answer: {reason}", hint)]
        if version < OLDEST_POSTGRES * 10_000:
            hint = f"Upgrade the server to PostgreSQL {OLDEST_POSTGRES} or later."
            found.append(_error(8, f"PostgreSQL {version // 10_000} is too old.", hint))
    return found


def _server_version(alias: str) -> int:
    # As the login role: before the first `migrate` there is no application role to assume.
    parameters = connections[alias].get_connection_params()
    for key in ("assume_role", "cursor_factory", "context"):
        parameters.pop(key, None)
    with psycopg.connect(**parameters, connect_timeout=10) as server:
        return server.info.server_version
