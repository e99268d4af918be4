"""Forecasts: intervals that hold what comes, from campaigns that are alike, kept and held against the outcome."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from accounts.models import Organization
from attribution.tests import river
from campaigns import selectors, services
from campaigns.domain import forecast as domain
from campaigns.domain.forecast import Earned, Seen
from campaigns.domain.likeness import Traits, likeness
from campaigns.models import Campaign, CampaignForecast, CampaignOutcome, CampaignStatus
from campaigns.tests import making
from common import clock
from delivery.models import Message


@pytest.mark.parametrize("spread", [0.1, 0.4])
def test_intervals_hold_the_next_campaign_as_often_as_they_say(spread: float) -> None:
    """Back-tested: eight campaigns are seen, the ninth is foreseen, 120 times."""
    random, held, widely = np.random.default_rng(7), 0, 0
    for _ in range(120):
        rates = 1 / (1 + np.exp(-(np.log(0.04) + spread * random.standard_normal(9))))
        sizes = random.integers(800, 20_000, 9)
        hits = random.binomial(sizes, rates)
        past = [Seen(int(size), int(hit)) for size, hit in zip(sizes[:-1], hits[:-1], strict=True)]
        figure = domain.summed_up(domain.counts(past, int(sizes[-1])))
        held += figure.holds(float(hits[-1]))
        widely += figure.lowest <= hits[-1] <= figure.highest

    assert 0.75 <= held / 120 <= 0.95
    assert widely / 120 >= 0.92


def test_fewer_and_less_like_campaigns_make_wider_intervals() -> None:
    def width(count: int, weight: float = 1.0) -> float:
        past = [Seen(5_000, 1_000 + 40 * (each % 3), weight) for each in range(count)]
        figure = domain.summed_up(domain.counts(past, 5_000))
        return figure.high - figure.low

    assert width(12) < width(4) < width(1)
    assert width(4) < width(4, weight=0.4)


def test_nothing_converted_is_no_promise_of_nothing() -> None:
    figure = domain.summed_up(domain.counts([Seen(500, 0), Seen(800, 0)], 100_000))

    assert figure.middle < 200
    assert figure.high > 0


def test_the_same_question_gets_the_same_answer() -> None:
    past = [Seen(900, 200), Seen(1_200, 250)]

    assert domain.summed_up(domain.counts(past, 1_000)) == domain.summed_up(domain.counts(past, 1_000))


def test_revenue_follows_orders_and_their_worth() -> None:
    orders = np.full(domain.DRAWS, 100.0)
    drawn = domain.worth([Earned(50, 50 * 2_000.0, 50 * 2_000.0**2) for _ in range(6)], orders)
    assert drawn is not None
    figure = domain.summed_up(drawn)

    assert figure.low < 200_000 < figure.high
    assert figure.middle == pytest.approx(200_000, rel=0.03)
    assert domain.worth([Earned(0, 0, 0)], orders) is None


def test_likeness_falls_with_every_difference() -> None:
    one = Traits(1, 2, [3, 4], has_offers=False)

    assert likeness(one, one, 0) == 1
    assert likeness(one, one, 180) == pytest.approx(0.5)
    assert likeness(one, Traits(9, 2, [3, 4], has_offers=False), 0) == pytest.approx(0.8)
    assert likeness(one, Traits(1, 2, [3, 5], has_offers=False), 0) == pytest.approx(0.5 + 0.5 / 3)
    assert likeness(one, Traits(1, 2, [], has_offers=True), 0) == pytest.approx(0.6 * 0.5)


# --- with campaigns ----------------------------------------------------------------------------------------


@pytest.fixture
def _doors(organization: Organization) -> None:
    making.open_doors()


def _past(segment: Any, days: int, **counts: int) -> Campaign:
    made = making.campaign([segment], name=f"Past {days}")
    then = clock.now() - timedelta(days=days)
    CampaignOutcome.objects.create(
        campaign=made, channel="email", kind="marketing", currency="GBP", began_at=then, last_sent_at=then,
        counted_at=clock.now(), **{"target_count": 1000, "sent_count": 1000, **counts},
    )  # fmt: skip
    return made


@pytest.mark.django_db
@pytest.mark.usefixtures("_doors")
def test_without_a_past_only_the_reach_is_said(api: Any) -> None:
    campaign = making.campaign([making.segment(making.contacts(3))], holdout_percent="33.3")

    answer = api.get(f"/api/v1/campaigns/{campaign.pk}/forecast/").json()

    assert (answer["reach"], answer["opens"], answer["revenue"], answer["basis_count"]) == (2, None, None, 0)
    assert "only the reach is known" in answer["basis"]


@pytest.mark.django_db
@pytest.mark.usefixtures("_doors")
def test_a_launch_keeps_its_forecast_and_meets_the_outcome(admin: Any, api: Any) -> None:
    people = making.segment(making.contacts(4))
    for days, opened in ((20, 300), (40, 320), (60, 280)):
        _past(people, days, open_count=opened, click_count=40, conversion_count=10, revenue_minor=50_000)
    campaign = making.campaign([people])

    page = admin.get(f"/admin/campaigns/campaign/{campaign.pk}/act/launch/").content.decode()
    answer = admin.post(f"/admin/campaigns/campaign/{campaign.pk}/act/launch/", {"version": 1, "at": ""})

    assert "From 3 comparable e-mail campaigns; the closest is “Past 20”" in page
    assert answer.status_code == 302
    kept = CampaignForecast.objects.get()
    assert (kept.campaign_id, kept.reach, kept.basis_count) == (campaign.pk, 4, 3)
    assert set(kept.figures) == {"opens", "clicks", "conversions", "revenue"}
    CampaignOutcome.objects.create(
        campaign=campaign, channel="email", kind="marketing", currency="GBP", sent_count=4, open_count=1,
        click_count=4, began_at=clock.now() - timedelta(days=4), last_sent_at=clock.now() - timedelta(days=4),
        counted_at=clock.now(),
    )  # fmt: skip
    told = {line.name: line.held for line in selectors.told(campaign)}
    assert told == {"opens": True, "clicks": False, "conversions": None, "revenue": None}
    assert selectors.track_record() == selectors.TrackRecord(1, 2)
    answer = api.get(f"/api/v1/campaigns/{campaign.pk}/forecast/").json()
    assert answer["track_record"] == {"held": 0, "told": 0}
    assert [line["held"] for line in answer["told"]] == [True, False, None, None]


@pytest.mark.django_db
@pytest.mark.usefixtures("_doors")
def test_outcomes_are_counted_from_the_ledger_and_the_orders_after_a_click(organization: Organization) -> None:
    people = making.contacts(4)
    campaign = services.launch(making.campaign([making.segment(people)]))
    services.work(organization.pk)
    Message.objects.update(status="sent", sent_at=clock.now() - timedelta(days=3))
    clicked = river.NOON - timedelta(hours=1)
    first, second, third, _ = Message.objects.order_by("contact_id")
    Message.objects.filter(pk__in=[first.pk, second.pk]).update(opened_at=clicked, clicked_at=clicked)
    Message.objects.filter(pk=third.pk).update(opened_at=clock.now())
    late = river.order(people[1], 5_000, days_ago=-8)
    river.store([river.order(people[0], 1_000), river.order(people[0], 2_000), river.order(people[2], 9_000), late])

    counted = services.count_outcomes()

    outcome = CampaignOutcome.objects.get(campaign=campaign)
    assert counted == 1
    assert (outcome.sent_count, outcome.open_count, outcome.click_count) == (4, 3, 2)
    assert (outcome.conversion_count, outcome.revenue_minor, outcome.revenue_squares) == (1, 1_000, 1_000_000)
    assert (outcome.channel, outcome.kind, outcome.is_final) == ("email", "marketing", False)
    Campaign.objects.update(status=CampaignStatus.DRAFT)
    assert services.count_outcomes() == 0
