"""Offers: limits under concurrency, codes of one's own, the least an order must be, their end, reports in bulk."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization
from audience.notices import ContactsMerged
from campaigns import services
from campaigns.models import Campaign, Offer, OfferCode, Redemption, Target
from campaigns.services import Taken, Who, offer_codes, targets
from campaigns.tests import making
from common import clock, tenancy
from common.errors import Conflict, Invalid

OFFER = services.OfferDraft("discount", Decimal(10))
API = "/api/v1"


def _active(count: int = 2, **terms: Any) -> Campaign:
    people = making.contacts(count)
    made = making.campaign([making.segment(people)], template_id=None, offers=[replace(OFFER, **terms)])
    services.launch(made)
    services.work(made.organization_id)
    return Campaign.objects.get(pk=made.pk)


def _take(campaign: Campaign, number: int, **said: Any) -> Target:
    return services.record_conversion(campaign, Who(user_id=f"user-{number}"), Taken(**said))


def _refusal(act: Callable[[], object]) -> str:
    before = (Redemption.objects.count(), list(Offer.objects.values_list("taken_count", flat=True)))
    with pytest.raises((Conflict, Invalid)) as refused:
        act()
    assert (Redemption.objects.count(), list(Offer.objects.values_list("taken_count", flat=True))) == before
    return refused.value.code


@pytest.mark.django_db
def test_an_order_counts_once_and_another_one_again_within_the_limits(organization: Organization) -> None:
    campaign = _active(3, limit_per_contact=2, limit_total=3)

    first = _take(campaign, 1, value="10.00", currency="GBP", order_id="A")
    again = _take(campaign, 1, value="10.00", currency="GBP", order_id="A")
    second = _take(campaign, 1, value="5.50", currency="GBP", order_id="B")

    assert (first.conversion_value_minor, again.conversion_value_minor, second.conversion_value_minor) == (
        1_000, 1_000, 1_550,
    )  # fmt: skip
    assert _refusal(lambda: _take(campaign, 1, order_id="C")) == "limit_reached"
    _take(campaign, 2, order_id="D")
    assert _refusal(lambda: _take(campaign, 3, order_id="E")) == "used_up"
    assert (Offer.objects.get().taken_count, Redemption.objects.count()) == (3, 3)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_only_as_many_take_it_as_there_are(organization: Organization) -> None:
    campaign = _active(8, limit_total=3)

    def take(number: int) -> bool:
        try:
            with tenancy.organization(organization.pk):
                _take(campaign, number, order_id=f"order-{number}")
        except Conflict:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        taken = sum(pool.map(take, range(1, 9)))

    assert (taken, Offer.objects.get().taken_count, Redemption.objects.count()) == (3, 3, 3)
    assert Target.objects.filter(status="converted").count() == 3


@pytest.mark.django_db
def test_an_order_must_be_worth_enough(organization: Organization) -> None:
    campaign = _active(minimum_spend_minor=2_000)

    assert _refusal(lambda: _take(campaign, 1, value="19.99", currency="GBP")) == "minimum_spend"
    assert _refusal(lambda: _take(campaign, 1)) == "invalid"
    assert _refusal(lambda: _take(campaign, 1, value="50", currency="EUR")) == "invalid"
    assert _take(campaign, 1, value="20.00", currency="GBP").conversion_value_minor == 2_000


@pytest.mark.django_db
def test_it_ends_so_many_days_after_a_person_became_eligible(organization: Organization, api: Any) -> None:
    campaign = _active(valid_days=30)
    late = making.contacts(1, start=9)[0]
    now = clock.now()
    Target.objects.create(campaign=campaign, contact=late, created_at=now + timedelta(days=20))

    with clock.travel(timedelta(days=31)):
        assert _refusal(lambda: _take(campaign, 1)) == "offer_not_open"
        assert _refusal(lambda: services.record_view(campaign, Who(user_id="user-1"))) == "offer_not_open"
        assert api.get(f"{API}/campaigns?status=active&contact=user-1").json()["results"] == []
        (shown,) = api.get(f"{API}/campaigns?status=active&contact=user-9").json()["results"]
        assert shown["offers"][0]["expires_at"][:10] == (now + timedelta(days=50)).date().isoformat()
        told = _take(campaign, 1, happened_at=now + timedelta(days=29))
        assert told.converted_at == now + timedelta(days=29)


@pytest.mark.django_db
def test_everybody_gets_a_code_of_their_own(organization: Organization, api: Any) -> None:
    campaign = _active(3, codes="generated", code="JUNE-")
    codes = dict(OfferCode.objects.values_list("target__contact__user_id", "code"))

    assert len(set(codes.values())) == 3 and all(
        code.startswith("JUNE-") and len(code) == 15 for code in codes.values()
    )
    (shown,) = api.get(f"{API}/campaigns?status=active&contact=user-2").json()["results"]
    assert shown["offers"][0]["code"] == codes["user-2"]
    assert _refusal(lambda: _take(campaign, 1, code=codes["user-2"])) == "wrong_code"
    assert _take(campaign, 1, code=codes["user-1"].lower()).status == "converted"
    offer_codes.give(campaign)
    assert OfferCode.objects.count() == 3


@pytest.mark.django_db
def test_codes_from_a_list_are_given_while_they_last(organization: Organization, api: Any) -> None:
    campaign = _active(3, codes="listed")
    offer = campaign.offers.get()
    address = f"{API}/campaigns/{campaign.pk}/offers/{offer.pk}/codes/"
    assert api.get(f"{API}/campaigns?status=active&contact=user-1").json()["results"] == []

    first = api.post(address, {"codes": ["ONE", "TWO", " ONE "]}).json()
    more = api.post(address, {"codes": ["TWO", "THREE", "FOUR"]}).json()

    assert first == {"added": 2, "code_count": 2, "free_count": 0}
    assert more == {"added": 2, "code_count": 4, "free_count": 1}
    assert set(OfferCode.objects.exclude(target=None).values_list("code", flat=True)) == {"ONE", "TWO", "THREE"}
    other = _active_other()
    taken = api.post(f"{API}/campaigns/{other.campaign_id}/offers/{other.pk}/codes/", {"codes": ["NEW", "ONE"]})
    assert taken.status_code == 400 and not OfferCode.objects.filter(code="NEW").exists()
    assert api.post(f"{API}/campaigns/{campaign.pk}/offers/{other.pk}/codes/", {"codes": ["X"]}).status_code == 404


@pytest.mark.django_db
def test_codes_are_pasted_on_a_page_of_their_own(organization: Organization, admin: Any) -> None:
    offer = _active_other()
    address = f"/campaigns/offers/{offer.pk}/codes/"
    assert address in admin.get(f"/admin/campaigns/campaign/{offer.campaign_id}/change/").content.decode()

    assert admin.post(address, {"codes": "ONE\r\nTWO\r\n\r\n"}).status_code == 302
    refused = admin.post(address, {"codes": "X" * 61})

    assert refused.status_code == 400 and "X" * 61 in refused.content.decode()
    assert set(OfferCode.objects.values_list("code", flat=True)) == {"ONE", "TWO"}
    assert "Not given yet</dt><dd>2<" in admin.get(address).content.decode()


def _active_other() -> Offer:
    made = making.campaign(template_id=None, name="Other", offers=[replace(OFFER, codes="listed")])
    return made.offers.get()


@pytest.mark.django_db
def test_reports_come_many_at_a_time_and_each_is_judged_by_itself(organization: Organization, api: Any) -> None:
    campaign = _active(2)
    reports = [
        {"type": "view", "campaign_id": campaign.pk, "user_id": "user-1"},
        {"type": "conversion", "campaign_id": campaign.pk, "user_id": "user-1", "value": "7", "currency": "GBP"},
        {"type": "view", "campaign_id": campaign.pk, "user_id": "nobody"},
        {"type": "view", "campaign_id": 10**9, "user_id": "user-1"},
    ]

    first = api.post(f"{API}/offer-reports", {"reports": reports}).json()["results"]
    again = api.post(f"{API}/offer-reports", {"reports": reports}).json()["results"]

    assert [(row["is_taken"], row["code"]) for row in first] == [
        (True, ""), (True, ""), (False, "unknown_contact"), (False, "not_found"),
    ]  # fmt: skip
    assert first[1]["target"]["conversion_value_minor"] == 700
    assert again == [first[1] | {}, first[1], first[2], first[3]]
    assert api.post(f"{API}/offer-reports", {"reports": [{"type": "glance"}]}).status_code == 400


@pytest.mark.django_db
def test_editing_an_offer_keeps_its_codes_and_wrong_terms_are_refused(organization: Organization) -> None:
    made = making.campaign(template_id=None, offers=[replace(OFFER, codes="listed")])
    offer = made.offers.get()
    offer_codes.add(offer, ["ONE"])

    services.update_campaign(made, {}, offers=[replace(OFFER, codes="listed", value=Decimal(20)), OFFER])

    assert [row.value for row in made.offers.order_by("pk")] == [Decimal(20), Decimal(10)]
    assert OfferCode.objects.get().offer_id == offer.pk
    for wrong, place in (
        ({"value": Decimal(101)}, "value"),
        ({"unit": "stars"}, "unit"),
        ({"scope_kind": "category"}, "scope"),
        ({"scope": ("Tea",)}, "scope"),
        ({"limit_total": 0}, "limit_total"),
        ({"valid_days": 0}, "valid_days"),
        ({"codes": "listed", "code": "X"}, "code"),
    ):
        with pytest.raises(Invalid) as refused:
            services.update_campaign(made, {}, offers=[replace(OFFER, **wrong)])
        assert list(refused.value.details) == [f"offers[0].{place}"]
    assert made.offers.count() == 2


@pytest.mark.django_db
def test_when_two_contacts_become_one_their_codes_and_orders_stay(organization: Organization) -> None:
    campaign = _active(2, codes="generated", limit_per_contact=2)
    _take(campaign, 2, order_id="B")
    first, second = Target.objects.order_by("pk")
    code = OfferCode.objects.get(target=first).code

    targets.follow_merges([ContactsMerged(merged_id=second.contact_id, survivor_id=first.contact_id)])

    kept = Target.objects.get()
    assert (kept.pk, kept.status) == (first.pk, "converted")
    assert OfferCode.objects.get(target=kept).code == code
    assert Redemption.objects.get().target_id == kept.pk
