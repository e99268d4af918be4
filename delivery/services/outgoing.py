"""The worker's connections, one per account at a provider: kept between messages, rested when the provider fails."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from dataclasses import dataclass

from common import claims
from delivery.providers.contract import Connection, ProviderUnavailable
from delivery.services.routing import Route

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0  # an older connection is asked before it is used
MOST_REST_SECONDS = 300
MOST_KEPT = 32


@dataclass
class _Way:
    """What this process knows of one account. A Celery worker sends from one thread."""

    connection: Connection | None = None
    used_at: float = 0.0
    failures: int = 0
    resting_until: float = 0.0


# By Route.key, the one used last at the end.
_ways: OrderedDict[str, _Way] = OrderedDict()


def connection(route: Route) -> Connection:
    """The open connection of a route, opened when there is none. Raises `ProviderUnavailable`."""
    way = _way(route)
    if way.connection is not None and not _is_fresh(way, way.connection):
        _close(way)
    if way.connection is None:
        try:
            way.connection = route.provider.connect(route.settings())
        except ProviderUnavailable as error:
            logger.warning("Messages wait: %s cannot be used: %s", route.name, error)
            _rest(way, None)
            raise
    way.used_at = time.monotonic()
    return way.connection


def _way(route: Route) -> _Way:
    way = _ways.setdefault(route.key, _Way())
    _ways.move_to_end(route.key)
    if len(_ways) > MOST_KEPT:
        _close(_ways.popitem(last=False)[1])
    return way


def _is_fresh(way: _Way, held: Connection) -> bool:
    if not held.is_usable:
        return False
    return time.monotonic() - way.used_at < IDLE_SECONDS or held.is_alive()


def note(route: Route, used: Connection, *, is_good: bool, rest_seconds: float | None = None) -> None:
    """Tell how a flight went. A connection that was lost before it took anything gives the provider a rest, and so
    does a provider that asked for one of `rest_seconds`."""
    way = _way(route)
    way.used_at = time.monotonic()
    if used.is_usable or (is_good and rest_seconds is None):
        way.failures = 0
    else:
        _rest(way, rest_seconds)


def _rest(way: _Way, asked_seconds: float | None) -> None:
    way.failures += 1
    pause = claims.backoff(way.failures, base_seconds=1, most_seconds=MOST_REST_SECONDS).total_seconds()
    if asked_seconds is not None:
        pause = min(max(asked_seconds, 1), MOST_REST_SECONDS)
    way.resting_until = time.monotonic() + pause


def rest_seconds(route: Route) -> float:
    """For how long nothing is tried because the provider failed a moment ago; 0 when it may be."""
    way = _ways.get(route.key)
    return max(0.0, way.resting_until - time.monotonic()) if way else 0.0


def is_resting(route: Route) -> bool:
    """Whether the provider failed a moment ago and nothing is tried for now."""
    return rest_seconds(route) > 0


def _close(way: _Way) -> None:
    if way.connection is not None:
        way.connection.close()
    way.connection = None


def reset() -> None:
    """Close every connection and forget every failure: for tests and after a change of settings."""
    for way in _ways.values():
        _close(way)
    _ways.clear()
