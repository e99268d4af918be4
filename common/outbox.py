"""Notices: a room announces, whoever is wired listens (architecture §2.5).

`publish` writes a notice and one delivery per subscriber in the caller's transaction. `deliver` hands them
over, in order per subscriber, each in the transaction that holds its effect: at least once, never lost.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import msgspec
from django.db import connection, transaction

from common import claims, clock, doorbell, tenancy
from common.errors import Permanent, Transient
from common.models import NoticeDelivery, OutboxNotice, WorkStatus

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
BLOCK = 100

Handler = Callable[[Any], None]


@dataclass(frozen=True)
class Subscription:
    """`subscriber` is the handler's stable name: it keys deliveries that are already written."""

    notice: type[Any]
    subscriber: str
    handler: Handler


_by_kind: dict[str, list[Subscription]] = {}
_by_subscriber: dict[str, Subscription] = {}
_handling: ContextVar[int] = ContextVar("notice_being_handled", default=0)


def notice_id() -> int:
    """The id of the notice that is being handled: a natural key for what a subscriber makes of it. 0 outside."""
    return _handling.get()


def wire(subscriptions: Sequence[Subscription]) -> None:
    """Take the project's table of who listens to whom (marketing_site/wiring.py); replaces an earlier one."""
    _by_kind.clear()
    _by_subscriber.clear()
    for subscription in subscriptions:
        key = f"{subscription.subscriber}:{subscription.notice.__name__}"
        if key in _by_subscriber:
            raise ValueError(f"{key} is wired twice")
        _by_kind.setdefault(subscription.notice.__name__, []).append(subscription)
        _by_subscriber[key] = subscription


def publish(*notices: Any) -> None:
    """Announce frozen dataclasses in the current transaction and organisation."""
    heard = [notice for notice in notices if type(notice).__name__ in _by_kind]
    if not heard:
        return
    now = clock.now()
    rows = OutboxNotice.objects.bulk_create(
        [
            OutboxNotice(kind=type(notice).__name__, payload=msgspec.to_builtins(notice), created_at=now)
            for notice in heard
        ]
    )
    NoticeDelivery.objects.bulk_create(
        [
            NoticeDelivery(notice=row, subscriber=f"{subscription.subscriber}:{row.kind}", run_at=now)
            for row in rows
            for subscription in _by_kind[row.kind]
        ]
    )
    doorbell.ring("notices")


def deliver(organization_id: int) -> int:
    """Hand over everything that is due in one organisation; returns how many deliveries succeeded."""
    delivered = 0
    with tenancy.organization(organization_id):
        while True:
            handed = sum(_deliver_block(subscriber) for subscriber in _subscribers_with_work())
            delivered += handed
            if not handed:
                return delivered


def _subscribers_with_work() -> list[str]:
    pending = NoticeDelivery.objects.filter(status=WorkStatus.PENDING, run_at__lte=clock.now())
    return sorted(pending.values_list("subscriber", flat=True).distinct())


def _deliver_block(subscriber: str) -> int:
    """One block for one subscriber. The advisory lock keeps its order when several workers are about."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [subscriber, tenancy.required()]
            )
            if not cursor.fetchone()[0]:
                return 0
        due = list(
            NoticeDelivery.objects.select_for_update(skip_locked=True, of=("self",))
            .filter(status=WorkStatus.PENDING, run_at__lte=clock.now(), subscriber=subscriber)
            .select_related("notice")
            .order_by("id")[:BLOCK]
        )
        done = [delivery.pk for delivery in due if _handle(delivery)]
        NoticeDelivery.objects.filter(pk__in=done).update(status=WorkStatus.DONE)
        return len(done)


def _handle(delivery: NoticeDelivery) -> bool:
    subscription = _by_subscriber.get(delivery.subscriber)
    try:
        if subscription is None:
            raise Permanent(f"Nobody is wired as {delivery.subscriber} any more.")
        notice = msgspec.convert(delivery.notice.payload, subscription.notice)
        token = _handling.set(delivery.notice_id)
        try:
            with transaction.atomic():
                subscription.handler(notice)
        finally:
            _handling.reset(token)
    except Exception as error:  # noqa: BLE001 — recorded on the row, logged, retried or kept as a dead letter
        _record_failure(delivery, error)
        return False
    return True


def _record_failure(delivery: NoticeDelivery, error: Exception) -> None:
    delivery.attempts += 1
    final = isinstance(error, Permanent) or delivery.attempts >= MOST_ATTEMPTS
    wait = claims.backoff(delivery.attempts)
    if isinstance(error, Transient) and error.retry_after_seconds is not None:
        wait = timedelta(seconds=error.retry_after_seconds)
    NoticeDelivery.objects.filter(pk=delivery.pk).update(
        status=WorkStatus.FAILED if final else WorkStatus.PENDING,
        attempts=delivery.attempts,
        run_at=clock.now() + wait,
        error=f"{type(error).__name__}: {error}"[:2000],
    )
    logger.error("%s failed (attempt %s)", delivery, delivery.attempts, exc_info=error)
