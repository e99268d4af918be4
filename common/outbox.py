"""Notices: a room announces, whoever is wired listens (architecture §2.5).

`publish` writes a notice and one delivery per subscriber in the caller's transaction. `deliver` hands them
over, in order per subscriber, in the transaction that holds their effect: at least once, never lost.

A subscriber that fell behind gets neighbouring notices as one: those that differ only in their lists are joined,
so a busy hour costs one set statement instead of a hundred (`join`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import Field, dataclass, fields, replace
from datetime import timedelta
from itertools import groupby
from typing import Any

import msgspec
from django.db import connection, transaction
from django.db.models import BooleanField, QuerySet
from django.db.models.expressions import RawSQL

from common import claims, clock, doorbell, tenancy
from common.errors import Permanent, Transient
from common.models import NoticeDelivery, WorkStatus

logger = logging.getLogger(__name__)

MOST_ATTEMPTS = 10
BLOCK = 100

Handler = Callable[[Any], None]


@dataclass(frozen=True)
class Subscription:
    """Who listens to one kind of notice, or to several whose effect is one.

    `subscriber` is the listener's stable name: it keys deliveries that are already written. `work` names the
    doorbell that is rung for it: `notices` for what people wait for, `later_notices` for books that may be a
    second behind. With `takes_many` the handler gets a list of all that wait, instead of one notice at a time.
    `hears` looks through notices as they are published and says which of them concern the listener at all: most
    segments have nobody who waits for their members.
    """

    notice: type[Any] | tuple[type[Any], ...]
    subscriber: str
    handler: Handler
    work: str = "notices"
    takes_many: bool = False
    hears: Callable[[Sequence[Any]], list[bool]] | None = None

    @property
    def notices(self) -> dict[str, type[Any]]:
        """The kinds it listens to, by name."""
        kinds = self.notice if isinstance(self.notice, tuple) else (self.notice,)
        return {kind.__name__: kind for kind in kinds}

    @property
    def key(self) -> str:
        return f"{self.subscriber}:{'+'.join(self.notices)}"


_by_kind: dict[str, list[Subscription]] = {}
_by_subscriber: dict[str, Subscription] = {}
_handling: ContextVar[int] = ContextVar("notice_being_handled", default=0)
# Whom a pass has published to: they need not be looked for.
_published: ContextVar[set[str] | None] = ContextVar("published_in_this_pass", default=None)


# How many doings of our own led to what happens here: a loop is what grows without end.
_depth: ContextVar[int] = ContextVar("depth_of_causes", default=0)


def depth() -> int:
    """How many doings of our own led to this moment, one by the other; 0 for what came from outside."""
    return _depth.get()


@contextmanager
def caused_at(depth: int) -> Iterator[None]:
    """What is announced inside the block, and what comes of it, stands at this depth."""
    token = _depth.set(depth)
    try:
        yield
    finally:
        _depth.reset(token)


def notice_id() -> int:
    """The id of the notice being handled (the first of joined ones): a natural key for what is made of it."""
    return _handling.get()


def wire(subscriptions: Sequence[Subscription]) -> None:
    """Take the project's table of who listens to whom (marketing_site/wiring.py); replaces an earlier one."""
    _by_kind.clear()
    _by_subscriber.clear()
    for subscription in subscriptions:
        if subscription.key in _by_subscriber:
            raise ValueError(f"{subscription.key} is wired twice")
        for kind in subscription.notices:
            _by_kind.setdefault(kind, []).append(subscription)
        _by_subscriber[subscription.key] = subscription


# Notices get their ids in the order they were announced, and deliveries theirs in the order of the notices.
# Payloads come as one text: in an array every quote of theirs would be escaped once more, which takes longer than
# the statement.
PUBLISH_SQL = """
WITH announced AS (
  INSERT INTO common_outboxnotice (organization_id, kind, payload, created_at, depth)
  SELECT %(organization)s, kind, payload, %(now)s, %(depth)s
  FROM ROWS FROM (unnest(%(kinds)s::text[]), jsonb_array_elements(%(payloads)s::jsonb))
       WITH ORDINALITY AS told(kind, payload, place) ORDER BY place
  RETURNING id
), numbered AS (
  SELECT id, row_number() OVER (ORDER BY id) - 1 AS place FROM announced
)
INSERT INTO common_noticedelivery (organization_id, notice_id, subscriber, status, attempts, run_at, error)
SELECT %(organization)s, numbered.id, listener.subscriber, 'pending', 0, %(now)s, ''
FROM numbered JOIN unnest(%(places)s::bigint[], %(subscribers)s::text[]) AS listener(place, subscriber) USING (place)
ORDER BY numbered.id"""


