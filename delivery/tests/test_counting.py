"""The counts of mails equal the ledger at every moment, whoever wrote to it and in whatever order."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts import services as accounts
from accounts.models import Organization
from common import tenancy
from delivery import deliverability, lanes, services
from delivery.deliverability import Key, Traffic
from delivery.domain import mailboxes
from delivery.models import MailCount, Message, MessageStatus, Sender
from delivery.services import counting, engagement
from delivery.tests.conftest import NOON
from delivery.tests.making import contact, content

SINCE, UNTIL = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
LEFT = ("sent", "failed", "uncertain", "sending")


def recount() -> dict[Key, Traffic]:
    """The same from the ledger, mail by mail."""
    senders = lanes.senders()
    found: dict[Key, Traffic] = defaultdict(Traffic)
    for row in Message.objects.filter(handed_at__isnull=False, status__in=LEFT, channel="email"):
        if row.source_type == "test":
            continue
        assert row.handed_at
        bounced = row.status == "failed" or row.bounced_at is not None
        provider = mailboxes.BY_DOMAIN.get(row.address.partition("@")[2], mailboxes.OTHER)
        counts = (
            True, row.status == "sent" and row.bounced_at is None, row.attempts > 1, bounced, row.complained_at,
            row.opened_at, row.clicked_at,
        )  # fmt: skip
        key = Key(senders.domain(row.sender_id), provider, row.handed_at.astimezone(UTC).date())
        found[key] += Traffic(*(int(bool(count)) for count in counts))
    return dict(found)


def counted() -> dict[Key, Traffic]:
    return deliverability.traffic(SINCE, UNTIL, "UTC")


# One change of the ledger: a field of some of the mails gets another value.
MOMENTS = st.sampled_from([None, NOON, NOON - timedelta(minutes=14), NOON - timedelta(days=3)])
CHANGES = st.one_of(
    st.tuples(st.just("status"), st.sampled_from(MessageStatus.values)),
    st.tuples(st.sampled_from(["handed_at", "opened_at", "clicked_at", "bounced_at", "complained_at"]), MOMENTS),
    st.tuples(st.just("attempts"), st.integers(0, 3)),
    st.tuples(st.just("address"), st.sampled_from(["a@gmail.com", "b@gmail.com", "c@firm.example", ""])),
    st.tuples(st.just("source_type"), st.sampled_from(["campaign", "test"])),
    st.tuples(st.just("channel"), st.sampled_from(["email", "sms"])),
)
STEPS = st.one_of(
    st.tuples(st.just("write"), st.sets(st.integers(0, 3), min_size=1), CHANGES),
    st.tuples(st.sampled_from(["fold", "delete", "make", "lose the sender"]), st.just({0}), st.none()),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=12))
def test_whatever_is_written_in_whatever_order_the_counts_are_the_ledger(
    organization: Organization, steps: list[Any]
) -> None:
    MailCount.objects.all().delete()
    Message.objects.all().delete()
    MailCount.objects.all().delete()
    sender = services.save_sender(Sender(name="Acme", address=f"hello@s{Sender.objects.count()}.example"))
    made = content()

    def make(key: str) -> Message:
        return Message.objects.create(
            contact_id=1, content=made, idempotency_key=key, source_type="campaign", address="p@gmail.com",
            status="sent", handed_at=NOON, attempts=1, sender_id=sender.pk,
        )  # fmt: skip

    ids = [make(f"m{number}").pk for number in range(4)]
    for number, (kind, chosen, change) in enumerate(steps):
        rows = Message.objects.filter(pk__in=[ids[each] for each in chosen])
        match kind:
            case "write":
                rows.update(**dict([change]))
            case "fold":
                counting.fold()
            case "delete":
                rows.delete()
            case "make":
                make(f"later{number}")
            case _:
                Sender.objects.filter(pk=sender.pk).delete()
        assert counted() == recount()
    counting.fold()
    assert counted() == recount()
    keys = [*MailCount.objects.values_list("left_at", "sender_id", "recipient_domain")]
    assert len(keys) == len(set(keys))


@pytest.fixture
def sent(organization: Organization, noon: Any) -> Message:
    return Message.objects.create(
        contact=contact(), content=content(), idempotency_key="one", source_type="campaign", status="sent",
        address="ada@gmail.com", handed_at=NOON - timedelta(days=2), sent_at=NOON - timedelta(days=2), attempts=1,
    )  # fmt: skip


def test_what_comes_late_is_counted_on_the_day_the_mail_left(sent: Message) -> None:
    counting.fold()

    engagement.simulate_engagement([sent.pk], [])
    Message.objects.filter(pk=sent.pk).update(bounced_at=NOON)
    Message.objects.filter(pk=sent.pk).update(opened_at=None)  # a machine after all

    [(key, counts)] = counted().items()
    assert key.day == (NOON - timedelta(days=2)).date()
    assert counts == Traffic(sent=1, bounced=1)


def test_a_statement_that_changes_no_count_appends_nothing(sent: Message) -> None:
    before = MailCount.objects.count()

    Message.objects.filter(pk=sent.pk).update(reason="other words", opened_at=None)

    assert MailCount.objects.count() == before == 1


@pytest.mark.django_db(transaction=True)
def test_writers_and_folders_at_once_lose_and_double_nothing() -> None:
    acme = accounts.create_organization("Acme", "acme")
    faults: list[BaseException] = []
    done = threading.Event()

    def working(work: Callable[[], None]) -> threading.Thread:
        def run() -> None:
            try:
                with tenancy.organization(acme.pk):
                    work()
            except BaseException as fault:  # noqa: BLE001 - told by the test
                faults.append(fault)
            finally:
                connection.close()

        thread = threading.Thread(target=run)
        thread.start()
        return thread

    def write(part: list[int]) -> None:
        for change in [{"status": "sent", "handed_at": NOON}, {"opened_at": NOON}, {"opened_at": None}] * 3:
            for first in range(0, len(part), 20):
                Message.objects.filter(pk__in=part[first : first + 20]).update(**change)

    def fold() -> None:
        while not done.is_set():
            counting.fold()

    with tenancy.organization(acme.pk):
        rows = Message.objects.bulk_create(
            Message(
                contact_id=1, content_id=1, idempotency_key=f"k{n}", source_type="campaign", address=f"p@d{n % 7}.x"
            )
            for n in range(240)
        )
        ids = [row.pk for row in rows]
        folders = [working(fold), working(fold)]
        for writer in [working(partial(write, ids[part::3])) for part in range(3)]:
            writer.join()
        done.set()
        for folder in folders:
            folder.join()
        counting.fold()

        assert faults == []
        assert sum(counted().values(), Traffic()) == Traffic(sent=240, delivered=240)
        assert MailCount.objects.count() == 7


def test_mails_of_another_organisation_are_not_counted_here(sent: Message, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        assert counted() == {}
        counting.fold()
    assert sum(counted().values(), Traffic()) == Traffic(sent=1, delivered=1)


def test_a_day_begins_at_midnight_of_the_zone_that_asks(sent: Message) -> None:
    Message.objects.filter(pk=sent.pk).update(handed_at=datetime(2026, 11, 18, 18, 20, tzinfo=UTC))

    days = {zone: [str(key.day) for key in deliverability.traffic(SINCE, UNTIL, zone)] for zone in (
        "UTC", "Asia/Kathmandu", "Pacific/Chatham",
    )}  # fmt: skip

    assert days == {"UTC": ["2026-11-18"], "Asia/Kathmandu": ["2026-11-19"], "Pacific/Chatham": ["2026-11-19"]}


def test_the_page_reads_counts_by_their_index_and_never_the_ledger(organization: Organization) -> None:
    fill = """
    INSERT INTO delivery_mailcount (organization_id, left_at, recipient_domain, sent, delivered, deferred, bounced,
                                    complained, opened, clicked, is_folded)
    SELECT %(o)s, %(at)s - n * interval '15 minutes', 'gmail.com', 5, 5, 0, 0, 0, 1, 0, true
      FROM generate_series(1, 20000) n
    """
    values = deliverability._parameters(NOON - timedelta(days=7), NOON) | lanes.provider_arrays()
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(fill, {"o": organization.pk, "at": NOON})
        cursor.execute("ANALYZE delivery_mailcount")
        cursor.execute(f"EXPLAIN {deliverability.TRAFFIC_SQL}", values | {"zone": "UTC", "other": "other"})
        plan = "\n".join(row[0] for row in cursor.fetchall())

    assert "mail_counts_by_time" in plan
    assert "delivery_message" not in plan
