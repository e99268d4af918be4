"""The rules by which an app's offline queue is taken in. Pure: what is known comes in, a verdict per item goes out.

Items may come late, twice and in any order; the verdicts on a set of items do not depend on their order.

1. An item whose id came before is answered as `repeated`, and changes nothing.
2. The client's clock is set right by its own `sent_at`: what it calls now is now.
3. An item is refused that lies in the future, before its message left, or more than 90 days back; and one about a
   message that this contact never got.
4. An open or click within two seconds of one on record of the same message (and link) is the same one: `merged`.
   Otherwise both count, and the earliest is the first.
5. An order counts once. What is on record stands before any item, and of the items of one queue the first to happen;
   another amount for the same order is a `conflict` that names what stands, the same amount is `merged`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

OPEN, CLICK, CONVERSION = "open", "click", "conversion"
APPLIED, REPEATED, MERGED, CONFLICT, REFUSED = "applied", "repeated", "merged", "conflict", "refused"

CLOCK_TOLERANCE = timedelta(seconds=5)
SAME_FACT = timedelta(seconds=2)
LATEST = timedelta(days=90)

FUTURE = "It lies in the future, also by the client's own clock."
TOO_LATE = "It is more than 90 days old."
UNKNOWN_MESSAGE = "This contact got no such message."
TOO_EARLY = "It lies before the message left."
SEEN = "The same fact is on record."
SAME_ORDER = "The order is on record with the same amount."


@dataclass(frozen=True)
class Item:
    """What the client says. `value_minor` with `currency` and `order_id` for conversions, `url` for clicks."""

    client_id: str
    kind: str
    happened_at: datetime
    message_id: int | None = None
    url: str = ""
    order_id: str = ""
    value_minor: int | None = None
    currency: str = ""


@dataclass(frozen=True)
class Verdict:
    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Known:
    """What is on record of one contact.

    `sent` maps messages to when they left, `seen` (message, kind, url) to moments, `orders` ids to amounts.
    """

    client_ids: frozenset[str]
    sent: Mapping[int, datetime]
    seen: Mapping[tuple[int, str, str], Sequence[datetime]]
    orders: Mapping[str, tuple[int | None, str]]


def corrected(happened_at: datetime, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The moment by our clock (rule 2). Small differences are the way over the wire and stay."""
    if sent_at is None or abs(received_at - sent_at) <= CLOCK_TOLERANCE:
        return happened_at
    return happened_at + (received_at - sent_at)


def judge(items: Sequence[Item], known: Known, now: datetime) -> list[Verdict]:
    """One verdict per item, in the order of the items."""
    seen = {key: list(moments) for key, moments in known.seen.items()}
    orders = dict(known.orders)
    ids = set(known.client_ids)
    verdicts: dict[int, Verdict] = {}
    # By the moment, then by what an item says: the same set is judged alike in whatever order it came.
    for place in sorted(range(len(items)), key=lambda at: _order(items[at])):
        item = items[place]
        if item.client_id in ids:
            verdicts[place] = Verdict(REPEATED)
            continue
        ids.add(item.client_id)
        verdicts[place] = _refused(item, known, now) or (
            _conversion(item, orders) if item.kind == CONVERSION else _engagement(item, seen)
        )
    return [verdicts[place] for place in range(len(items))]


def _order(item: Item) -> tuple[datetime, str, str, str, int]:
    return (item.happened_at, item.client_id, item.kind, item.order_id + item.url, item.value_minor or 0)


def _refused(item: Item, known: Known, now: datetime) -> Verdict | None:
    if item.happened_at > now + CLOCK_TOLERANCE:
        return Verdict(REFUSED, FUTURE)
    if item.happened_at < now - LATEST:
        return Verdict(REFUSED, TOO_LATE)
    if item.message_id is None:
        return None if item.kind == CONVERSION else Verdict(REFUSED, UNKNOWN_MESSAGE)
    if item.message_id not in known.sent:
        return Verdict(REFUSED, UNKNOWN_MESSAGE)
    if item.happened_at < known.sent[item.message_id]:
        return Verdict(REFUSED, TOO_EARLY)
    return None


def _engagement(item: Item, seen: dict[tuple[int, str, str], list[datetime]]) -> Verdict:
    moments = seen.setdefault((item.message_id or 0, item.kind, item.url if item.kind == CLICK else ""), [])
    if any(abs(item.happened_at - moment) <= SAME_FACT for moment in moments):
        return Verdict(MERGED, SEEN)
    moments.append(item.happened_at)
    return Verdict(APPLIED)


def _conversion(item: Item, orders: dict[str, tuple[int | None, str]]) -> Verdict:
    amount = (item.value_minor, item.currency)
    standing = orders.setdefault(item.order_id, amount) if item.order_id else amount
    if standing is amount:
        return Verdict(APPLIED)
    if standing == amount:
        return Verdict(MERGED, SAME_ORDER)
    value, currency = standing
    return Verdict(
        CONFLICT, f"Order {item.order_id} is on record with {value} {currency} in minor units; that stands."
    )
