"""Automatic campaigns as the browser and clients ask for them: pages, buttons, the API, the command, the clean-up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.urls import reverse

from accounts.models import Organization
from campaigns import services
from campaigns.auto import cleanup, cycles, presets
from campaigns.models import AnalysisCycle, AutoFinding, AutoPreset, Campaign, Target
from campaigns.tests import making
from common import clock, tenancy
from segments.tests.people import NOON, definition, events

pytestmark = pytest.mark.django_db
API = "/api/v1"


@pytest.fixture(autouse=True)
def _shop(organization: Organization) -> Iterator[None]:
    definition("order_completed", total="number")
    presets.presets()
    AutoPreset.objects.update(least_people=1)
    AutoPreset.objects.exclude(kind="welcome_bonus").update(policy="off")
    people = making.contacts(12)
    events([(who.pk, "order_completed", NOON - timedelta(days=1), {"total": 20}) for who in people])
    with clock.freeze(NOON):
        yield


def _work() -> None:
    cycles.request()
    cycles.work(tenancy.required())


def _get(client: Any, name: str, *parts: object) -> str:
    answer = client.get(reverse(name, args=parts))
    assert answer.status_code == 200
    return " ".join(answer.content.decode().split())


def test_the_page_goes_from_nothing_to_a_campaign_by_its_buttons(admin: Any) -> None:
    assert "No cycle yet. It runs every night; or run it now." in _get(admin, "automatic-campaigns")
    assert admin.post(reverse("automatic-campaigns-run")).status_code == 302
    assert "Analysing …" in _get(admin, "automatic-campaigns")
    assert admin.get(reverse("automatic-campaigns-waiting")).status_code == 204
    cycles.work(tenancy.required())
    assert admin.get(reverse("automatic-campaigns-waiting"))["HX-Refresh"] == "true"

    page = _get(admin, "automatic-campaigns")
    campaign = Campaign.objects.get()
    act = reverse("admin:campaigns_campaign_act", args=[campaign.pk, "approve"])

    assert "1 proposal waits for your word" in page and act in page
    assert "Made fewer than 5 transactions, in the last 90 days." in page
    whole = _get(admin, "automatic-campaigns-cycle", AnalysisCycle.objects.get().pk)
    assert "Read 12 “order_completed” of 12 people in 90 days; money is “total” in GBP" in whole
    assert "£240.00" in whole
    assert "exactly the people that the analysis found" in _get(
        admin, "admin:campaigns_campaign_act", campaign.pk, "approve"
    )
    assert admin.post(act, {"version": campaign.version}).status_code == 302
    campaign.refresh_from_db()
    assert campaign.status == "active"


def test_a_proposal_is_declined_with_a_reason(admin: Any) -> None:
    _work()
    campaign = Campaign.objects.get()
    act = reverse("admin:campaigns_campaign_act", args=[campaign.pk, "decline"])

    refused = admin.post(act, {"version": campaign.version, "reason": ""})
    assert refused.status_code == 200
    campaign.refresh_from_db()
    assert campaign.status == "proposed"
    admin.post(act, {"version": campaign.version, "reason": "Too dear."})

    assert "Too dear." in _get(admin, "automatic-campaigns")
    assert AutoFinding.objects.get().reason == "Too dear."


def test_a_preset_is_changed_on_its_page(admin: Any) -> None:
    preset = AutoPreset.objects.get(kind="vip_rewards")
    address = reverse("admin:campaigns_autopreset_change", args=[preset.pk])
    form = {
        "name": "Our best", "policy": "launch", "least_spent": "1234.50", "least_people": 5, "offer_kind": "cashback",
        "offer_value": "7.5", "offer_unit": "percent", "duration_days": 30, "holdout_percent": "10",
        "cooldown_days": 0, "opened_version": preset.version,
    }  # fmt: skip

    assert admin.get(address).status_code == 200
    assert admin.post(address, form | {"offer_unit": "stars"}).status_code != 302
    assert AutoPreset.objects.get(pk=preset.pk).version == 1
    assert admin.post(address, form).status_code == 302

    preset.refresh_from_db()
    assert (preset.name, preset.policy, preset.least_spent_minor) == ("Our best", "launch", 123_450)
    assert presets.offer(preset) == "7.50 % cashback for 30 days"


def test_the_analysis_is_run_and_read_over_http(api: Any) -> None:
    asked = api.post(f"{API}/analysis/run-now")
    assert (asked.status_code, asked.json()["status"], asked.json()["results"]) == (202, "pending", [])
    cycles.work(tenancy.required())

    done = api.get(f"{API}/analysis/{asked.json()['id']}/").json()

    assert (done["status"], done["day"], done["summary"]["customers"]) == ("done", "2026-06-15", 12)
    (found,) = done["results"]
    assert (found["preset"], found["outcome"], found["found_count"], found["spent_minor"]) == (
        "welcome_bonus", "made", 12, 24_000,
    )  # fmt: skip
    assert api.get(f"{API}/analysis/").json()["results"][0]["id"] == done["id"]
    campaign = api.get(f"{API}/campaigns/{found['campaign_id']}/").json()
    assert (campaign["status"], campaign["origin"], campaign["preset"]) == ("proposed", "auto", "welcome_bonus")
    assert campaign["allowed_actions"] == ["approve", "decline"]
    assert api.post(f"{API}/campaigns/{campaign['id']}/approve/").json()["status"] == "active"


def test_presets_are_read_and_changed_over_http(api: Any) -> None:
    rows = api.get(f"{API}/auto-presets/").json()["results"]
    assert [row["kind"] for row in rows] == list(presets.DEFAULTS)

    changed = api.patch(f"{API}/auto-presets/vip_rewards/", {"least_spent_minor": 100_000, "version": 1})
    late = api.patch(f"{API}/auto-presets/vip_rewards/", {"policy": "off", "version": 1})

    assert (changed.status_code, changed.json()["least_spent_minor"]) == (200, 100_000)
    assert late.status_code == 409
    assert AutoPreset.objects.get(kind="vip_rewards").least_spent_minor == 100_000
    assert api.patch(f"{API}/auto-presets/vip_rewards/", {"luck": 7}).status_code == 400


def test_a_campaign_is_made_in_one_call(api: Any) -> None:
    offer = {"kind": "discount", "value": "15.00", "code": "JUNE"}
    rule = {"match": "all", "rules": [{"field": "user_id", "operator": "in", "value": ["user-1", "user-2"]}]}

    by_rule = api.post(
        f"{API}/campaigns/manual", {"name": "June", "filter": rule, "offer": offer, "duration_days": 7}
    )
    by_segment = api.post(
        f"{API}/campaigns/manual",
        {"name": "All", "segment_id": making.segment().pk, "offer": offer, "duration_days": 7},
    )
    neither = api.post(f"{API}/campaigns/manual", {"name": "No", "offer": offer, "duration_days": 7})

    assert (by_rule.status_code, by_rule.json()["status"]) == (201, "active"), by_rule.json()
    assert by_rule.json()["ends_at"] == "2026-06-22T12:00:00Z"
    assert by_rule.json()["offers"][0]["valid_days"] == 7
    assert Target.objects.filter(campaign=by_rule.json()["id"]).count() == 2
    assert (by_segment.status_code, by_segment.json()["status"]) == (201, "active")
    assert neither.status_code == 400 and not Campaign.objects.filter(name="No").exists()
    shown = api.get(f"{API}/campaigns?status=active&contact=user-1").json()["results"]
    assert [row["name"] for row in shown] == ["June"]
    assert shown[0]["offers"][0]["expires_at"] == "2026-06-22T12:00:00Z"


def test_the_command_looks_without_writing_and_then_does_it() -> None:
    looked, done = StringIO(), StringIO()

    call_command("run_analysis", "--dry-run", "--json", stdout=looked)
    assert not Campaign.objects.exists() and not AnalysisCycle.objects.exists()
    call_command("run_analysis", "--json", stdout=done)

    (dry,), (real,) = json.loads(looked.getvalue())["results"], json.loads(done.getvalue())["results"]
    assert (dry["preset"], dry["found_count"], dry["spent_minor"]) == ("welcome_bonus", 12, 24_000)
    assert (real["found_count"], real["campaign_id"]) == (12, Campaign.objects.get().pk)


def test_the_clean_up_ends_what_is_over_and_puts_away_what_is_old(settings: Any) -> None:
    settings.CAMPAIGN_ARCHIVE_DAYS = 30
    people = making.contacts(2, start=50)
    ends = services.OfferDraft("discount", Decimal(5), expires_at=NOON + timedelta(days=3))
    campaign = making.campaign([making.segment(people)], template_id=None, offers=[ends], name="Short")
    services.launch(campaign)
    services.work(campaign.organization_id)
    campaign.refresh_from_db()
    services.record_conversion(campaign, services.Who(contact_id=people[0].pk))
    _work()

    with clock.travel(timedelta(days=4)):
        assert cleanup.run() == cleanup.Cleaned(expired_targets=1, completed=1)
        assert cleanup.run() == cleanup.Cleaned()
    with clock.travel(timedelta(days=15)):
        assert cleanup.run() == cleanup.Cleaned(declined=1)
    with clock.travel(timedelta(days=50)):
        assert cleanup.run() == cleanup.Cleaned(archived=2)

    statuses = dict(Target.objects.filter(campaign=campaign).values_list("contact_id", "status"))
    assert statuses == {people[0].pk: "converted", people[1].pk: "expired"}
    assert set(Campaign.objects.values_list("status", flat=True)) == {"archived"}


def test_campaigns_together_are_told_by_type(api: Any) -> None:
    AutoPreset.objects.update(policy="launch", holdout_percent=0)
    _work()
    auto = Campaign.objects.get(preset__kind="welcome_bonus")
    Campaign.objects.exclude(pk=auto.pk).delete()
    services.record_view(auto, services.Who(user_id="user-1"))
    services.record_conversion(auto, services.Who(user_id="user-2"), value="30.00", currency="GBP")
    making.campaign(template_id=None, name="Draft")

    told = api.get(f"{API}/analytics?since=2026-06-01T00:00:00Z").json()

    sums = {
        "campaign_count": 1, "target_count": 12, "held_out_count": 0, "view_count": 1, "conversion_count": 1,
        "view_rate": 0.0833, "conversion_rate": 0.0833, "revenue_minor": 3_000,
    }  # fmt: skip
    assert told["by_type"] == [{"type": "welcome_bonus", "sums": sums}]
    assert (told["total"], told["by_status"]) == (sums, {"active": 1, "draft": 1})
    assert api.get(f"{API}/analytics").json()["total"]["campaign_count"] == 1
    assert api.get(f"{API}/analytics?until=2026-06-01T00:00:00Z").json()["total"]["conversion_rate"] is None
    assert api.get(f"{API}/analytics?since=2026-07-01T00:00:00Z&until=2026-06-01T00:00:00Z").status_code == 400
