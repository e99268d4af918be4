"""Reads configuration from environment variables: the only source of settings.

Every reader returns a default for a missing value; what must be present in production is judged by the
system checks in `marketing_site.checks`, so that a bad setting is a sentence with a fix, not a traceback.
"""

from __future__ import annotations

import math
import os
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

TRUE_WORDS = {"1", "true", "yes", "on"}


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default).strip()


def flag(name: str, default: bool = False) -> bool:
    value = text(name)
    return value.lower() in TRUE_WORDS if value else default


def integer(name: str, default: int) -> int:
    value = text(name)
    return int(value) if value.lstrip("-").isdigit() else default


def number(name: str, default: float) -> float:
    value = text(name)
    try:
        found = float(value) if value else default
    except ValueError:
        return default
    return found if math.isfinite(found) else default


def words(name: str, default: str = "") -> list[str]:
    """A comma-separated list without empty items."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def pairs(name: str) -> dict[str, str]:
    """`name=value` pairs between commas."""
    split = (word.partition("=") for word in words(name))
    return {key.strip(): value.strip() for key, _, value in split if value.strip()}


def database(url: str) -> dict[str, Any]:
    """Django's database settings from `postgresql://user:password@host:port/name?option=value`.

    A socket folder is given as `?host=/path`, as libpq writes it.
    """
    parts = urlsplit(url)
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    port = options.pop("port", None) or (str(parts.port) if parts.port else "")
    return {
        "ENGINE": "common.postgresql",
        "NAME": unquote(parts.path.lstrip("/")) or "groundswell",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": port,
        "OPTIONS": options,
    }


def mail(url: str) -> dict[str, Any]:
    """Django's mail settings from `smtp://user:password@host:587?tls=starttls` (`smtps://` for TLS at once)."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    implicit = parts.scheme == "smtps"
    try:
        port = parts.port
    except ValueError:  # judged by a system check
        port = None
    return {
        "EMAIL_HOST": parts.hostname or "",
        "EMAIL_PORT": port or (465 if implicit else 25),
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        "EMAIL_USE_SSL": implicit,
        "EMAIL_USE_TLS": not implicit and options.get("tls") == "starttls",
        "EMAIL_TIMEOUT": 10,
    }
