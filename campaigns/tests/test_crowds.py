"""Many small campaigns that are due at once begin together, exactly as each would by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from accounts.models import AuditEntry, Organization
from campaigns import services
from campaigns.models import Campaign, CampaignRun, Target
from campaigns.services import crowds
from campaigns.tests import making
from common import clock, tenancy
from delivery.models import Message

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
def test_what_is_not_plain_takes_its_own_steps() -> None:
    made = _scheduled(6)
    services.update_campaign(made[0], {"messages_per_minute": 60})
    services.update_campaign(made[1], {"budget_minor": 3, "message_cost_minor": 1})
    services.pause(_started(made[2]))
    making.segment(name="Unready", status="building")
    unready = made[3].audience.filter(is_excluded=False).get()
    unready.segment = making.segment(name="Still built", status="building")
    unready.save()

    with clock.travel(timedelta(hours=2)):
        assert [run.campaign.pk for run in crowds._claim()] == [made[4].pk, made[5].pk]


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
