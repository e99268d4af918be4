"""Campaigns with arms as people write them: over HTTP, by buttons, and refused."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.urls import reverse

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Organization
from campaigns import services
from campaigns.models import Campaign, CampaignRun, Target
from campaigns.tests import making
from campaigns.tests.arms import arm_drafts, arm_of, in_test, two_templates, with_arms
from common.errors import Invalid
from delivery.models import Message
from experiments.models import Experiment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("doors")]


@pytest.mark.parametrize(
    ("payloads", "fields", "place"),
    [
        (({}, {"template_id": 999}), {}, "arms.b.template_id"),
        (({}, {"offer_id": 999}), {}, "arms.b.offer_id"),
        (({}, {"send_at": "09:00"}), {"test_percent": 20, "test_hours": 1}, "test_percent"),
        (({}, {}), {"test_percent": 20}, "test_hours"),
    ],
)
def test_what_keeps_it_from_starting_is_named(
    payloads: tuple[dict[str, Any], ...], fields: dict[str, Any], place: str
) -> None:
    campaign = with_arms(making.contacts(2), *payloads, **fields)

    with pytest.raises(Invalid) as refusal:
        services.launch(campaign)

    assert list(refusal.value.details) == [place]
    assert not CampaignRun.objects.exists()
    assert Experiment.objects.get().status == "draft"


@pytest.mark.parametrize("payload", [{"colour": 1}, {"template_id": "x"}, {"send_at": "25:00"}, {"offer_id": True}])
def test_arms_that_cannot_be_read_write_nothing(payload: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        with_arms([], {}, payload)

    assert not Experiment.objects.exists()
    assert Campaign.objects.get().experiment is None


def test_a_copy_asks_the_same_anew() -> None:
    one, two = two_templates()
    campaign = with_arms(
        making.contacts(4), {}, {"template_id": two.pk}, template_id=one.pk, test_percent=20, test_hours=2
    )
    services.launch(campaign)
    services.work(campaign.organization_id)

    copy = services.duplicate_campaign(campaign)

    assert copy.experiment is not None
    assert (copy.experiment.status, copy.test_percent, copy.experiment_id != campaign.experiment_id) == (
        "draft", 20, True,
    )  # fmt: skip
    assert [arm.payload for arm in services.arms_of(copy)] == [{}, {"template_id": two.pk}]
    assert copy.experiment.metrics[0]["where"][0]["value"] == copy.pk
    services.delete_campaign(copy)
    assert Experiment.objects.count() == 1


def test_arms_come_and_go_over_http_and_a_person_decides(owner_api: Any) -> None:
    one, two = two_templates()
    segment = making.segment(making.contacts(20))
    body = {
        "name": "Arms", "template_id": one.pk, "audience": {"include": [segment.pk]}, "test_percent": 50,
        "test_hours": 1, "arms": [{"key": "a"}, {"key": "b", "template_id": two.pk, "weight": 2}],
    }  # fmt: skip
    made = owner_api.post("/api/v1/campaigns/", body, format="json")
    assert made.status_code == 201, made.json()
    at = f"/api/v1/campaigns/{made.json()['id']}/"
    assert [arm["is_control"] for arm in made.json()["arms"]] == [True, False]
    assert owner_api.put(at, made.json(), format="json").status_code == 200
    assert owner_api.post(f"{at}decide/", {"arm": "b"}, format="json").status_code == 409
    owner_api.post(f"{at}launch/", {}, format="json")
    services.work(Organization.objects.get().pk)
    assert owner_api.post(f"{at}decide/", {"arm": "c"}, format="json").status_code == 400

    decided = owner_api.post(f"{at}decide/", {"arm": "b"}, format="json")
    services.work(Organization.objects.get().pk)

    assert decided.status_code == 200, decided.json()
    assert owner_api.get(f"{at}progress/").json()["winner"] == "b"
    assert Message.objects.count() == 20


def test_people_see_the_offer_of_their_arm_and_only_that_can_be_taken(owner_api: Any) -> None:
    people = making.contacts(12)
    offers = [services.OfferDraft("discount", Decimal(value)) for value in (10, 20, 5)]
    campaign = making.campaign([making.segment(people)], template_id=None, offers=offers)
    ten, twenty, everybody = campaign.offers.order_by("pk")
    services.update_campaign(campaign, {}, arms=arm_drafts({"offer_id": ten.pk}, {"offer_id": twenty.pk}))
    services.launch(campaign)
    services.work(campaign.organization_id)

    for person in people:
        arm = Target.objects.get(contact=person).arm
        assert arm is not None
        own, other = (ten, twenty) if arm.key == "a" else (twenty, ten)
        (shown,) = owner_api.get("/api/v1/campaigns/", {"contact": person.user_id}).json()["results"]
        assert [offer["id"] for offer in shown["offers"]] == [own.pk, everybody.pk]
        body = {"contact_id": person.pk, "offer_id": other.pk}
        answer = owner_api.post(f"/api/v1/campaigns/{campaign.pk}/conversion/", body, format="json")
        assert answer.status_code == 400
    assert not Target.objects.exclude(converted_at=None).exists()


def test_a_button_chooses_the_winner(client: Any) -> None:
    campaign = in_test(making.contacts(12))
    client.force_login(accounts.add_member(accounts.ensure_user("owner@acme.example"), Role.OWNER).user)
    at = reverse("admin:campaigns_campaign_act", args=[campaign.pk, "decide"])
    page = client.get(at)
    assert "See how the arms stand" in page.content.decode()
    shown = client.get(reverse("admin:campaigns_campaign_change", args=[campaign.pk])).content.decode()
    assert "Choose the winner" in shown
    assert f"First test: {Target.objects.exclude(arm=None).count()} people" in shown

    version = Campaign.objects.get().version
    answer = client.post(at, {"version": version, "arm": arm_of("b").pk})

    assert answer.status_code == 302
    assert CampaignRun.objects.get().winner == arm_of("b")
