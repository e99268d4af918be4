"""Campaigns as people write and steer them: validation, edits, states, audience."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from accounts.models import AuditEntry, Organization
from campaigns import selectors, services
from campaigns.models import Campaign, CampaignRun, RunStatus, Target
from campaigns.tests import making
from common import clock
from common.errors import Conflict, Invalid
from delivery.models import Message
from segments.models import Membership, SegmentStatus

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _open_doors(organization: Organization) -> None:
    making.open_doors()


def test_a_draft_holds_its_fields_audience_and_offers() -> None:
    inside, outside = making.segment(name="In"), making.segment(name="Out")
    offer = services.OfferDraft("cashback", Decimal("5.00"), "percent", "FIVE")

    campaign = making.campaign([inside], [outside], offers=[offer], cost_minor=1500)

    assert services.audience_of(campaign) == services.Audience([inside.pk], [outside.pk])
    assert services.offers_of(campaign) == [offer]
    assert AuditEntry.objects.get(object_type="campaigns.campaign").after["include"] == [inside.pk]


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"name": ""}, "name"),
        ({"cost_minor": -1}, "cost_minor"),
        ({"messages_per_minute": 0}, "messages_per_minute"),
        ({"template_id": 999_999}, "template_id"),
        ({"sender_id": 999_999}, "sender_id"),
        ({"topic_id": 999_999}, "topic_id"),
        ({"utm_campaign": "no spaces"}, "utm_campaign"),
        ({"status": "active"}, "status"),
    ],
)
def test_wrong_values_are_refused_beside_their_field(values: dict[str, object], place: str) -> None:
    with pytest.raises(Invalid) as refusal:
        services.create_campaign({"name": "Sale", **values})

    assert place in refusal.value.details
    assert not Campaign.objects.exists()


def test_unknown_or_contradicting_segments_are_refused() -> None:
    segment = making.segment()

    with pytest.raises(Invalid, match="no segment 999999"):
        services.create_campaign({"name": "Sale"}, audience=services.Audience([segment.pk, 999_999]))
    with pytest.raises(Invalid, match="both in and out"):
        services.create_campaign({"name": "Sale"}, audience=services.Audience([segment.pk], [segment.pk]))

    assert not Campaign.objects.exists()


def test_an_offer_worth_nothing_is_refused_with_its_place() -> None:
    good, bad = services.OfferDraft("points", Decimal(100), "points"), services.OfferDraft("points", Decimal(0))

    with pytest.raises(Invalid) as refusal:
        services.create_campaign({"name": "Sale"}, offers=[good, bad])

    assert list(refusal.value.details) == ["offers[1].value"]
    assert not Campaign.objects.exists()


def test_the_second_of_two_editors_is_told() -> None:
    campaign = making.campaign()
    services.update_campaign(campaign, {"name": "First"}, expected_version=1)

    with pytest.raises(Conflict, match="Nothing was saved"):
        services.update_campaign(campaign, {"name": "Second"}, expected_version=1)
    with pytest.raises(Conflict, match="Nothing was saved"):
        services.launch(campaign, expected_version=1)

    stored = Campaign.objects.get()
    assert (stored.name, stored.version, stored.status) == ("First", 2, "draft")


def test_a_campaign_without_people_or_words_does_not_start() -> None:
    empty = services.create_campaign({"name": "Empty"})
    unpublished = making.campaign([making.segment()], template_id=making.template(published=False, name="Raw").pk)

    with pytest.raises(Invalid) as refusal:
        services.launch(empty)
    assert refusal.value.details.keys() == {"audience", "template"}
    with pytest.raises(Invalid, match="not published yet"):
        services.launch(unpublished)

    assert set(Campaign.objects.values_list("status", flat=True)) == {"draft"}
    assert not CampaignRun.objects.exists()


def test_a_moment_in_the_past_is_refused() -> None:
    campaign = making.campaign([making.segment()])

    with pytest.raises(Invalid, match="has passed"):
        services.launch(campaign, at=clock.now() - timedelta(minutes=1))

    assert Campaign.objects.get().status == "draft"


def test_a_scheduled_campaign_starts_at_its_moment_and_not_before() -> None:
    people = making.contacts(2)
    campaign = making.campaign([making.segment(people)])
    services.launch(campaign, at=clock.now() + timedelta(hours=1))

    services.work(campaign.organization_id)
    assert Campaign.objects.get().status == "scheduled"
    assert not Target.objects.exists()

    with clock.travel(timedelta(hours=1)):
        assert services.organizations_due() == [campaign.organization_id]
        services.work(campaign.organization_id)
    assert Campaign.objects.get().status == "active"
    assert making.targeted(campaign) == {contact.pk for contact in people}


def test_a_scheduled_campaign_can_be_moved_and_taken_back() -> None:
    campaign = making.campaign([making.segment(making.contacts())])
    soon = clock.now() + timedelta(hours=1)
    services.launch(campaign, at=soon)
    services.launch(campaign, at=soon + timedelta(hours=1))
    services.unschedule(campaign)

    with clock.travel(timedelta(hours=3)):
        assert services.work(campaign.organization_id) == 0
    assert Campaign.objects.get().status == "draft"
    assert set(CampaignRun.objects.values_list("status", flat=True)) == {RunStatus.CANCELLED}
    assert not Target.objects.exists()


def test_the_snapshot_is_the_union_of_segments_minus_the_others() -> None:
    a, b, c, d, merged, left = making.contacts(6)
    merged.merged_into = a
    merged.save()
    first = making.segment([a, b, merged, left], name="First")
    Membership.objects.filter(segment=first, contact=left).update(left_at=clock.now())
    second = making.segment([b, c, d], name="Second")
    out = making.segment([d], name="Out")
    campaign = making.campaign([first, second], [out])

    services.launch(campaign)
    services.work(campaign.organization_id)

    assert making.targeted(campaign) == {a.pk, b.pk, c.pk}
    assert CampaignRun.objects.get().target_count == 3


def test_who_joins_after_the_snapshot_is_not_in_it() -> None:
    early, late = making.contacts(2)
    segment = making.segment([early])
    campaign = making.campaign([segment])
    services.launch(campaign)
    services.work(campaign.organization_id)

    Membership.objects.create(segment=segment, contact=late)
    services.work(campaign.organization_id)

    assert making.targeted(campaign) == {early.pk}


def test_the_snapshot_waits_for_a_segment_that_is_being_built() -> None:
    segment = making.segment(making.contacts(1), status=SegmentStatus.BUILDING)
    campaign = making.campaign([segment])
    services.launch(campaign)

    services.work(campaign.organization_id)
    assert "Everybody" in selectors.progress(campaign).note
    assert not Target.objects.exists()

    segment.status = SegmentStatus.READY
    segment.save()
    with clock.travel(timedelta(seconds=3)):
        services.work(campaign.organization_id)
    assert Target.objects.count() == 1


def test_a_segment_that_failed_pauses_the_campaign_with_the_reason() -> None:
    segment = making.segment(making.contacts(1), status=SegmentStatus.FAILED)
    campaign = making.campaign([segment])
    services.launch(campaign)

    services.work(campaign.organization_id)

    assert Campaign.objects.get().status == "paused"
    assert "could not be built" in selectors.progress(campaign).note
    segment.status = SegmentStatus.READY
    segment.save()
    services.resume(campaign)
    services.work(campaign.organization_id)
    assert Message.objects.count() == 1


def test_what_is_settled_cannot_be_edited_while_it_runs() -> None:
    campaign = making.campaign([making.segment(making.contacts())])
    services.launch(campaign)

    with pytest.raises(Conflict, match="template"):
        services.update_campaign(campaign, {"template_id": making.template(name="Other").pk})
    with pytest.raises(Conflict, match="audience"):
        services.update_campaign(campaign, {}, audience=services.Audience([]))

    assert services.update_campaign(campaign, {"name": "New name", "messages_per_minute": 60}).name == "New name"


def test_only_drafts_are_deleted() -> None:
    segment = making.segment(making.contacts())
    draft, launched = making.campaign([segment]), making.campaign([segment], name="Launched")
    services.launch(launched)

    services.delete_campaign(draft)
    with pytest.raises(Conflict, match="Archive it instead"):
        services.delete_campaign(launched)

    assert [row.name for row in Campaign.objects.all()] == ["Launched"]


def test_a_copy_is_a_draft_with_the_same_words_audience_and_offers() -> None:
    campaign = making.campaign(
        [making.segment(making.contacts())], offers=[services.OfferDraft("bonus", Decimal(10), "GBP")]
    )
    services.launch(campaign)

    copy = services.duplicate_campaign(campaign)

    assert (copy.status, copy.name, copy.template_id) == ("draft", "Summer sale (copy)", campaign.template_id)
    assert services.audience_of(copy) == services.audience_of(campaign)
    assert services.offers_of(copy) == services.offers_of(campaign)
    assert not copy.runs.exists()


def test_launch_and_every_act_are_in_the_audit_log() -> None:
    campaign = making.campaign([making.segment(making.contacts())])
    services.launch(campaign)
    services.pause(campaign)
    services.resume(campaign)
    services.cancel(campaign)
    services.archive(campaign)

    entries = AuditEntry.objects.filter(object_type="campaigns.campaign").order_by("pk")
    assert [entry.action for entry in entries] == ["create", "launch", "pause", "resume", "cancel", "archive"]
    assert entries[1].before["status"] == "draft"
    assert entries[1].after["status"] == "active"
