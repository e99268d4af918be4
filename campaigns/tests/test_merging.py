"""Two people edit a campaign at once: what fits is kept, what clashes is asked, nothing is lost unseen."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.urls import reverse

from accounts.models import AuditEntry, Organization
from campaigns import services
from campaigns.domain.merging import three_way
from campaigns.models import Campaign
from campaigns.services import merging
from campaigns.services.merging import Edit
from campaigns.tests import making
from campaigns.tests.test_admin import _campaign_form
from experiments.services import ArmDraft


def test_three_ways_meet_field_by_field() -> None:
    base = {"mine": 1, "theirs": 1, "alike": 1, "clash": 1, "still": 1}
    theirs = {"mine": 1, "theirs": 2, "alike": 3, "clash": 2, "still": 1}
    merge = three_way(base, theirs, {"mine": 9, "theirs": 1, "alike": 3, "clash": 9}, base.keys())

    assert [one.name for one in merge.kept] == ["theirs"]
    assert [one.name for one in merge.taken] == ["alike", "mine"]
    assert [one.name for one in merge.clashes] == ["clash"]
    assert merge.open({"clash": "nonsense"}) == merge.clashes
    assert merge.mine({"clash": "theirs"}) == {"alike", "mine"}
    assert merge.mine({"clash": "mine"}) == {"alike", "mine", "clash"}


@pytest.fixture(autouse=True)
def _open_doors(request: pytest.FixtureRequest) -> None:
    if "admin" in request.fixturenames or "api" in request.fixturenames:
        request.getfixturevalue("organization")
        making.open_doors()


def _address(campaign: Campaign) -> str:
    return reverse("admin:campaigns_campaign_change", args=[campaign.pk])


@pytest.mark.django_db
def test_edits_that_fit_together_are_both_kept(admin: Any) -> None:
    segment = making.segment()
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"description": "Theirs"}, audience=services.Audience([segment.pk]))

    answer = admin.post(_address(campaign), _campaign_form(name="Mine", cost="0", opened_version=1), follow=True)

    stored = Campaign.objects.get()
    assert (stored.name, stored.description, stored.version) == ("Mine", "Theirs", 3)
    assert services.audience_of(stored).include == [segment.pk]
    assert "system changed it meanwhile" in answer.content.decode()


@pytest.mark.django_db
def test_a_clash_is_asked_about_and_written_as_chosen(admin: Any) -> None:
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"name": "Theirs", "description": "Kept"})
    typed = _campaign_form(name="Mine", cost="7", opened_version=1)

    asked = admin.post(_address(campaign), typed)

    assert asked.status_code == 409
    assert [(row.label, row.base, row.theirs, row.mine) for row in asked.context["clashes"]] == [
        ("Name", "Summer sale", "Theirs", "Mine")
    ]
    assert [row.name for row in asked.context["kept"]] == ["description"]
    assert [row.name for row in asked.context["taken"]] == ["cost_minor"]
    assert Campaign.objects.get().version == 2
    fields = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', asked.content.decode())
    chosen = {**dict(fields), "choice-name": "theirs"}
    answer = admin.post(_address(campaign), chosen)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    stored = Campaign.objects.get()
    assert (stored.name, stored.description, stored.cost_minor, stored.version) == ("Theirs", "Kept", 700, 3)


@pytest.mark.django_db
def test_a_third_edit_asks_anew(admin: Any) -> None:
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"name": "Second"})
    typed = _campaign_form(name="Mine", cost="0", opened_version=1)
    services.update_campaign(campaign, {"name": "Third"})

    answer = admin.post(_address(campaign), {**typed, "merged_version": "2", "choice-name": "mine"})

    assert answer.status_code == 409
    assert answer.context["clashes"][0].theirs == "Third"
    assert Campaign.objects.get().name == "Third"


@pytest.mark.django_db
def test_without_a_log_that_reaches_back_the_edit_is_refused(admin: Any) -> None:
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"name": "Quicker"})
    AuditEntry.objects.all().delete()

    answer = admin.post(_address(campaign), _campaign_form(name="Mine", opened_version=1))

    assert answer.status_code == 200
    assert "not what you opened" in answer.content.decode()
    assert Campaign.objects.get().name == "Quicker"


@pytest.mark.django_db
def test_hostile_words_stay_words_on_the_page(admin: Any) -> None:
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"name": "<script>alert(1)</script>"})

    text = admin.post(_address(campaign), _campaign_form(name='"><b>', opened_version=1)).content.decode()

    assert "<script>alert" not in text
    assert 'value="&quot;&gt;&lt;b&gt;"' in text


@pytest.mark.django_db
def test_a_client_is_told_what_it_needs_to_merge(api: Any) -> None:
    campaign = making.campaign(template_id=None)
    services.update_campaign(campaign, {"name": "Theirs", "description": "Also"})

    answer = api.patch(f"/api/v1/campaigns/{campaign.pk}/", {"name": "Mine", "version": 1}, format="json")

    assert answer.status_code == 409
    details = answer.json()["details"]
    assert (details["current"]["name"], details["current"]["version"]) == ("Theirs", 2)
    assert details["changed"] == {"name": "Summer sale", "description": ""}
    assert details["clashes"] == ["name"]
    assert Campaign.objects.get().name == "Theirs"


@pytest.mark.django_db
def test_arms_are_part_of_a_merge(admin: Any, organization: Organization) -> None:
    campaign = making.campaign([making.segment()])
    services.update_campaign(campaign, {}, arms=[ArmDraft("a", "A", is_control=True), ArmDraft("b", "B")])
    stored = Campaign.objects.get()

    found = merging.merged(stored, Edit({"name": "Mine"}, arms=[]), 1)

    assert found is not None
    assert [one.name for one in found.merge.taken] == ["name"]
    assert "arms" in [one.name for one in found.merge.kept]


@pytest.mark.django_db
def test_the_test_of_the_form_makes_an_experiment(admin: Any) -> None:
    segment, other = making.segment(), making.template(name="Other", slug="other")
    campaign = making.campaign([segment])
    row = campaign.audience.get()
    typed = _campaign_form(
        name="Test", opened_version=1, template=campaign.template_id, cost="0",
        **{
            "audience-TOTAL_FORMS": 1, "audience-INITIAL_FORMS": 1, "audience-0-id": row.pk,
            "audience-0-campaign": campaign.pk, "audience-0-segment": segment.pk,
            "arms-TOTAL_FORMS": 4, "arms-INITIAL_FORMS": 0,
            "arms-0-name": "As it is", "arms-1-template": other.pk, "arms-1-share": "2", "arms-1-send_at": "09:30",
            "arms-2-share": "1", "test_percent": "20", "test_hours": "4",
        },
    )  # fmt: skip

    answer = admin.post(_address(campaign), typed)

    assert answer.status_code == 302, answer.content.decode()[:3000]
    stored = Campaign.objects.get()
    assert stored.experiment is not None
    arms = [(arm.key, arm.name, arm.weight, arm.is_control, arm.payload) for arm in stored.experiment.arms.all()]
    assert arms == [
        ("a", "As it is", 1.0, True, {}),
        ("b", "Arm B", 2.0, False, {"template_id": other.pk, "send_at": "09:30"}),
    ]
    page = admin.get(_address(campaign)).content.decode()
    assert 'value="As it is"' in page
    single = {**typed, "arms-1-template": "", "arms-1-send_at": "", "opened_version": stored.version}
    refused = admin.post(_address(campaign), {**single, "experiment": stored.experiment_id})
    assert "two arms or more" in refused.content.decode()
    assert stored.experiment.arms.count() == 2
