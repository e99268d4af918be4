"""The rules of this room, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from attribution.domain import goals, refunds, returns, visits
from attribution.domain.channels import Channel
from attribution.domain.models import attribution_models, divide
from attribution.domain.paths import Touch, collapse, signature
from attribution.domain.returns import Tier
from attribution.domain.visits import Visit
from audience.domain import event_names
from common.errors import Invalid

NOON = datetime(2026, 6, 15, 12, tzinfo=UTC)
PATHS = st.lists(st.floats(0, 400), min_size=1, max_size=60).map(lambda ages: sorted(ages, reverse=True))


@given(st.sampled_from(list(attribution_models)), st.integers(0, 10**13), PATHS)
def test_every_model_divides_to_the_last_penny(name: str, amount_minor: int, ages: list[float]) -> None:
    parts = divide(attribution_models[name], amount_minor, ages)

    assert sum(part.amount_minor for part in parts) == amount_minor
    assert all(part.amount_minor >= 0 and part.share >= 0 for part in parts)
    assert sum(part.share for part in parts) == pytest.approx(1)


@given(st.sampled_from(list(attribution_models)), st.integers(0, 10**13), st.floats(0, 400))
def test_a_single_touchpoint_gets_everything_in_every_model(name: str, amount_minor: int, age: float) -> None:
    assert [part.amount_minor for part in divide(attribution_models[name], amount_minor, [age])] == [amount_minor]


@given(PATHS)
def test_time_decay_halves_with_every_week_and_never_rises_with_age(ages: list[float]) -> None:
    weights = attribution_models["time_decay"].weigh(ages)

    assert weights == sorted(weights)
    assert attribution_models["time_decay"].weigh([14, 7, 0]) == [0.25, 0.5, 1.0]


def test_position_gives_forty_twenty_forty_and_two_share_equally() -> None:
    position = attribution_models["position"]

    assert [part.amount_minor for part in divide(position, 1000, [9, 8, 7, 6])] == [400, 100, 100, 400]
    assert [part.amount_minor for part in divide(position, 1000, [9, 8])] == [500, 500]


def test_an_empty_path_cannot_be_credited() -> None:
    with pytest.raises(Invalid):
        divide(attribution_models["linear"], 100, [])


@pytest.mark.parametrize(
    ("properties", "campaign", "page", "expected"),
    [
        ({"utm_source": "news", "utm_medium": "Email", "utm_campaign": "June"}, None, None,
         Visit(Channel.EMAIL, "news", "Email", "June")),
        ({}, {"source": "google", "medium": "cpc", "name": "brand"}, None,
         Visit(Channel.PAID_SEARCH, "google", "cpc", "brand")),
        ({}, None, {"url": "https://s.example/?utm_source=facebook&utm_medium=cpc"},
         Visit(Channel.PAID_SOCIAL, "facebook", "cpc", "")),
        ({}, None, {"url": "https://s.example/?a=1&gclid=Cj0"}, Visit(Channel.PAID_SEARCH, "google")),
        ({"fbclid": "x"}, None, None, Visit(Channel.SOCIAL, "facebook")),
        ({"msclkid": "x"}, None, None, Visit(Channel.PAID_SEARCH, "bing")),
        ({"ttclid": "x", "utm_campaign": "june"}, None, None, Visit(Channel.PAID_SOCIAL, "tiktok", "", "june")),
        ({"$current_url": "https://s.example/?gclid=1&utm_source=google&utm_medium=cpc"}, None, None,
         Visit(Channel.PAID_SEARCH, "google", "cpc", "")),
        ({}, None, {"url": "https://s.example/", "referrer": "https://www.google.co.uk/"},
         Visit(Channel.ORGANIC_SEARCH, "google")),
        ({}, None, {"url": "https://s.example/", "referrer": "https://t.co/abc"}, Visit(Channel.SOCIAL, "x")),
        ({}, None, {"url": "https://s.example/", "referrer": "https://blog.example/post"},
         Visit(Channel.WEBSITE, "blog.example")),
        ({"utm_source": "referral", "utm_medium": "invite"}, None, None,
         Visit(Channel.REFERRAL, "referral", "invite", "")),
        ({"utm_source": "partner.example", "utm_medium": "referral"}, None, None,
         Visit(Channel.WEBSITE, "partner.example", "referral", "")),
        ({}, None, {"url": "https://www.s.example/cart", "referrer": "https://s.example/"}, None),
        ({}, None, {"url": "https://s.example/"}, None),
        ({"$referrer": "$direct"}, None, None, None),
        ({"utm_source": 7, "utm_campaign": ["x"]}, "text", ["list"], None),
        ({}, None, {"url": "http://[", "referrer": "https://["}, None),
        ({}, None, {"url": "https://s.example/?" + "a=1&" * 500 + "gclid=1"}, None),
        ({"utm_source": "a\x00b"}, None, None, Visit(Channel.OTHER, "ab")),
        ({}, None, {"url": "https://s.example/?utm_source=%00x"}, Visit(Channel.OTHER, "x")),
    ],
)  # fmt: skip
def test_a_visit_tells_how_the_contact_came(properties, campaign, page, expected) -> None:
    assert visits.of_event(properties, campaign, page) == expected


@given(st.text(max_size=300), st.text(max_size=300))
def test_no_address_breaks_the_reading_of_a_visit(url: str, referrer: str) -> None:
    found = visits.of_event({"url": url, "utm_source": referrer}, None, {"url": "https://x/?" + url, "referrer": url})

    assert found is None or (len(found.source) <= 200 and "\x00" not in found.source + found.campaign)


def test_tags_are_cut_to_what_fits() -> None:
    found = visits.of_event({"utm_campaign": "x" * 5000}, None, None)

    assert found is not None
    assert len(found.campaign) == 200


@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from("ab")), max_size=40))
def test_comings_by_the_same_way_within_half_an_hour_are_one(minutes: list[tuple[int, str]]) -> None:
    touches = [
        Touch(index, NOON + timedelta(minutes=minute), way) for index, (minute, way) in enumerate(sorted(minutes))
    ]

    kept = collapse(touches)

    for way in "ab":
        all_of_it = [touch for touch in touches if touch.signature == way]
        starts = [
            touch
            for before, touch in zip([None, *all_of_it], all_of_it, strict=False)
            if before is None or touch.happened_at - before.happened_at > timedelta(minutes=30)
        ]
        assert [touch for touch in kept if touch.signature == way] == starts


def test_our_own_campaign_is_one_way_whatever_the_channel() -> None:
    assert signature(3, "email", "campaign", "June") == signature(3, "other", "news", "june")
    assert signature(None, "email", "A", "x") == signature(None, "email", "a", "X")
    assert signature(None, "a", "bc", "") != signature(None, "ab", "c", "")


def purchase(pk: int, value_minor: int, days_ago: int, order_id: str = "", currency: str = "GBP") -> refunds.Purchase:
    return refunds.Purchase(pk, pk, 1, order_id, currency, value_minor, NOON - timedelta(days=days_ago))


def refund(value_minor: int | None, days_ago: int = 0, order_id: str = "", currency: str = "GBP") -> refunds.Refund:
    return refunds.Refund(99, 1, order_id, currency, value_minor, NOON - timedelta(days=days_ago))


def test_a_refund_without_a_known_order_is_taken_from_the_latest_purchases_before_it() -> None:
    purchases = [purchase(1, 500, 9), purchase(2, 300, 5), purchase(3, 900, 1)]

    assert refunds.settle(purchases, [refund(400, 2, "unknown")]) == {1: 100, 2: 300, 3: 0}


def test_a_refund_that_names_its_order_goes_before_those_that_do_not() -> None:
    purchases = [purchase(1, 500, 9, "A"), purchase(2, 300, 5, "B")]

    assert refunds.settle(purchases, [refund(300, 4), refund(None, 1, "B")]) == {1: 300, 2: 300}


def test_a_refund_never_crosses_currencies() -> None:
    assert refunds.settle([purchase(1, 500, 9, "A", "EUR")], [refund(100, 1, "A")]) == {1: 0}


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 20), st.sampled_from(["", "A", "B"])), max_size=8),
    st.lists(
        st.tuples(st.none() | st.integers(0, 2000), st.integers(0, 20), st.sampled_from(["", "A", "C"])), max_size=8
    ),
    st.randoms(),
)
def test_refunds_stay_within_purchases_and_do_not_depend_on_arrival(made, given_back, chance) -> None:
    purchases = [purchase(index, *fields) for index, fields in enumerate(made)]
    back = [
        refunds.Refund(100 + index, 1, order_id, "GBP", value, NOON - timedelta(days=days))
        for index, (value, days, order_id) in enumerate(given_back)
    ]

    settled = refunds.settle(purchases, back)
    chance.shuffle(purchases)
    chance.shuffle(back)

    assert refunds.settle(purchases, back) == settled
    assert all(0 <= settled[item.conversion_id] <= item.value_minor for item in purchases)


@pytest.mark.parametrize(
    ("revenue", "cost", "tier"),
    [
        (501, 100, Tier.EXCELLENT),
        (500, 100, Tier.GOOD),
        (301, 100, Tier.GOOD),
        (300, 100, Tier.PROFITABLE),
        (101, 100, Tier.PROFITABLE),
        (100, 100, Tier.NEEDS_OPTIMISATION),
        (0, 100, Tier.NEEDS_OPTIMISATION),
        (500, 0, Tier.NO_COST),
    ],
)
def test_tiers_are_judged_by_revenue_per_cost(revenue: int, cost: int, tier: Tier) -> None:
    assert returns.tier(revenue, cost) == tier


def test_return_on_investment_and_on_cost() -> None:
    assert returns.percent(300, 100) == 200
    assert returns.multiple(300, 100) == 3
    assert returns.percent(300, 0) is None


def test_event_names_are_found_however_they_are_written() -> None:
    assert (
        event_names.key("Order Completed")
        == event_names.key("order_completed")
        == event_names.key(" order-completed ")
    )


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("text", "list"),
        ([{}], 'must be an object with a "property"'),
        ([{"property": "a", "operator": "like", "value": "x"}], "where[0].operator"),
        ([{"property": "a", "value": 1}, {"property": "a", "operator": "greater", "value": "x"}], "where[1].value"),
        ([{"property": "a", "operator": "in", "value": []}], "where[0].value"),
        ([{"property": "a", "operator": "greater", "value": True}], "where[0].value"),
        ([{"property": "a", "value": 1, "sql": "x"}], "where[0].sql"),
        ([{"property": "a", "operator": "is_set"}] * 11, "Too many"),
    ],
)
def test_wrong_conditions_are_refused_with_their_place(where, place: str) -> None:
    with pytest.raises(Invalid) as refused:
        goals.parse_where(where)

    assert place in str(refused.value) + str(refused.value.details)
