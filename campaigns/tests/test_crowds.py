"""Many small campaigns that are due at once begin together, exactly as each would by itself."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models import QuerySet

from accounts.models import AuditEntry, Organization
from audience.models import Contact
from campaigns import services
from campaigns.domain import pacing
from campaigns.models import Campaign, CampaignRun, ReadingHabit, ReadingHour, RunStatus, Target
from campaigns.services import crowds
from campaigns.tests import making
from common import clock, tenancy
from delivery.models import Message
from experiments.models import Experiment
from segments.models import Segment

pytestmark = pytest.mark.django_db


@pytest.fixture
def doors(organization: Organization) -> None:
    making.open_doors()


def _scheduled(count: int) -> list[Campaign]:
    people = making.contacts(6)
    inside, outside = making.segment(people[:5]), making.segment(people[4:], name="Out")
    made = [
        making.campaign([inside], [outside], name=f"Sale {number}", shelf_hours=2, weight=30)
        for number in range(count)
    ]
    for campaign in made:
        services.launch(campaign, at=clock.now() + timedelta(hours=1))
    return made


def _written() -> list[Any]:
    fields = ("contact_id", "kind", "priority", "weight", "utm_campaign", "status", "content_id")
    return sorted(Message.objects.values_list(*fields))


@pytest.mark.usefixtures("doors")
def test_together_they_write_what_each_would_by_itself() -> None:
    alone, *crowd = _scheduled(4)
    later = clock.now() + timedelta(hours=1, seconds=1)
    CampaignRun.objects.filter(campaign=alone).update(run_at=clock.now())
    services.work(alone.organization_id)  # the only one that is due: by its own steps
    by_itself = _written()
    assert len(by_itself) == 4

    with clock.freeze(later):
        taken = services.work(alone.organization_id)

    assert taken == 3 + 1  # and a look whether the first has settled
    assert _written() == sorted((*row[:4], f"sale-{number}", *row[5:]) for row in by_itself for number in range(4))
    runs = CampaignRun.objects.exclude(campaign=alone)
    assert set(runs.values_list("target_count", "queued_count", "is_queued", "snapshot_at")) == {(4, 4, True, later)}
    assert {run.run_at for run in runs} == {later + timedelta(minutes=1)}
    assert set(Campaign.objects.values_list("status", flat=True)) == {"active"}
    assert AuditEntry.objects.filter(action="start").count() == 4
    expires = Message.objects.filter(source_id=crowd[0].pk).values_list("expires_at", flat=True)
    assert set(expires) == {later + timedelta(hours=2)}
    with clock.freeze(later):
        assert services.work(alone.organization_id) == 0
    Message.objects.update(status="sent")
    for campaign in crowd:
        services.settled(campaign.pk)
    assert Campaign.objects.filter(status="completed").count() == 3


@pytest.mark.usefixtures("doors")
def test_arms_offers_large_audiences_and_what_is_not_ready_take_their_own_steps() -> None:
    made = _scheduled(6)
    large = making.segment(name="Large", member_count=pacing.FULL_BLOCK + 1)
    unready = making.segment(name="Still built", status="building")
    for campaign, segment in zip(made, (large, unready), strict=False):
        campaign.audience.filter(is_excluded=False).update(segment=segment)
    Campaign.objects.filter(pk=made[2].pk).update(experiment=Experiment.objects.create(name="Test", key="test"))
    services.pause(_started(made[3]))

    with clock.travel(timedelta(hours=2)):
        assert crowds.begin() == 2

    assert set(Target.objects.values_list("campaign_id", flat=True)) == {made[4].pk, made[5].pk}


MONDAYS = {"every": "week", "weekdays": [1], "time": "09:00"}
KINDS: dict[str, dict[str, Any]] = {
    "paced": {"messages_per_minute": 24},
    "dear": {"budget_minor": 30, "message_cost_minor": 10},
    "spent": {"budget_minor": 30, "cost_minor": 25, "message_cost_minor": 10},
    "weekly": {"timing": "recurring", "recurrence": MONDAYS},
    "weekly once": {"timing": "recurring", "recurrence": MONDAYS | {"most_runs": 1}},
    "weekly there": {"timing": "recurring", "recurrence": MONDAYS | {"zone": "contact"}, "shelf_hours": 3},
    "local": {"timing": "local", "local_time": time(9, 30)},
    "local now": {"timing": "local", "local_time": time(8), "passed_zones": "now"},
    "best": {"timing": "best", "local_time": time(18)},
}
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)  # in London
MOMENTS = (-14, 0, 9, 7 * 24)  # hours after it


@pytest.mark.usefixtures("doors")
def test_every_kind_does_together_what_it_does_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    zones = ("Europe/London", "America/New_York", "Pacific/Kiritimati", "Mars/Olympus", "")
    people = [making.contacts(1, start=n, timezone=zone)[0] for n, zone in enumerate(zones, start=1)]
    _habits(people[0])
    segment = making.segment(people)
    with clock.freeze(MONDAY - timedelta(days=3)):
        twins = [(_weekly(segment, name, fields), _weekly(segment, name, fields)) for name, fields in KINDS.items()]
    alone, together = ({twin[side].pk: twin[side].name for twin in twins} for side in (0, 1))
    monkeypatch.setattr(crowds, "FEWEST", 10_000)
    others = CampaignRun.objects.filter(campaign__in=together)
    _run_all(others)
    monkeypatch.undo()
    crowded = _run_all(CampaignRun.objects.filter(campaign__in=alone))

    assert crowded > len(KINDS)
    assert _everything(together) == _everything(alone)
    assert Message.objects.count() > 8 * len(people)
    assert set(Target.objects.values_list("timed_by", flat=True)) == {"", "own", "fallback"}


def _weekly(segment: Segment, name: str, fields: dict[str, Any]) -> Campaign:
    return services.launch(making.campaign([segment], name=name, **fields), at=MONDAY - timedelta(hours=14))


def _habits(person: Contact) -> None:
    """This one usually reads at eight in the evening; of everybody nothing is known."""
    ReadingHabit.objects.create(learned_at=MONDAY + timedelta(days=30), hours=[0] * 168)
    ReadingHour.objects.create(contact=person, hour_of_week=20, count=9)


def _run_all(others: QuerySet[CampaignRun]) -> int:
    """Work through a week; returns how many steps that took."""
    waiting, steps = list(others.filter(status=RunStatus.PENDING).values_list("pk", flat=True)), 0
    CampaignRun.objects.filter(pk__in=waiting).update(status=RunStatus.HELD)
    for hours in MOMENTS:
        with clock.freeze(MONDAY + timedelta(hours=hours)):
            steps += services.work(Organization.objects.get().pk)
    CampaignRun.objects.filter(pk__in=waiting).update(status=RunStatus.PENDING)
    return steps


def _everything(campaigns: dict[int, str]) -> list[Any]:
    """All that is written of these campaigns, by their names."""
    run = ("number", "status", "planned_at", "target_count", "queued_count", "is_queued", "timed_by", "snapshot_at")
    runs = CampaignRun.objects.filter(campaign__in=campaigns).order_by("campaign__name", "number")
    message = ("contact_id", "run_at", "expires_at", "status", "content_id", "created_at", "utm_campaign", "weight")
    messages = Message.objects.filter(source_id__in=campaigns).order_by("contact_id", "run_at", "pk")
    target = ("contact_id", "occurrence", "send_at", "timed_by")
    targets = Target.objects.filter(campaign__in=campaigns).order_by("run__campaign__name", "run__number", "pk")
    return [
        list(runs.values_list("campaign__name", "campaign__status", *run)),
        sorted([(campaigns[row[0]], *map(str, row[1:])) for row in messages.values_list("source_id", *message)]),
        list(targets.values_list("run__campaign__name", "run__number", *target)),
    ]


def _started(campaign: Campaign) -> Campaign:
    Campaign.objects.filter(pk=campaign.pk).update(status="active")
    return Campaign.objects.get(pk=campaign.pk)


@pytest.mark.usefixtures("doors")
def test_one_that_fails_does_not_keep_the_others() -> None:
    made = _scheduled(3)
    stranger = making.contacts(1, start=50)[0]
    odd = making.segment([stranger], name="Odd")
    made[1].audience.filter(is_excluded=False).update(segment=odd)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE delivery_message ADD CONSTRAINT crash CHECK (contact_id <> {stranger.pk}) NOT VALID"
        )

    with clock.travel(timedelta(hours=2)):
        services.work(made[0].organization_id)

    assert set(Target.objects.values_list("campaign_id", flat=True)) == {made[0].pk, made[1].pk, made[2].pk}
    assert set(Message.objects.values_list("source_id", flat=True)) == {made[0].pk, made[2].pk}
    assert CampaignRun.objects.get(campaign=made[1]).attempts == 1
