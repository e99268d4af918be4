"""The nightly analysis: whom each preset finds, what is made of it, and what people decide."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import AuditEntry, Organization
from audience.models import Contact, EventDefinition
from campaigns import services
from campaigns.auto import cycles, decisions, presets
from campaigns.models import (
    AnalysisCycle,
    AutoFinding,
    AutoPreset,
    Campaign,
    CampaignRun,
    Offer,
    Target,
)
from campaigns.tests import making
from common import clock, tenancy
from common.errors import Conflict, Invalid
from segments.tests.people import NOON, definition, events

pytestmark = pytest.mark.django_db
ORDER = "order_completed"


@pytest.fixture(autouse=True)
def _shop(organization: Organization) -> Iterator[None]:
    definition(ORDER, total="number", store="text", category="text")
    presets.presets()
    AutoPreset.objects.update(least_people=1, holdout_percent=0)
    with clock.freeze(NOON):
        yield


def buy(who: Contact, *days_ago: float, total: float = 10, store: str = "North", category: str = "Tea") -> None:
    events(
        [
            (who.pk, ORDER, NOON - timedelta(days=days), {"total": total, "store": store, "category": category})
            for days in days_ago
        ]
    )


def only(kind: str, **changes: Any) -> AutoPreset:
    """Every other preset off, so that a test sees its own."""
    AutoPreset.objects.exclude(kind=kind).update(policy="off")
    AutoPreset.objects.filter(kind=kind).update(**changes)
    return AutoPreset.objects.get(kind=kind)


def cycle() -> AnalysisCycle:
    """Ask, work, and give the cycle."""
    asked = cycles.request()
    assert cycles.work(tenancy.required()) == 1
    done = AnalysisCycle.objects.get(pk=asked.pk)
    assert (done.status, done.error) == ("done", "")
    return done


def found() -> dict[str, set[str]]:
    """Preset → names of the people in its campaign."""
    rows = Target.objects.values_list("campaign__preset__kind", "contact__name")
    sets: dict[str, set[str]] = {}
    for kind, name in rows:
        sets.setdefault(kind, set()).add(name)
    return sets


def test_seven_presets_begin_as_promised() -> None:
    rows = {row.kind: row for row in presets.presets()}

    assert {kind: presets.offer(row) for kind, row in rows.items()} == {
        "vip_rewards": "5 % cashback for 30 days",
        "loyalty_bonus": "10 points for each unit of money spent for 60 days",
        "location_promo": "15 % discount for 30 days",
        "re_engagement": "20 % discount for 14 days",
        "welcome_bonus": "25 % bonus for 21 days",
        "milestone_reward": "£50 bonus for 90 days",
        "category_focus": "10 % discount on the favourite category for 30 days",
    }
    assert presets.conditions(rows["vip_rewards"], "GBP", 90) == "Spent £5,000.00 or more, in the last 90 days."
    assert (rows["loyalty_bonus"].least_transactions, rows["welcome_bonus"].fewer_than_transactions) == (20, 5)
    assert (rows["location_promo"].most_locations, rows["re_engagement"].inactive_days) == (2, 30)


def test_each_preset_finds_exactly_those_who_meet_it() -> None:
    vip, almost, loyal, tourist, quiet, growing, old, _ = (
        making.contacts(1, start=number, name=name)[0]
        for number, name in enumerate(
            ["vip", "almost", "loyal", "tourist", "quiet", "growing", "old", "stranger"], start=1
        )
    )
    buy(vip, 1, total=5000)
    buy(almost, 1, total=4999.99)
    buy(loyal, *range(20), total=1)
    for number, store in enumerate(["North", "South", "East"]):
        buy(tourist, 2 + number, store=store)
    buy(quiet, 30, 31)
    buy(growing, 80, total=1)
    buy(growing, 50, total=2)
    buy(growing, 5, total=3, category="Coffee")
    buy(old, 90.01, total=9999)

    done = cycle()

    assert found() == {
        "vip_rewards": {"vip"},
        "loyalty_bonus": {"loyal"},
        "location_promo": {"vip", "almost", "loyal", "quiet", "growing"},
        "re_engagement": {"quiet"},
        "welcome_bonus": {"vip", "almost", "tourist", "quiet", "growing"},
        "milestone_reward": {"growing"},
        "category_focus": {"vip", "almost", "loyal", "tourist", "quiet", "growing"},
    }
    assert (done.summary["customers"], done.summary["transactions"]) == (6, 30)
    vips = AutoFinding.objects.get(preset__kind="vip_rewards")
    assert (vips.found_count, vips.spent_minor, vips.transaction_count, vips.currency) == (1, 500_000, 1, "GBP")
    assert vips.sentence == "Spent £5,000.00 or more, in the last 90 days."
    campaign = Campaign.objects.get(preset__kind="vip_rewards")
    assert (campaign.status, campaign.origin, campaign.name) == ("proposed", "auto", "VIP rewards, 15 June 2026")
    offer = Offer.objects.get(campaign=campaign)
    assert (offer.kind, offer.value, offer.unit, offer.valid_days) == ("cashback", Decimal(5), "percent", 30)
    favourites = dict(Target.objects.exclude(favourite="").values_list("contact__name", "favourite"))
    assert favourites["growing"] == "Tea"


def test_the_same_night_again_makes_nothing_new() -> None:
    buy(making.contacts(1)[0], 1)
    cycle()
    before = list(Target.objects.order_by("pk").values_list("pk", "campaign_id"))

    again = cycle()

    assert again.rounds == 2
    assert list(Target.objects.order_by("pk").values_list("pk", "campaign_id")) == before
    assert AnalysisCycle.objects.count() == 1


def test_a_newer_proposal_replaces_one_that_nobody_touched() -> None:
    only("welcome_bonus")
    first, second = making.contacts(2)
    buy(first, 1)
    cycle()
    buy(second, 1)

    with clock.travel(timedelta(days=1)):
        cycle()

    assert list(Campaign.objects.order_by("pk").values_list("status", flat=True)) == ["cancelled", "proposed"]
    assert Target.objects.count() == 2
    assert set(Target.objects.values_list("campaign__status", flat=True)) == {"proposed"}


def test_nobody_is_in_two_campaigns_of_a_preset_while_one_runs() -> None:
    only("welcome_bonus", policy="launch", cooldown_days=10)
    first, second = making.contacts(2)
    buy(first, 1)
    cycle()
    assert Campaign.objects.get().status == "active"
    buy(second, 1)

    with clock.travel(timedelta(days=1)):
        cycle()
        latest = AutoFinding.objects.order_by("-pk")[0]
        assert (latest.found_count, latest.already_count, latest.target_count) == (2, 1, 1)
        assert making.targeted(Campaign.objects.order_by("-pk")[0]) == {second.pk}
    with clock.travel(timedelta(days=21 + 9)):  # both have ended; the first one rests for a day more
        Campaign.objects.update(status="completed")
        cycle()
        assert AutoFinding.objects.order_by("-pk")[0].already_count == 2


def test_too_few_people_wait() -> None:
    only("welcome_bonus", least_people=2)
    buy(making.contacts(1)[0], 1)

    cycle()

    kept = AutoFinding.objects.get()
    assert (kept.outcome, kept.reason) == ("waits", "1 of the 2 people it waits for.")
    assert not Campaign.objects.exists()


def test_what_the_data_cannot_tell_is_said() -> None:
    EventDefinition.objects.update(properties={"note": "text"})
    buy(making.contacts(1)[0], 1)

    cycle()

    reasons = dict(AutoFinding.objects.filter(outcome="missing").values_list("preset__kind", "reason"))
    assert set(reasons) == {"vip_rewards", "location_promo", "milestone_reward", "category_focus"}
    assert reasons["vip_rewards"].startswith("No property of “order_completed” holds an amount of money")


def test_an_approved_proposal_stands_for_its_people_and_ends() -> None:
    only("welcome_bonus")
    AutoPreset.objects.update(holdout_percent=50)
    people = making.contacts(40)
    for person in people:
        buy(person, 1)
    cycle()
    campaign = Campaign.objects.get()
    held = set(Target.objects.filter(is_held_out=True).values_list("contact_id", flat=True))
    assert 5 < len(held) < 35
    assert AutoFinding.objects.get().held_out_count == len(held)

    with clock.travel(timedelta(days=2)):
        campaign = decisions.approve(campaign, expected_version=1)
        assert campaign.ends_at == NOON + timedelta(days=2 + 21)
        assert CampaignRun.objects.get().target_count == 40 - len(held)
        services.work(tenancy.required())
        treated = next(person for person in people if person.pk not in held)
        services.record_view(campaign, services.Who(contact_id=treated.pk))
        with pytest.raises(Conflict, match="held out"):
            services.record_view(campaign, services.Who(contact_id=min(held)))
    with clock.travel(timedelta(days=24)):
        services.work(tenancy.required())
        campaign.refresh_from_db()
        assert campaign.status == "completed"


def test_a_declined_proposal_says_why_and_rests() -> None:
    only("welcome_bonus")
    buy(making.contacts(1)[0], 1)
    cycle()
    campaign = Campaign.objects.get()
    with pytest.raises(Invalid, match="Say why"):
        decisions.decline(campaign, " ")

    decisions.decline(campaign, "Too dear.")

    assert (AutoFinding.objects.get().reason, Campaign.objects.get().status) == ("Too dear.", "cancelled")
    assert AuditEntry.objects.filter(action="decline").count() == 1
    with pytest.raises(Conflict):
        decisions.approve(Campaign.objects.get())
    with clock.travel(timedelta(days=1)):
        cycle()
        assert AutoFinding.objects.order_by("-pk")[0].reason == "Declined on 15 June; proposed again from 22 June."
    with clock.travel(timedelta(days=8)):
        cycle()
        assert Campaign.objects.filter(status="proposed").count() == 1


def test_a_launch_that_cannot_be_becomes_a_proposal_with_the_reason() -> None:
    only("welcome_bonus", policy="launch", template=making.template(published=False))
    buy(making.contacts(1)[0], 1)

    cycle()

    assert Campaign.objects.get().status == "proposed"
    assert "is not published yet" in AutoFinding.objects.get().reason


def test_a_dry_run_writes_nothing() -> None:
    buy(making.contacts(1)[0], 1, total=6000)

    read, seen = cycles.look()

    assert not isinstance(read, str)
    assert {row.preset.kind: row.people for row in seen if row.people} == {
        "vip_rewards": 1, "location_promo": 1, "welcome_bonus": 1, "category_focus": 1,
    }  # fmt: skip
    assert not AnalysisCycle.objects.exists() and not Campaign.objects.exists()


@pytest.mark.parametrize(
    ("changes", "place"),
    [
        ({"offer_value": Decimal(101)}, "offer_value"),
        ({"offer_unit": "chocolates"}, "offer_unit"),
        ({"duration_days": 0}, "duration_days"),
        ({"fewer_than_transactions": None}, "least_transactions"),
        ({"least_transactions": 5}, "fewer_than_transactions"),
        ({"template_id": 999_999}, "template_id"),
        ({"kind": "vip_rewards"}, "kind"),
    ],
)
def test_a_preset_that_cannot_be_is_refused(changes: dict[str, Any], place: str) -> None:
    preset = AutoPreset.objects.get(kind="welcome_bonus")

    with pytest.raises(Invalid) as refusal:
        presets.save_preset(preset, changes)

    assert place in refusal.value.details
    assert AutoPreset.objects.get(pk=preset.pk).version == 1
