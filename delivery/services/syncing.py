"""Taking in what an app queued while it was offline: judged by domain.syncing, written in sets, all answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from audience import services as audience
from audience.models import Contact, Event
from audience.services import InternalEvent
from common import clock, outbox, turns
from delivery.domain import syncing
from delivery.domain.syncing import APPLIED, CLICK, CONVERSION, OPEN, REPEATED, Item, Known, Verdict
from delivery.models import Engagement, Message, SyncedItem
from delivery.notices import MessageEngaged
from delivery.services.engagement import mark_first
from delivery.services.telling import engagement_event, properties_of

ORDER = "order_completed"


def take_in(contact: Contact, items: Sequence[Item]) -> list[Verdict]:
    """Apply a contact's queue; returns one verdict per item, in their order. Again changes nothing.

    Two queues of one contact at once wait for each other.
    """
    with turns.taking(f"delivery.sync:{contact.pk}"):
        ids = [contact.pk, *Contact.objects.filter(merged_into=contact).values_list("pk", flat=True)]
        messages = {
            row.pk: row
            for row in Message.objects.filter(
                pk__in={item.message_id for item in items if item.message_id}, contact_id__in=ids
            )
        }
        verdicts = syncing.judge(items, _known(ids, items, messages), clock.now())
        decided = list(zip(items, verdicts, strict=True))
        _write_down(contact, decided)
        applied = [item for item, verdict in decided if verdict.outcome == APPLIED]
        _engage([item for item in applied if item.kind != CONVERSION], messages)
        _convert(contact, [item for item in applied if item.kind == CONVERSION], messages)
    return verdicts


def _known(ids: list[int], items: Sequence[Item], messages: dict[int, Message]) -> Known:
    client_ids = SyncedItem.objects.filter(contact_id__in=ids, client_id__in=[item.client_id for item in items])
    seen: dict[tuple[int, str, str], list[datetime]] = defaultdict(list)
    for message_id, kind, url, moment in Engagement.objects.filter(
        message_id__in=list(messages), kind__in=[OPEN, CLICK], is_machine=False
    ).values_list("message_id", "kind", "url", "happened_at"):
        seen[(message_id, kind, url if kind == CLICK else "")].append(moment)
    return Known(
        frozenset(client_ids.values_list("client_id", flat=True)),
        {pk: row.sent_at for pk, row in messages.items() if row.sent_at is not None},
        seen,
        _orders(ids, {item.order_id for item in items if item.order_id}),
    )


def _orders(ids: list[int], order_ids: set[str]) -> dict[str, tuple[int | None, str]]:
    """Orders on record, the earliest of each; and those that a queue told and the river has not carried yet."""
    found: dict[str, tuple[int | None, str]] = {}
    if not order_ids:
        return found
    events = Event.objects.filter(
        contact_id__in=ids, definition__name=ORDER, properties__order_id__in=list(order_ids)
    )
    for order_id, value, currency in events.order_by("happened_at", "pk").values_list(
        "properties__order_id", "value_minor", "currency"
    ):
        found.setdefault(order_id, (value, currency or ""))
    told = SyncedItem.objects.filter(contact_id__in=ids, order_id__in=order_ids, outcome=APPLIED)
    for order_id, value, currency in told.order_by("happened_at", "pk").values_list(
        "order_id", "value_minor", "currency"
    ):
        found.setdefault(order_id, (value, currency))
    return found


def _write_down(contact: Contact, decided: Sequence[tuple[Item, Verdict]]) -> None:
    SyncedItem.objects.bulk_create(
        SyncedItem(
            contact=contact, client_id=item.client_id, kind=item.kind, message_id=item.message_id,
            happened_at=item.happened_at, order_id=item.order_id, value_minor=item.value_minor,
            currency=item.currency, outcome=verdict.outcome, reason=verdict.reason[:300],
        )
        for item, verdict in decided
        if verdict.outcome != REPEATED
    )  # fmt: skip


def _engage(items: Sequence[Item], messages: dict[int, Message]) -> None:
    rows = Engagement.objects.bulk_create(
        Engagement(
            message=messages[item.message_id or 0],
            kind=item.kind,
            url=item.url,
            user_agent="offline queue",
            happened_at=item.happened_at,
        )
        for item in items
    )
    mark_first(rows)
    audience.record([engagement_event(messages[row.message_id], row) for row in rows])
    outbox.publish(
        *(MessageEngaged(row.message_id, messages[row.message_id].contact_id, row.kind, False) for row in rows)
    )


def _convert(contact: Contact, items: Sequence[Item], messages: dict[int, Message]) -> None:
    """Orders at the moment they happened, so that attribution credits what came before them."""
    audience.record([_order(contact, item, messages) for item in items])


def _order(contact: Contact, item: Item, messages: dict[int, Message]) -> InternalEvent:
    message = messages.get(item.message_id or 0)
    properties = (
        properties_of(message.pk, message.source_type, message.source_id, message.content_id) if message else {}
    )
    if item.order_id:
        properties["order_id"] = item.order_id
    key = f"order:offline:{contact.pk}:{item.client_id}"
    return InternalEvent(
        contact.pk, ORDER, item.happened_at, key, properties, item.value_minor, item.currency or None
    )  # fmt: skip
