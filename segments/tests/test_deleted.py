"""A deleted contact leaves its segments, their counts and their history."""

import pytest

from accounts.models import Organization
from audience import services as audience
from common import doorbell
from common.models import OutboxNotice
from segments import services
from segments.models import FlipCheck, Membership

pytestmark = pytest.mark.django_db

LEEDS = {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]}


def test_a_deleted_contact_leaves_every_segment(organization: Organization) -> None:
    ada = audience.create_contact(name="Ada", city="Leeds")
    bob = audience.create_contact(name="Bob", city="Leeds")
    live = services.create_segment(name="Leeds", rule=LEEDS)
    static = services.create_segment(name="By hand")
    services.add_contacts(static, [ada.pk, bob.pk])
    within = {"field": "created_at", "operator": "in_last", "value": {"days": 5}}
    services.create_segment(name="New", rule={"match": "all", "rules": [within]})
    doorbell.drain(organization.pk)
    gone = ada.pk

    audience.delete_contact(ada)
    doorbell.drain(organization.pk)

    assert not Membership.objects.filter(contact=gone).exists()
    for segment in (live, static):
        segment.refresh_from_db()
        assert segment.member_count == Membership.objects.filter(segment=segment, left_at=None).count() == 1
    told = OutboxNotice.objects.filter(kind="MembershipChanged").order_by("-pk")[:3]
    assert {row.payload["segment_id"] for row in told} >= {live.pk, static.pk}
    assert all(row.payload["left"] == [gone] for row in told)
    assert not FlipCheck.objects.filter(contact=gone).exists()


def test_one_who_is_deleted_while_a_segment_is_built_is_not_in_it(organization: Organization) -> None:
    ada = audience.create_contact(name="Ada", city="Leeds")
    doorbell.drain(organization.pk)
    live = services.create_segment(name="Leeds", rule=LEEDS)

    audience.delete_contact(ada)
    doorbell.drain(organization.pk)

    live.refresh_from_db()
    assert (live.member_count, Membership.objects.filter(segment=live).count()) == (0, 0)
