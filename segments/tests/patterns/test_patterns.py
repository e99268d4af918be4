"""Ready patterns on small made data: thresholds, sizes and sentences are exact."""

from __future__ import annotations

import itertools

import pytest

from audience.models import Contact
from segments import selectors as segment_selectors
from segments.models import AnalysisKind
from segments.patterns import grid, selectors
from segments.patterns.leaves import did, did_not, every, first_time, on
from segments.patterns.surroundings import kilometers_between
from segments.tests.patterns.shop import ORDER, ago, buy, computed, do, missing, people, shop
from segments.tests.people import attribute, contact, definition, events

pytestmark = pytest.mark.usefixtures("at_noon")


def everybody() -> list[int]:
    return list(Contact.objects.values_list("pk", flat=True))


def test_the_best_tenth_by_money_are_high_spenders() -> None:
    shop()
    rows = [(who, 5, 10.0 * number) for number, who in enumerate(people(30), 1)]
    buy([*rows, (rows[0][0], 100, 9_999)])  # long ago: outside the window

    found = computed()["high-spender"]

    # 30 buyers of 10 … 300: the 90th of a hundred is 270, and four reach it.
    assert found.rule == {"event": ORDER, "operator": "sum", "property": "total", "compare": "greater_or_equal",
                          "value": 270.0, "within": {"days": 90}}  # fmt: skip
    assert found.size == 4
    assert found.reason == (
        "The best 10 % of the 30 people who bought in the last 90 days spent £270.00 or more; half of the buyers "
        "spent £150.00 or less. These 4 bring 25 % of the money."
    )
    assert segment_selectors.matching(found.rule, everybody()) == {who.pk for who, _, total in rows if total >= 270}


def test_few_buyers_are_told_with_their_number() -> None:
    shop()
    buy([(who, 5, 10) for who in people(19)])

    computed()

    assert missing("High spenders") == ("Only 19 people spent money in the last 90 days; this pattern needs 20.")
    assert missing("Frequent shoppers") == "Only 19 people bought in the last 90 days; this pattern needs 20."
    assert missing("Gone quiet") == ("Only 0 gaps between purchases are known; 30 are needed to say what is long.")
    assert missing("Lifecycle stages").startswith("Only 0 gaps between purchases are known")
    assert selectors.report(AnalysisKind.PATTERNS).summary["grid_problem"] == (
        "Only 19 people bought in the last year; the grid needs 20."
    )


def test_equal_amounts_have_no_high_spenders() -> None:
    shop()
    buy([(who, 5, 10) for who in people(25)])

    computed()

    assert missing("High spenders") == ("Most of the 25 people who bought spent the same £10.00: nobody stands out.")
    assert missing("Frequent shoppers") == "None of the 25 buyers of the last 90 days bought twice."


def test_one_contact_and_nobody_compute_without_a_finding_of_theirs() -> None:
    shop()
    buy([(contact(), 5, 10)])

    found = computed()

    assert {key: item.size for key, item in found.items()} == {"new-customers": 1}
    assert missing("High spenders") == "Only 1 person spent money in the last 90 days; this pattern needs 20."


def test_an_organisation_without_purchases_is_told_so() -> None:
    assert computed() == {}
    report = selectors.report(AnalysisKind.PATTERNS)
    assert report.summary is not None
    assert report.summary["problem"] == "No event here looks like a purchase; say in the settings which one is."


def test_super_connectors_brought_most_of_the_friends() -> None:
    shop()
    buy([(contact(), 5, 10)])
    definition("referral_qualified", role="text")
    inviters, invited = people(20), people(40)
    brought = [(who, day) for number, who in enumerate(inviters) for day in range(1 if number < 17 else number - 11)]
    do("referral_qualified", brought, role="inviter")
    do("referral_qualified", [(who, 1) for who in invited], role="invitee")

    found = computed()["super-connectors"]

    # 17 inviters of 1, three of 6, 7 and 8: the 90th of a hundred brought 6.
    assert found.rule == {"event": "referral_qualified", "operator": "did", "count": 6,
                          "where": [{"property": "role", "operator": "equals", "value": "inviter"}]}  # fmt: skip
    assert segment_selectors.matching(found.rule, everybody()) == {who.pk for who in inviters[17:]}
    assert found.reason == (
        "20 people brought 38 friends who qualified for a referral. The best 10 % of them brought 6 or more each: "
        "3 people, through whom 55 % of the friends came."
    )


