"""The worker's one connection to the provider: kept open between messages, rested when the provider fails."""

from __future__ import annotations

import logging
import time
from datetime import timedelta

from common import claims
from delivery import providers
from delivery.providers.contract import Connection, ProviderUnavailable

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0  # an older connection is asked before it is used
MOST_REST_SECONDS = 300


class _State:
    """One per process: a Celery worker sends from one thread."""

    connection: Connection | None = None
    url = ""
    used_at = 0.0
    failures = 0
    resting_until = 0.0


_state = _State()


def connection() -> Connection:
    """The open connection, opened when there is none. Raises `ProviderUnavailable`."""
    url = providers.configured_url()
    if _state.connection is not None and (_state.url != url or not _is_fresh(_state.connection)):
        close()
    if _state.connection is None:
        try:
            _state.connection = providers.find(url).connect(url)
        except ProviderUnavailable as error:
            logger.warning("Messages wait: the mail server cannot be used: %s", error)
            _rest()
            raise
        _state.url = url
    _state.used_at = time.monotonic()
    return _state.connection


def _is_fresh(held: Connection) -> bool:
    if not held.is_usable:
        return False
    return time.monotonic() - _state.used_at < IDLE_SECONDS or held.is_alive()


def note(used: Connection, *, is_good: bool) -> None:
    """Tell how a flight went: a connection that was lost before it took anything gives the provider a rest."""
    _state.used_at = time.monotonic()
    if is_good or used.is_usable:
        _state.failures = 0
    else:
        _rest()


def _rest() -> None:
    _state.failures += 1
    pause: timedelta = claims.backoff(_state.failures, base_seconds=1, most_seconds=MOST_REST_SECONDS)
    _state.resting_until = time.monotonic() + pause.total_seconds()


def is_resting() -> bool:
    """Whether the provider failed a moment ago and nothing is tried for now."""
    return time.monotonic() < _state.resting_until


def close() -> None:
    """Say goodbye to the provider; the next message opens a new connection."""
    if _state.connection is not None:
        _state.connection.close()
    _state.connection = None


def reset() -> None:
    """Forget the connection and every failure: for tests and after a change of settings."""
    close()
    _state.failures = 0
    _state.resting_until = 0.0
