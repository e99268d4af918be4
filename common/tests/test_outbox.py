"""Notices arrive once per subscriber, in order, with their effect in the same transaction."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from accounts import services as accounts
from accounts.models import AuditEntry, Organization
from common import clock, outbox, tenancy
from common.errors import Permanent, Transient
from common.models import NoticeDelivery, OutboxNotice
from common.outbox import Subscription
from marketing_site import wiring


@dataclass(frozen=True)
class TeaServed:
    table: int


heard: list[tuple[str, int]] = []


def write_down(notice: TeaServed) -> None:
    heard.append(("first", notice.table))
    AuditEntry.objects.create(
        actor="waiter", action="tea", object_type="table", object_id=notice.table, object_name=""
    )


def listen_too(notice: TeaServed) -> None:
    heard.append(("second", notice.table))


def spill(notice: TeaServed) -> None:
    write_down(notice)
    raise Transient("The cup broke.", retry_after_seconds=60)


def refuse(notice: TeaServed) -> None:
    raise Permanent("No tea here.")


@pytest.fixture(autouse=True)
def _own_wiring() -> Iterator[None]:
    heard.clear()
    yield
    outbox.wire(wiring.SUBSCRIPTIONS)


def wire(**handlers: Any) -> None:
    outbox.wire([Subscription(TeaServed, name, handler) for name, handler in handlers.items()])


def test_each_subscriber_hears_each_notice_once_and_in_order(organization: Organization) -> None:
    wire(first=write_down, second=listen_too)
    outbox.publish(TeaServed(1))
    outbox.publish(TeaServed(2))

    assert outbox.deliver(organization.pk) == 4
    assert outbox.deliver(organization.pk) == 0
    assert [table for name, table in heard if name == "first"] == [1, 2]
    assert [table for name, table in heard if name == "second"] == [1, 2]


def test_a_notice_nobody_listens_to_is_not_written(organization: Organization) -> None:
    outbox.wire([])

    outbox.publish(TeaServed(1))

    assert not OutboxNotice.objects.exists()


def test_a_notice_of_a_rolled_back_transaction_is_never_heard(organization: Organization) -> None:
    wire(first=write_down)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        outbox.publish(TeaServed(1))
        _ = 1 / 0

    assert outbox.deliver(organization.pk) == 0
    assert heard == []


def test_a_failing_handler_leaves_no_effect_and_is_retried_after_its_wait(organization: Organization) -> None:
    wire(first=spill)
    outbox.publish(TeaServed(7))

    assert outbox.deliver(organization.pk) == 0
    assert not AuditEntry.objects.filter(action="tea").exists()
    delivery = NoticeDelivery.objects.get()
    assert (delivery.status, delivery.attempts, delivery.error) == ("pending", 1, "Transient: The cup broke.")

    wire(first=write_down)
    assert outbox.deliver(organization.pk) == 0
    with clock.travel(timedelta(seconds=61)):
        assert outbox.deliver(organization.pk) == 1
    assert AuditEntry.objects.get(action="tea").object_id == "7"


def test_one_failing_subscriber_does_not_stop_the_other(organization: Organization) -> None:
    wire(first=refuse, second=listen_too)
    outbox.publish(TeaServed(3))

    outbox.deliver(organization.pk)

    assert heard == [("second", 3)]
    assert NoticeDelivery.objects.get(subscriber="first:TeaServed").status == "failed"


def test_a_permanent_failure_becomes_a_dead_letter_at_once(organization: Organization) -> None:
    wire(first=refuse)
    outbox.publish(TeaServed(3))

    outbox.deliver(organization.pk)

    assert NoticeDelivery.objects.get().status == "failed"
    with clock.travel(timedelta(days=1)):
        assert outbox.deliver(organization.pk) == 0


def test_another_organisation_is_not_touched(organization: Organization, stranger: Organization) -> None:
    wire(first=write_down)
    outbox.publish(TeaServed(1))

    assert outbox.deliver(stranger.pk) == 0
    assert NoticeDelivery.objects.get().status == "pending"


@pytest.mark.django_db(transaction=True)
def test_two_workers_deliver_each_notice_once() -> None:
    organization = accounts.create_organization("Acme", "acme")
    wire(first=write_down)
    with tenancy.organization(organization.pk):
        outbox.publish(*[TeaServed(table) for table in range(300)])

    def work(_: int) -> int:
        try:
            return outbox.deliver(organization.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        delivered = sum(pool.map(work, range(4)))

    assert delivered == 300
    assert [table for _, table in heard] == list(range(300))
    with tenancy.organization(organization.pk):
        assert AuditEntry.objects.filter(action="tea").count() == 300


@dataclass(frozen=True)
class PlatesCleared:
    room: str
    tables: list[int]


cleared: list[PlatesCleared] = []


def clear(notice: PlatesCleared) -> None:
    cleared.append(notice)
    if 13 in notice.tables:
        raise Permanent("No table thirteen.")


def test_neighbouring_notices_that_differ_in_their_lists_arrive_as_one(organization: Organization) -> None:
    cleared.clear()
    outbox.wire([Subscription(PlatesCleared, "kitchen", clear)])
    outbox.publish(PlatesCleared("hall", [1]), PlatesCleared("hall", [2, 3]), PlatesCleared("bar", [4]))
    outbox.publish(PlatesCleared("hall", [5]))

    assert outbox.deliver(organization.pk) == 4
    assert cleared == [PlatesCleared("hall", [1, 2, 3]), PlatesCleared("bar", [4]), PlatesCleared("hall", [5])]


def test_one_bad_notice_of_a_joined_group_fails_alone(organization: Organization) -> None:
    cleared.clear()
    outbox.wire([Subscription(PlatesCleared, "kitchen", clear)])
    outbox.publish(PlatesCleared("hall", [1]), PlatesCleared("hall", [13]), PlatesCleared("hall", [2]))

    assert outbox.deliver(organization.pk) == 2
    statuses = list(NoticeDelivery.objects.order_by("id").values_list("status", flat=True))
    assert statuses == ["done", "failed", "done"]


def test_books_are_handed_over_by_their_own_work(organization: Organization) -> None:
    cleared.clear()
    outbox.wire([Subscription(PlatesCleared, "ledger", clear, "later_notices")])
    outbox.publish(PlatesCleared("hall", [1]))

    assert outbox.organizations_due("notices") == []
    assert outbox.organizations_due("later_notices") == [organization.pk]
    assert outbox.deliver(organization.pk) == 0
    assert outbox.deliver_later(organization.pk) == 1


def test_a_delivery_nobody_is_wired_for_becomes_a_dead_letter(organization: Organization) -> None:
    outbox.wire([Subscription(PlatesCleared, "kitchen", clear)])
    outbox.publish(PlatesCleared("hall", [1]))
    outbox.wire([])

    assert outbox.organizations_due("notices") == [organization.pk]
    outbox.deliver(organization.pk)

    assert NoticeDelivery.objects.get().error.endswith("Nobody is wired as kitchen:PlatesCleared any more.")


taken: list[list[object]] = []


def test_a_listener_that_takes_many_gets_all_that_waits_of_several_kinds(organization: Organization) -> None:
    taken.clear()
    outbox.wire([Subscription((TeaServed, PlatesCleared), "house", taken.append, takes_many=True)])
    outbox.publish(TeaServed(1), PlatesCleared("hall", [2]))
    outbox.publish(TeaServed(3))

    assert outbox.deliver(organization.pk) == 3
    assert taken == [[TeaServed(1), PlatesCleared("hall", [2]), TeaServed(3)]]


def test_what_was_taken_together_and_failed_is_tried_alone(organization: Organization) -> None:
    taken.clear()

    def refuse_thirteen(notices: list[TeaServed]) -> None:
        taken.append(list(notices))
        if TeaServed(13) in notices:
            raise Permanent("No table thirteen.")

    outbox.wire([Subscription(TeaServed, "house", refuse_thirteen, takes_many=True)])
    outbox.publish(TeaServed(1), TeaServed(13))

    assert outbox.deliver(organization.pk) == 1
    assert taken[1:] == [[TeaServed(1)], [TeaServed(13)]]
    assert list(NoticeDelivery.objects.order_by("id").values_list("status", flat=True)) == ["done", "failed"]
