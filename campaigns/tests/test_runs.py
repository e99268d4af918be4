"""A running campaign: blocks, pace, pause, cancel, crash, two workers, completion."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts import services as accounts
from accounts.models import Organization
from audience.models import Contact
from audience.notices import ContactsMerged
from campaigns import selectors, services
from campaigns.domain import pacing
from campaigns.models import Campaign, CampaignRun, RunStatus, Target, TargetStatus
from campaigns.services import targets
from campaigns.tests import making
from common import clock, tenancy
from delivery.models import Message, MessageStatus

pytestmark = pytest.mark.django_db


@pytest.fixture
def doors(organization: Organization) -> None:
    making.open_doors()


def _launched(count: int, **fields: Any) -> Campaign:
    campaign = making.campaign([making.segment(making.contacts(count))], **fields)
    return services.launch(campaign)


def _statuses() -> dict[str, int]:
    return dict(Counter(Message.objects.values_list("status", flat=True)))


def _keys() -> list[str]:
    return sorted(Message.objects.values_list("idempotency_key", flat=True))


@pytest.mark.usefixtures("doors")
def test_every_target_gets_one_message_by_its_key() -> None:
    campaign = _launched(7)

    services.work(campaign.organization_id)

    run = CampaignRun.objects.get()
    assert _keys() == sorted(f"campaign:{run.pk}:{pk}" for pk in making.targeted(campaign))
    assert set(Message.objects.values_list("source_type", "source_id", "kind")) == {
        ("campaign", campaign.pk, "marketing")
    }
    assert run.is_queued


@pytest.mark.usefixtures("doors")
def test_messages_carry_sender_topic_and_campaign_name() -> None:
    campaign = _launched(1, utm_campaign="summer")

    services.work(campaign.organization_id)

    assert Message.objects.get().utm_campaign == "summer"


@pytest.mark.usefixtures("doors")
def test_large_audiences_go_out_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "FULL_BLOCK", 3)
    campaign = _launched(7)

    steps = services.work(campaign.organization_id)

    assert Message.objects.count() == 7
    assert steps == 1 + 3 + 1  # the snapshot, three blocks, a look at what is out


@pytest.mark.usefixtures("doors")
def test_a_pace_spreads_the_blocks() -> None:
    with clock.freeze(clock.now()):
        campaign = _launched(25, messages_per_minute=120)
        services.work(campaign.organization_id)
        assert Message.objects.count() == 10
        with clock.travel(timedelta(seconds=4.9)):
            assert services.work(campaign.organization_id) == 0
        with clock.travel(timedelta(seconds=5)):
            services.work(campaign.organization_id)
            assert Message.objects.count() == 20
        with clock.travel(timedelta(seconds=10)):
            services.work(campaign.organization_id)
            assert Message.objects.count() == 25


@pytest.mark.usefixtures("doors")
def test_a_new_pace_counts_at_once() -> None:
    campaign = _launched(10, messages_per_minute=1)
    services.work(campaign.organization_id)
    assert Message.objects.count() == 1

    services.update_campaign(campaign, {"messages_per_minute": None})
    services.work(campaign.organization_id)

    assert Message.objects.count() == 10


@pytest.mark.usefixtures("doors")
def test_pause_holds_and_resume_goes_on_without_doubles() -> None:
    with clock.freeze(clock.now()):
        campaign = _launched(25, messages_per_minute=120)
        services.work(campaign.organization_id)
        for _ in range(3):
            services.pause(campaign)
            assert set(_statuses()) == {MessageStatus.HELD}
            with clock.travel(timedelta(hours=1)):
                assert services.organizations_due() == []
                assert services.work(campaign.organization_id) == 0
            services.resume(campaign)
            assert set(_statuses()) == {MessageStatus.QUEUED}
        services.update_campaign(campaign, {"messages_per_minute": None})
        services.work(campaign.organization_id)

    assert _statuses() == {MessageStatus.QUEUED: 25}
    assert len(set(_keys())) == 25


@pytest.mark.usefixtures("doors")
def test_a_pause_before_the_snapshot_keeps_everything_for_later() -> None:
    campaign = _launched(3)
    services.pause(campaign)
    assert services.work(campaign.organization_id) == 0

    services.resume(campaign)
    services.work(campaign.organization_id)

    assert _statuses() == {MessageStatus.QUEUED: 3}


@pytest.mark.usefixtures("doors")
def test_cancel_stops_what_has_not_left() -> None:
    campaign = _launched(25, messages_per_minute=120)
    services.work(campaign.organization_id)
    Message.objects.filter(pk__in=Message.objects.order_by("pk")[:4].values("pk")).update(status=MessageStatus.SENT)

    services.cancel(campaign)
    with clock.travel(timedelta(hours=1)):
        assert services.work(campaign.organization_id) == 0

    assert _statuses() == {MessageStatus.SENT: 4, MessageStatus.CANCELLED: 6}
    assert Campaign.objects.get().status == "cancelled"
    assert CampaignRun.objects.get().status == RunStatus.CANCELLED


@pytest.mark.usefixtures("doors")
def test_the_campaign_is_complete_when_every_message_has_settled() -> None:
    campaign = _launched(3)
    services.work(campaign.organization_id)
    Message.objects.update(status=MessageStatus.SENT)
    last = Message.objects.latest("pk")
    last.status = MessageStatus.SENDING
    last.save()

    services.settled(campaign.pk)
    assert Campaign.objects.get().status == "active"

    last.status = MessageStatus.UNCERTAIN
    last.save()
    services.settled(campaign.pk)
    services.settled(campaign.pk)
    assert Campaign.objects.get().status == "completed"
    assert CampaignRun.objects.get().finished_at is not None


@pytest.mark.usefixtures("doors")
def test_completion_is_found_even_when_nobody_announces_it() -> None:
    campaign = _launched(1)
    services.work(campaign.organization_id)
    Message.objects.update(status=MessageStatus.FAILED)

    with clock.travel(timedelta(seconds=61)):
        services.work(campaign.organization_id)

    assert Campaign.objects.get().status == "completed"


@pytest.mark.usefixtures("doors")
def test_a_campaign_to_nobody_completes_at_once() -> None:
    campaign = making.campaign([making.segment()])
    services.launch(campaign)

    services.work(campaign.organization_id)

    assert Campaign.objects.get().status == "completed"
    assert not Message.objects.exists()


@pytest.mark.usefixtures("doors")
def test_at_its_end_a_campaign_stops_sending() -> None:
    with clock.freeze(clock.now()):
        campaign = _launched(25, messages_per_minute=120, ends_at=clock.now() + timedelta(seconds=7))
        services.work(campaign.organization_id)
        Message.objects.filter(pk=Message.objects.first().pk).update(status=MessageStatus.SENT)  # type: ignore[union-attr]
        with clock.travel(timedelta(seconds=12)):
            services.work(campaign.organization_id)

    assert _statuses() == {MessageStatus.SENT: 1, MessageStatus.CANCELLED: 9}
    assert Campaign.objects.get().status == "completed"


@pytest.mark.usefixtures("doors")
def test_an_offer_stands_until_its_end() -> None:
    people = making.contacts(2)
    ends_at = clock.now() + timedelta(days=1)
    campaign = making.offer_campaign(people, ends_at=ends_at)
    assert campaign.status == "active"
    assert services.organizations_due() == []

    with clock.travel(timedelta(days=1, seconds=1)):
        services.work(campaign.organization_id)

    assert Campaign.objects.get().status == "completed"


@pytest.mark.usefixtures("doors")
def test_an_offer_without_an_end_stands_until_a_person_ends_it_or_sets_one() -> None:
    first, second = (
        making.offer_campaign(making.contacts(1)),
        making.offer_campaign(making.contacts(1, start=2), name="b"),
    )
    with clock.travel(timedelta(days=900)):
        assert services.work(first.organization_id) == 0

    services.complete(first)
    services.update_campaign(second, {"ends_at": clock.now() + timedelta(hours=1)})
    with clock.travel(timedelta(hours=2)):
        services.work(second.organization_id)

    assert set(Campaign.objects.values_list("status", flat=True)) == {"completed"}


@pytest.mark.usefixtures("doors")
def test_a_failing_block_leaves_nothing_and_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "FULL_BLOCK", 3)
    campaign = _launched(7)
    with tenancy.engine(), connection.cursor() as cursor:
        # A real constraint of the ledger breaks the second block, after its messages were written.
        fifth = Contact.objects.order_by("pk")[4].pk
        cursor.execute(f"ALTER TABLE delivery_message ADD CONSTRAINT crash CHECK (contact_id <> {fifth}) NOT VALID")

    services.work(campaign.organization_id)
    run = CampaignRun.objects.get()
    assert (Message.objects.count(), run.attempts, run.status) == (3, 1, RunStatus.PENDING)
    assert "crash" in selectors.progress(campaign).note

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE delivery_message DROP CONSTRAINT crash")
    with clock.travel(timedelta(seconds=6)):
        services.work(campaign.organization_id)
    assert len(set(_keys())) == Message.objects.count() == 7
    assert selectors.progress(campaign).note == ""


@pytest.mark.usefixtures("doors")
def test_what_keeps_failing_pauses_the_campaign_with_its_reason() -> None:
    campaign = _launched(2)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE delivery_message ADD CONSTRAINT crash CHECK (contact_id < 0) NOT VALID")

    moment = clock.now()
    for _ in range(10):
        moment += timedelta(hours=2)
        with clock.freeze(moment):
            services.work(campaign.organization_id)
    assert Campaign.objects.get().status == "paused"
    assert CampaignRun.objects.get().status == RunStatus.FAILED

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE delivery_message DROP CONSTRAINT crash")
    services.resume(campaign)
    services.work(campaign.organization_id)
    assert Message.objects.count() == 2


@pytest.mark.usefixtures("doors")
def test_a_block_that_is_repeated_writes_nothing_twice() -> None:
    campaign = _launched(5)
    services.work(campaign.organization_id)

    CampaignRun.objects.update(queued_through_id=0, is_queued=False, run_at=clock.now())
    services.work(campaign.organization_id)

    assert Message.objects.count() == 5


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_write_every_message_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "FULL_BLOCK", 2)
    organization = accounts.create_organization("Twins", "twins")
    with tenancy.organization(organization.pk):
        making.open_doors()
        campaigns = [
            making.campaign([making.segment(making.contacts(12, start=start), name=f"S{start}")], name=f"C{start}")
            for start in (1, 101)
        ]
        for campaign in campaigns:
            services.launch(campaign)
    together = threading.Barrier(2)
    faults: list[BaseException] = []
    steps: list[int] = []

    def work() -> None:
        try:
            together.wait()
            steps.extend(services.work(organization.pk) for _ in range(5))
        except BaseException as error:  # noqa: BLE001 — shown by the test
            faults.append(error)
        finally:
            connection.close()

    workers = [threading.Thread(target=work) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    with tenancy.organization(organization.pk):
        steps.append(services.work(organization.pk))
        assert faults == []
        # Per campaign: the snapshot, six blocks, the look that finds no more; and the look at what is out, unless
        # both were found empty together.
        assert sum(steps) in range(2 * (1 + 6 + 1), 2 * (1 + 6 + 1 + 1) + 1)
        assert set(CampaignRun.objects.values_list("target_count", flat=True)) == {12}
        assert Target.objects.count() == 24
        assert len(set(_keys())) == Message.objects.count() == 24
        assert set(CampaignRun.objects.values_list("attempts", flat=True)) == {0}


@pytest.mark.usefixtures("doors")
def test_merged_contacts_keep_one_target_the_first_with_the_furthest_state() -> None:
    first, second, alone, survivor = making.contacts(4)
    campaign = making.offer_campaign([first, second, alone])
    moment: datetime = clock.now()
    Target.objects.filter(contact=second).update(
        status=TargetStatus.CONVERTED, converted_at=moment, conversion_value_minor=500, conversion_currency="GBP"
    )
    kept_id = Target.objects.get(contact=first).pk
    merges = [ContactsMerged(first.pk, second.pk), ContactsMerged(second.pk, survivor.pk)]

    targets.follow_merges(merges)
    targets.follow_merges(merges)

    kept = Target.objects.get(contact=survivor)
    assert (kept.pk, kept.status, kept.conversion_value_minor) == (kept_id, TargetStatus.CONVERTED, 500)
    assert making.targeted(campaign) == {survivor.pk, alone.pk}


@pytest.mark.usefixtures("doors")
def test_progress_counts_what_stands_in_the_ledger() -> None:
    campaign = _launched(5)
    services.work(campaign.organization_id)
    ids = list(Message.objects.order_by("pk").values_list("pk", flat=True))
    Message.objects.filter(pk__in=ids[:2]).update(status=MessageStatus.SENT, sent_at=clock.now())
    Message.objects.filter(pk=ids[2]).update(status=MessageStatus.REFUSED, reason="The contact unsubscribed.")

    progress = selectors.progress(campaign)

    assert (progress.target_count, progress.sent_count, progress.queued_count) == (5, 2, 2)
    assert progress.refusals == [selectors.Refusal("The contact unsubscribed.", 1)]
    assert (progress.percent, progress.open_count) == (60, 2)
    assert progress.per_minute > 0
    assert progress.seconds_left is not None


@pytest.mark.usefixtures("doors")
def test_the_report_keeps_people_and_machines_apart() -> None:
    campaign = _launched(4, offers=[services.OfferDraft("discount", Decimal(10))])
    services.work(campaign.organization_id)
    one, two, three, _ = Message.objects.order_by("pk")
    now = clock.now()
    Message.objects.update(status=MessageStatus.SENT, sent_at=now)
    Message.objects.filter(pk=one.pk).update(opened_at=now, clicked_at=now)
    for message, kind, is_machine in [
        (one, "open", False),
        (one, "open", True),
        (one, "click", False),
        (two, "open", True),
        (two, "open", True),
        (three, "bounce", False),
    ]:
        message.engagements.create(kind=kind, is_machine=is_machine)

    report = selectors.report(campaign)

    assert (report.sent_count, report.open_count, report.click_count) == (4, 1, 1)
    assert (report.machine_open_count, report.bounce_count) == (2, 1)
    assert (report.open_rate, report.bounce_rate, report.conversion_rate) == (0.25, 0.25, 0.0)
    assert not report.is_simulated
