"""The worker's connections, one per account at a provider: kept between messages, rested when the provider fails."""

from __future__ import annotations

import logging
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from common import claims
from delivery.domain import outcomes
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import Connection, ProviderUnavailable
from delivery.services.routing import Route

logger = logging.getLogger(__name__)

IDLE_SECONDS = 5.0  # an older connection is asked before it is used
MOST_REST_SECONDS = 300
MOST_KEPT = 32
SHORTEST_WAIT_SECONDS = 30.0


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
    if route.by_device:
        return ToDevices(route.by_device)
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
    if route.by_device:
        return  # each way was told by itself
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


class ToDevices:
    """A connection that hands each message to every device of its contact, by the way of each kind.

    One device that has it makes the message sent. The others are not tried again: what somebody read on the phone
    need not ring in the browser an hour later.
    """

    is_usable = True

    def __init__(self, ways: Mapping[str, Route]) -> None:
        self._ways = ways

    def is_alive(self) -> bool:
        return True

    def close(self) -> None:
        """The ways are kept for others."""

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """See contract.Connection."""
        for envelope in envelopes:
            parts: list[tuple[int, Outcome]] = []
            for kind in sorted({part.payload.device.kind for part in envelope.payload.parts}):
                mine = [part for part in envelope.payload.parts if part.payload.device.kind == kind]
                parts += zip((part.payload.device.id for part in mine), self._by(kind, mine), strict=True)
            yield envelope, outcomes.together(parts)

    def _by(self, kind: str, parts: list[Envelope]) -> list[Outcome]:
        route = self._ways.get(kind)
        if route is None:
            return [Outcome(OutcomeKind.FAILED, "No account is set up for this kind of device.")] * len(parts)
        wait = rest_seconds(route)
        if wait or not route.is_switched_on:
            return [_waits(f"{route.name} rests or is paused.", wait)] * len(parts)
        try:
            held = connection(route)
        except ProviderUnavailable as error:
            return [_waits(f"Cannot use {route.name}: {error}", rest_seconds(route))] * len(parts)
        known = {part.key: outcome for part, outcome in held.deliver(iter(parts))}
        note(
            route,
            held,
            is_good=any(outcome.kind == OutcomeKind.SENT for outcome in known.values()),
            rest_seconds=max((outcome.retry_after_seconds or 0 for outcome in known.values()), default=0) or None,
        )
        lost = _waits(f"The connection to {route.name} was lost.", rest_seconds(route))
        return [known.get(part.key, lost) for part in parts]


def _waits(sentence: str, seconds: float) -> Outcome:
    return Outcome(OutcomeKind.UNTRIED, sentence, retry_after_seconds=max(seconds, SHORTEST_WAIT_SECONDS))
