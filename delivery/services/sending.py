"""The send loop: claim a block, hand it over flight by flight, record what became of it.

A flight is the most that a crash can leave uncertain. Its rows are marked as handed over, and committed, before
the first byte leaves; their outcomes are committed together with the marks of the next flight.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec
from django.db import transaction

from audience.models import MessageChannel
from common import clock, doorbell, tenancy
from delivery import selectors
from delivery.domain import flights
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.providers.contract import Connection, ProviderUnavailable
from delivery.services import claiming, composing, conclusions, letters, outgoing, rendering, settling, straining
from delivery.services.claiming import Block, Recipient
from delivery.services.queue import WORK
from delivery.services.routing import Route, Routes
from delivery.services.settling import Result

logger = logging.getLogger(__name__)

BLOCK = 500
FLIGHT = flights.FIRST
# Shorter than the lease by more than the longest wait for one answer.
FLIGHT_SECONDS = claiming.LEASE_SECONDS / 3
DOUBTFUL = (OutcomeKind.UNCERTAIN, OutcomeKind.RETRY, OutcomeKind.FAILED)
TURN_SECONDS = 10  # then other organisations, and a worker that wants to stop, get their turn


def send_due(organization_id: int) -> int:
    """Send what is due in one organisation; returns how many messages were decided."""
    started = time.monotonic()
    with tenancy.organization(organization_id):
        worked = _end_lapsed()
        while judged := _turn():
            if judged >= BLOCK and not worked:
                doorbell.ring(WORK)  # more waits than one block: whoever is free may help
            worked += judged
            if time.monotonic() - started > TURN_SECONDS:
                doorbell.ring(WORK)
                break
    return worked


def _end_lapsed() -> int:
    """Decide about messages whose worker vanished, with what providers have reported meanwhile; returns how many."""
    routes = Routes()
    with transaction.atomic():
        ended = claiming.expire_leases(routes.repeatable(), routes.unchanged_since())
        conclusions.settle_by_reports([row[0] for row in ended])
    return len(ended)


def _turn() -> int:
    """One block of every channel that has something due and a way open; returns how many messages were decided."""
    routes = Routes()
    lanes = {lane.channel: lane for lane in routes.lanes(outgoing.is_resting)}
    judged = 0
    due = selectors.channels_due(list(lanes))
    for channel in due:
        block = claiming.claim(BLOCK, lanes[channel], [lanes[other] for other in due if other != channel])
        judged += block.judged_count
        if block.recipients:
            _send(block, channel, routes)
    return judged


def _send(block: Block, channel: str, routes: Routes) -> None:
    results: list[Result] = []
    for route, recipients in routes.grouped(channel, block.recipients):
        office = _office(channel, recipients, route)
        for start, flight in _flights(recipients, route):
            try:
                routes.still_open(route)
                connection = _connection(route)
            except ProviderUnavailable as error:
                rest = recipients[start:]
                results += [
                    _result(each, Outcome(OutcomeKind.UNTRIED, f"Cannot use {route.name}: {error}")) for each in rest
                ]
                break
            allowed = _record(results, flight, block, route.account_id)
            if allowed is None:
                logger.warning("The claim on %s messages ended before its worker was done.", len(block.recipients))
                return
            results = _fly([each for each in flight if each.message_id in allowed], office, route, connection)
            straining.note(route, [result.outcome for result in results])
    with transaction.atomic():
        _record(results, [], block)
        claiming.finish(block.token)


def _flights(recipients: Sequence[Recipient], route: Route) -> Iterator[tuple[int, Sequence[Recipient]]]:
    """Flight by flight, each with the place of its first one; how long it takes until the next one is asked for
    says how large that is. One that tries out a paused account goes alone."""
    size, start = FLIGHT, 0
    while start < len(recipients):
        size = 1 if route.is_probe else size
        began = time.monotonic()
        yield start, recipients[start : start + size]
        start += size
        size = flights.next_size(size, time.monotonic() - began)


def _connection(route: Route) -> Connection:
    try:
        return outgoing.connection(route)
    except ProviderUnavailable as error:
        straining.note(route, [Outcome(OutcomeKind.UNTRIED, str(error))])
        raise


def _record(
    results: Sequence[Result], upcoming: Sequence[Recipient], block: Block, account_id: int | None = None
) -> set[int] | None:
    """See settling.turn. A report that came while a message was under way settles what its answer left open."""
    doubtful = [result.recipient.message_id for result in results if result.outcome.kind in DOUBTFUL]
    with transaction.atomic():
        allowed = settling.turn(results, upcoming, block, account_id)
        conclusions.settle_by_reports(doubtful)
    return allowed


def _office(channel: str, recipients: Sequence[Recipient], route: Route) -> Writer:
    if channel == MessageChannel.EMAIL:
        return letters.Office(recipients, route)
    return composing.Desk(channel, recipients)


def _result(recipient: Recipient, outcome: Outcome, account_id: int | None = None, parts: int = 1) -> Result:
    return Result(recipient, outcome, clock.now(), account_id, parts)


class Writer(Protocol):
    """Writes the messages of one block."""

    def envelope(self, recipient: Recipient) -> Envelope: ...


@dataclass
class _Flight:
    """One flight's results, and which of its messages the provider has taken."""

    office: Writer
    route: Route
    results: list[Result]
    taken: dict[int, Recipient]

    def envelopes(self, recipients: Sequence[Recipient]) -> Iterator[Envelope]:
        """Rendered mails; what cannot be rendered, or comes too late, becomes a result instead."""
        deadline = time.monotonic() + FLIGHT_SECONDS
        for recipient in recipients:
            if time.monotonic() > deadline:
                self.results.append(
                    _result(recipient, Outcome(OutcomeKind.UNTRIED, f"Not tried: {self.route.name} is slow."))
                )
                continue
            try:
                envelope = self.office.envelope(recipient)
            except Exception as error:  # noqa: BLE001 — a template may fail in any way; the ledger keeps the sentence
                outcome = Outcome(OutcomeKind.REFUSED, rendering.sentence(error))
                self.results.append(_result(recipient, outcome))
                continue
            self.taken[recipient.message_id] = recipient
            yield envelope


def _fly(recipients: Sequence[Recipient], office: Writer, route: Route, connection: Connection) -> list[Result]:
    """Hand over one flight; every recipient gets exactly one result."""
    if not recipients:
        return []
    flight = _Flight(office, route, [], {})
    for envelope, outcome in connection.deliver(flight.envelopes(recipients)):
        known = _asked_again(outcome) if route.provider.remembers else outcome
        recipient = flight.taken.pop(envelope.message_id)
        flight.results.append(_result(recipient, known, route.account_id, envelope.parts))
    outcomes = [result.outcome for result in flight.results]
    outgoing.note(
        route,
        connection,
        is_good=any(outcome.kind == OutcomeKind.SENT for outcome in outcomes),
        rest_seconds=max((outcome.retry_after_seconds or 0 for outcome in outcomes), default=0) or None,
    )
    seen = {result.recipient.message_id for result in flight.results}
    # The connection was lost: what it never took has certainly not been handed over.
    lost = Outcome(OutcomeKind.UNTRIED, f"The connection to {route.name} was lost.")
    return flight.results + [_result(each, lost) for each in recipients if each.message_id not in seen]


def _asked_again(outcome: Outcome) -> Outcome:
    """The provider recognises a second try by its key, so nobody need decide what became of the first."""
    if outcome.kind != OutcomeKind.UNCERTAIN:
        return outcome
    return msgspec.structs.replace(outcome, kind=OutcomeKind.RETRY, is_doubtful=True)