def publish(*notices: Any, to_all: bool = False) -> None:
    """Announce frozen dataclasses in the current transaction and organisation.

    What concerns nobody is not kept. With `to_all` no listener is asked first: for who writes while listeners may
    be made that this transaction cannot see.
    """
    listeners = [
        (number, subscription)
        for kind, numbers in _by_place(notices).items()
        for subscription in _by_kind.get(kind, [])
        for number in _heard(subscription, notices, numbers, to_all=to_all)
    ]
    if not listeners:
        return
    places = {number: place for place, number in enumerate(sorted({number for number, _ in listeners}))}
    heard = [notices[number] for number in places]
    kinds = [type(notice).__name__ for notice in heard]
    with connection.cursor() as cursor:
        cursor.execute(
            PUBLISH_SQL,
            {
                "organization": tenancy.required(),
                "now": clock.now(),
                "depth": depth(),
                "kinds": kinds,
                "payloads": msgspec.json.encode(heard).decode(),
                "places": [places[number] for number, _ in listeners],
                "subscribers": [subscription.key for _, subscription in listeners],
            },
        )
    if (published := _published.get()) is not None:
        published.update(subscription.key for _, subscription in listeners)
    for work in sorted({subscription.work for _, subscription in listeners}):
        doorbell.ring(work)


def _by_place(notices: Sequence[Any]) -> dict[str, list[int]]:
    """Kind → where notices of it stand."""
    found: dict[str, list[int]] = {}
    for number, notice in enumerate(notices):
        found.setdefault(type(notice).__name__, []).append(number)
    return found


def _heard(subscription: Subscription, notices: Sequence[Any], numbers: list[int], *, to_all: bool) -> list[int]:
    if subscription.hears is None or to_all:
        return numbers
    concerns = subscription.hears([notices[number] for number in numbers])
    return [number for number, is_heard in zip(numbers, concerns, strict=True) if is_heard]


def deliver(organization_id: int, work: str = "notices") -> int:
    """Hand over what is due of this work in one organisation; returns how many deliveries succeeded.

    Goes on until nothing is left, or past each subscriber once when the turn is over.
    """
    wired = [key for key, subscription in _by_subscriber.items() if subscription.work == work]
    delivered = 0
    with tenancy.organization(organization_id):
        while waiting := _waiting(wired):
            if delivered and doorbell.turn_is_over():
                return delivered
            handed = _pass_along(wired, waiting)
            delivered += handed
            if not handed:  # others have them in hand, or they failed and wait
                break
        if work == "notices" and not delivered:
            _refuse_unknown()
    return delivered


def deliver_later(organization_id: int) -> int:
    """`deliver` for the books that may be a second behind."""
    return deliver(organization_id, "later_notices")


def organizations_due(work: str) -> list[int]:
    """Organisations with something to hand over; what nobody is wired for any more counts as `notices`."""
    here = [key for key, subscription in _by_subscriber.items() if subscription.work == work]
    elsewhere = list(_by_subscriber.keys() - set(here))
    side, keys = ("<> ALL(%s)", elsewhere) if work == "notices" else ("= ANY(%s)", here)
    return doorbell.organizations_with(
        "common_noticedelivery",
        f"status = 'pending' AND run_at <= %s AND subscriber {side}",
        [clock.now(), keys],
    )


# Plan: one probe of pending_deliveries for each subscriber.
WAITING_SQL = """
SELECT wired.subscriber FROM unnest(%s::text[]) AS wired(subscriber)
 WHERE EXISTS (
   SELECT 1 FROM common_noticedelivery delivery
    WHERE delivery.organization_id = %s AND delivery.subscriber = wired.subscriber
      AND delivery.status = 'pending' AND delivery.run_at <= %s)
"""


def _pass_along(wired: Sequence[str], waiting: set[str]) -> int:
    """Past each subscriber once, in the order of the wiring, in which the river flows.

    What one publishes, those after it get in the same pass.
    """
    handed = 0
    published: set[str] = set()
    token = _published.set(published)
    try:
        for key in wired:
            if key in waiting or key in published:
                handed += _deliver_block(key)
    finally:
        _published.reset(token)
    return handed


def _waiting(wired: list[str]) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(WAITING_SQL, [wired, tenancy.required(), clock.now()])
        return {row[0] for row in cursor.fetchall()}


def _refuse_unknown() -> None:
    """Lay aside what is kept for a subscriber that nobody is wired as any more."""
    waiting = NoticeDelivery.objects.filter(status=WorkStatus.PENDING, run_at__lte=clock.now())
    names = waiting.exclude(subscriber__in=list(_by_subscriber)).values_list("subscriber", flat=True)
    for subscriber in sorted(set(names[:BLOCK])):
        _deliver_block(subscriber)


def _deliver_block(subscriber: str) -> int:
    """One block for one subscriber, as if nothing could fail; when something does, once more and carefully."""
    try:
        return _deliver_due(subscriber, _hand_over)
    except Exception as error:  # noqa: BLE001 — taken back as a whole, and each failure found and recorded below
        logger.debug("A block for %s failed (%s); each is tried alone.", subscriber, error)
    return _deliver_due(subscriber, _hand_over_carefully)