@pytest.mark.parametrize(
    ("inviters", "reason"),
    [
        (0, "Only 0 people have brought a friend who qualified; this pattern needs 10."),
        (1, "Only 1 person has brought a friend who qualified; this pattern needs 10."),
        (10, "None of the 10 people who brought a friend brought a second one."),
    ],
)
def test_without_inviters_who_stand_out_there_are_no_super_connectors(inviters: int, reason: str) -> None:
    shop()
    buy([(contact(), 5, 10)])
    definition("referral_qualified", role="text")
    do("referral_qualified", [(who, 1) for who in people(inviters)], role="inviter")

    computed()

    assert missing("Super-connectors") == reason


def test_frequent_shoppers_are_the_busiest_tenth() -> None:
    shop()
    crowd = people(20)
    buy([(who, day + 1, 10) for number, who in enumerate(crowd) for day in range(1 + number // 5)])

    found = computed()["frequent-shopper"]

    # five people each with 1, 2, 3 and 4 purchases
    assert found.rule == did(ORDER, 4, 90)
    assert found.size == 5
    assert found.reason == (
        "The busiest 10 % of the 20 people who bought in the last 90 days did so 4 times or more; the middle buyer "
        "came twice, the busiest 4 times."
    )


def test_a_customer_is_new_until_the_second_purchase_is_usual() -> None:
    shop()
    crowd = people(20)
    buy([(who, 200, 10) for who in crowd] + [(who, 200 - 40, 10) for who in crowd])
    buy([(contact(), 39, 10), (contact(), 41, 10)])

    found = computed()["new-customers"]

    assert found.rule == first_time(ORDER, 40)
    assert found.size == 1
    assert "Half of the 20 people who bought a second time did so within 40 days" in found.reason


def test_gone_quiet_is_longer_than_nine_of_ten_gaps() -> None:
    shop()
    # gaps of 1 … 31 days: nine of ten are within 28
    crowd = people(31)
    buy([(who, 60, 10) for who in crowd] + [(who, 60 - gap, 10) for gap, who in enumerate(crowd, 1)])

    found = computed()["inactive"]

    assert found.evidence == {"days": 28, "gaps": 31}
    assert found.rule == every(did(ORDER), did_not(ORDER, 1, 28))
    assert found.size == 31  # the last purchase of the last one is 29 days back


def test_rising_buys_twice_as_often_as_before() -> None:
    shop()
    rising, steady, fresh, slower = people(4)
    crowd = people(20)
    buy([(who, 300, 10) for who in [rising, steady, slower, *crowd]])
    buy([(rising, day, 10) for day in (5, 20, 40, 60, 100, 120)])  # four, after two
    buy([(steady, day, 10) for day in (5, 20, 40, 100, 120)])  # three, after two
    buy([(fresh, day, 10) for day in (5, 20)])  # first time
    buy([(slower, day, 10) for day in (5, 100, 110)])
    buy([(who, 10, 10) for who in crowd])

    found = computed()["rising"]

    assert segment_selectors.matching(found.rule, everybody()) == {rising.pk}
    assert found.size == 1


def test_seasonal_buyers_come_in_the_busy_quarter_only() -> None:
    shop()
    crowd, loyal = people(60), people(20)
    # The year before noon of 15 June 2026 begins on 20 June 2025; the twelve periods have 30 days each.
    buy([(who, 200 + number % 80, 10) for number, who in enumerate(crowd)])
    buy([(who, days, 10) for who in loyal for days in (359.9, 210, 100, 10)])
    buy([(contact(), 400, 10)])

    found = computed()["seasonal"]

    assert found.evidence["share"] == round(80 / 140, 4)
    assert found.reason.startswith("57 % of the purchases of the last 360 days were made from ")
    assert found.size == 60
    assert segment_selectors.matching(found.rule, everybody()) == {who.pk for who in crowd}


def test_a_short_history_has_no_season() -> None:
    shop()
    buy([(who, 30, 10) for who in people(20)])

    computed()

    assert missing("Seasonal buyers") == "A season needs 360 days of history; the first purchase is of 16 May 2026."


def test_fans_of_a_category_on_the_event_are_a_rule() -> None:
    shop(category="text")
    crowd = people(20)
    events([(who.pk, ORDER, ago(day + 1), {"total": 5, "category": "Tea"})
            for number, who in enumerate(crowd) for day in range(3 if number < 10 else 1)])  # fmt: skip

    found = computed()["fans-Tea"]

    assert found.rule == did(ORDER, 3, 365, [{"property": "category", "operator": "equals", "value": "Tea"}])
    assert (found.size, found.title) == (10, "Fans of Tea")
    assert found.reason == (
        "20 people bought the category “Tea” in the last year; the busiest 10 % of them did so in 3 purchases or "
        "more."
    )


def test_fans_of_a_product_in_lines_are_a_list() -> None:
    shop(lines="list")
    crowd = people(20)
    lines = [{"name": "Cup"}, {"name": "Cup"}, "odd", {"name": 4}]
    events([(who.pk, ORDER, ago(day + 1), {"total": 5, "lines": lines})
            for number, who in enumerate(crowd) for day in range(2 if number < 12 else 1)])  # fmt: skip

    found = computed()["fans-Cup"]

    assert (found.rule, found.size) == (None, 12)
    assert found.reason.endswith("so the draft is a list of today's people.")


def test_places_with_many_people_are_clusters() -> None:
    shop()
    leeds, york = people(30, city="Leeds"), people(19, city="York")
    people(5)
    buy([(who, 5, 10) for who in leeds[:10]] + [(who, 5, 40) for who in york])

    found = computed()

    assert found["location-Leeds"].rule == on("city", "equals", "Leeds")
    assert found["location-Leeds"].size == 30
    assert found["location-Leeds"].reason == (
        "30 of 49 people with a known city (61 %) are in Leeds; 10 of them bought in the last 90 days, for £10.00 "
        "each on average."
    )
    assert "location-York" not in found


def test_people_close_together_are_a_surrounding() -> None:
    shop()
    attribute("latitude", "number")
    attribute("longitude", "number")
    leeds = [
        contact(city="Leeds", attributes={"latitude": 53.80 + number / 1_000, "longitude": -1.55})
        for number in range(25)
    ]
    people(22, attributes={"latitude": 54.01, "longitude": -1.55})  # in the next square, in the same circle
    people(21, attributes={"latitude": 48.85, "longitude": 2.35})
    people(5, attributes={"latitude": 10, "longitude": 10})
    people(30, attributes={"latitude": 500, "longitude": 900})
    buy([(leeds[0], 5, 10)])

    found = {item.title: item for item in computed().values() if item.title.startswith("Around")}

    assert {title: item.size for title, item in found.items()} == {"Around Leeds": 47, "Around 48.85, 2.35": 21}
    assert found["Around Leeds"].rule == {
        "near": {"latitude": 53.812, "longitude": -1.55, "kilometers": 25}, "operator": "within"
    }  # fmt: skip


def test_the_distance_of_two_points_is_the_known_one() -> None:
    # Nashville and Los Angeles airports, the example of Rosetta Code: 2886.4 km by a mean radius of 6371 km
    assert kilometers_between((36.12, -86.67), (33.94, -118.4)) == pytest.approx(2886.45, abs=0.05)


def test_every_contact_is_in_exactly_one_stage() -> None:
    shop()
    crowd = people(60)
    for number, who in enumerate(crowd[:50]):
        buy([(who, 4 + 3 * number + step * (20 + 10 * (number % 9)), 10) for step in range(1 + number % 5)])

    found = computed()
    stages = [item for key, item in found.items() if key.startswith("stage-")]
    inside = [segment_selectors.matching(stage.rule, everybody()) for stage in stages]

    assert {stage.key for stage in stages} == {
        "stage-prospect", "stage-new", "stage-loyal", "stage-active", "stage-at-risk", "stage-lost"
    }  # fmt: skip
    assert [len(members) for members in inside] == [stage.size for stage in stages]
    assert set().union(*inside) == set(everybody())
    assert all(not one & other for one, other in itertools.combinations(inside, 2))
    assert found["stage-prospect"].size == 10


def test_each_square_of_the_grid_holds_whom_its_rule_finds() -> None:
    shop()
    for number, who in enumerate(people(40)):
        buy([(who, 1 + 7 * number + step, 3.5 * number) for step in range(1 + number % 4)])
    computed()
    squares = selectors.report(AnalysisKind.PATTERNS).grid
    assert squares is not None

    for cell in grid.squares(squares):
        rule = grid.rule(squares, cell.recency, cell.frequency)
        assert len(segment_selectors.matching(rule, everybody())) == cell.people
    for monetary in grid.SCORES:
        for cell in grid.squares(squares, monetary):
            rule = grid.rule(squares, cell.recency, cell.frequency, monetary)
            assert len(segment_selectors.matching(rule, everybody())) == cell.people
    assert sum(cell.people for cell in grid.squares(squares)) == 40


def test_hostile_purchases_do_not_stop_the_others() -> None:
    shop(lines="list", currency="text")
    crowd = people(25)
    buy([(who, 5, 10.0 * number) for number, who in enumerate(crowd, 1)], currency="GBP")
    odd = {"total": 1e300, "currency": "£" * 400, "lines": {"name": "no list"}}
    events([
        (crowd[0].pk, ORDER, ago(3), odd),
        (crowd[1].pk, ORDER, ago(3), {"total": "12", "lines": [None, [], {"name": "x" * 5_000}]}),
        (crowd[2].pk, ORDER, ago(3), {"total": -5_000, "currency": "GBP"}),
        (crowd[3].pk, ORDER, ago(-3), {"total": 9_000, "currency": "GBP"}),
        (crowd[4].pk, ORDER, ago(3), {}),
    ])  # fmt: skip

    found = computed()["high-spender"]

    # 24 people with more than nothing: 10, 20, 40 … 250 (the third is deep in the red)
    assert found.evidence["threshold"] == 230
    assert found.size == 3  # a number of 300 digits is no amount, to a rule either


def test_only_the_currency_of_most_purchases_is_summed() -> None:
    shop(currency="text")
    crowd, abroad = people(30), people(5)
    buy([(who, 5, 10.0 * number) for number, who in enumerate(crowd, 1)], currency="EUR")
    buy([(who, 5, 100_000) for who in abroad], currency="JPY")

    found = computed()["high-spender"]

    assert found.rule["where"] == [{"property": "currency", "operator": "equals", "value": "EUR"}]
    assert found.size == 4
    assert "spent €270.00 or more" in found.reason
    assert found.reason.endswith("Amounts are those in EUR (30 purchases); 5 in JPY are left out of sums.")


def test_purchases_without_money_say_so() -> None:
    definition(ORDER, item="text")
    events([(who.pk, ORDER, ago(5), {"item": "tea"}) for who in people(25)])

    computed()

    assert missing("High spenders") == (
        "No property of “order_completed” holds an amount of money; name one in the settings."
    )
    assert selectors.report(AnalysisKind.PATTERNS).grid is not None