def _deliver_due(subscriber: str, hand_over: Callable[[Subscription, list[NoticeDelivery]], list[int]]) -> int:
    """In one transaction. The advisory lock keeps the subscriber's order when several workers are about."""
    with transaction.atomic():
        due = _due(subscriber)
        if not due:
            return 0
        subscription = _by_subscriber.get(subscriber)
        done = _refuse(due) if subscription is None else hand_over(subscription, due)
        NoticeDelivery.objects.filter(pk__in=done).update(status=WorkStatus.DONE)
        return len(done)


OUR_LOCK = "(SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s)))"


def _due(subscriber: str) -> list[NoticeDelivery]:
    """The oldest that wait, if nobody else has the subscriber's lock: it is taken by the same statement."""
    is_ours = RawSQL(OUR_LOCK, [subscriber, tenancy.required()], BooleanField())  # noqa: S611 — values are bound
    return list(
        NoticeDelivery.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(is_ours, status=WorkStatus.PENDING, run_at__lte=clock.now(), subscriber=subscriber)
        .select_related("notice")
        .order_by("id")[:BLOCK]
    )


def _refuse(due: list[NoticeDelivery]) -> list[int]:
    for delivery in due:
        _record_failure(delivery, Permanent(f"Nobody is wired as {delivery.subscriber} any more."))
    return []


def _hand_over(subscription: Subscription, due: list[NoticeDelivery]) -> list[int]:
    """Call the handler for joined notices; returns the deliveries' ids."""
    for group in _groups(subscription, due):
        _handle(subscription, group)
    return [delivery.pk for delivery in due]


def _hand_over_carefully(subscription: Subscription, due: list[NoticeDelivery]) -> list[int]:
    """The same in savepoints; a group that fails is taken apart, to find the one that does not work."""
    done: list[NoticeDelivery] = []
    groups = _groups(subscription, due)
    for group in groups:
        # The only group is the one that failed a moment ago.
        is_whole = len(group) > 1 and len(groups) > 1 and _try(subscription, group) is None
        done += group if is_whole else [delivery for delivery in group if _alone(subscription, delivery)]
    return [delivery.pk for delivery in done]


def _alone(subscription: Subscription, delivery: NoticeDelivery) -> bool:
    error = _try(subscription, [delivery])
    if error is not None:
        _record_failure(delivery, error)
    return error is None


def _try(subscription: Subscription, group: list[NoticeDelivery]) -> Exception | None:
    """Handle a group in a savepoint; the error is the caller's to record."""
    try:
        with transaction.atomic():
            _handle(subscription, group)
    except Exception as error:  # noqa: BLE001 — recorded on the row, logged, retried or kept as a dead letter
        return error
    return None


def _handle(subscription: Subscription, group: list[NoticeDelivery]) -> None:
    token = _handling.set(group[0].notice_id)
    try:
        notices = [
            msgspec.convert(delivery.notice.payload, subscription.notices[delivery.notice.kind]) for delivery in group
        ]
        with caused_at(group[0].notice.depth):
            subscription.handler(notices if subscription.takes_many else join(notices))
    finally:
        _handling.reset(token)


def replay(deliveries: QuerySet[NoticeDelivery]) -> int:
    """Hand the failed ones of these over again with the next sweep, attempts counted anew; returns how many."""
    failed = deliveries.filter(status=WorkStatus.FAILED)
    return failed.update(status=WorkStatus.PENDING, attempts=0, error="", run_at=clock.now())


def _groups(subscription: Subscription, due: list[NoticeDelivery]) -> list[list[NoticeDelivery]]:
    """Neighbours of one depth stand together, all of them or those of one kind that differ only in their lists."""
    if subscription.takes_many:
        return [list(group) for _, group in groupby(due, key=lambda delivery: delivery.notice.depth)]
    scalars = {
        kind: [field.name for field in fields(notice) if not _is_list(field)]
        for kind, notice in subscription.notices.items()
    }

    def likeness(delivery: NoticeDelivery) -> list[Any]:
        kind = delivery.notice.kind
        return [kind, delivery.notice.depth, *(delivery.notice.payload.get(name) for name in scalars[kind])]

    return [list(group) for _, group in groupby(due, key=likeness)]


def _is_list(field: Field[Any]) -> bool:
    return str(field.type).startswith("list[")


def join(notices: list[Any]) -> Any:
    """One notice with the lists of all, in order; their other fields are equal."""
    first = notices[0]
    if len(notices) == 1:
        return first
    lists = [field.name for field in fields(first) if _is_list(field)]
    return replace(first, **{name: [item for notice in notices for item in getattr(notice, name)] for name in lists})


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
