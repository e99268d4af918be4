"""What sets converters apart: exact lifts on made data, and nothing of what lay after."""

from __future__ import annotations

from datetime import timedelta

import pytest

from audience.models import Contact
from segments.models import AnalysisKind
from segments.patterns import selectors
from segments.patterns.contrasts import GROUP
from segments.patterns.leaves import did, on
from segments.tests.patterns.shop import ago, buy, computed, do, missing, people, shop
from segments.tests.people import attribute

pytestmark = pytest.mark.usefixtures("at_noon")
SUGGESTIONS = AnalysisKind.SUGGESTIONS


def known_before(count: int, **fields: object) -> list[Contact]:
    """People known 60 days ago, with what was said of them then."""
    moment = ago(60)
    return people(count, **({"first_seen_at": moment, "created_at": moment, "traits_at": moment} | fields))


def test_a_condition_that_sets_converters_apart_is_found_with_its_lift() -> None:
    shop()
    leeds, york = known_before(100, city="Leeds"), known_before(200, city="York")
    buy([(who, 10, 5) for who in [*leeds[:40], *york[:20]]])

    found = computed(SUGGESTIONS)["is-city-Leeds"]

    assert found.rule == on("city", "equals", "Leeds")
    assert found.size == 100
    assert found.evidence["lift"] == 4.0
    # exp(1.96 × sqrt(1/40 − 1/100 + 1/20 − 1/200)) = exp(0.480)
    assert (found.evidence["low"], found.evidence["high"]) == (2.4749, 6.4649)
    assert found.reason == (
        "Of 100 people with it 30 days ago, 40.0 % did “order_completed” since; of the 200 without it 10.0 %. "
        "That is 4.0 times as often (95 % sure of 2.5 to 6.5). A difference is not a cause: test it before you rely "
        "on it."
    )


def test_a_behaviour_is_found_at_its_best_count() -> None:
    shop()
    crowd = known_before(300)
    do("video_watched", [(who, 40 + turn) for who in crowd[:50] for turn in range(3)])
    do("video_watched", [(who, 40) for who in crowd[50:100]])
    buy([(who, 10, 5) for who in [*crowd[:40], *crowd[200:220]]])

    found = computed(SUGGESTIONS)

    assert [key for key in found if "video" in key] == ["did-2-video_watched"]
    assert found["did-2-video_watched"].rule == did("video_watched", 2, 90)
    assert found["did-2-video_watched"].evidence["with"] == 50


def test_what_lay_after_the_cut_and_the_goal_itself_are_no_candidates() -> None:
    shop()
    crowd = known_before(300)
    buy([(who, 10, 5) for who in crowd[:60]])
    buy([(who, 50, 5) for who in crowd[:60]])  # the goal, before
    do("thanked", [(who, 5) for who in crowd[:60]])  # follows the purchase
    for who in crowd[:60]:  # said after the purchase
        who.status, who.traits_at = "customer", ago(5)
    Contact.objects.bulk_update(crowd[:60], ["status", "traits_at"])

    found = computed(SUGGESTIONS)

    assert not [key for key in found if key.startswith(("did-", "is-"))]
    assert missing(GROUP, SUGGESTIONS).endswith("conditions sets those apart who did “order_completed”.")


def test_a_value_said_later_leaves_its_contact_out_on_both_sides() -> None:
    attribute("plan", "text")
    shop()
    pro, free = known_before(100, attributes={"plan": "pro"}), known_before(200, attributes={"plan": "free"})
    buy([(who, 10, 5) for who in [*pro[:60], *free[:20]]])
    later = [*pro[:20], *free[:10]]
    for who in later:
        who.trait_times = {"attributes.plan": ago(3).isoformat()}
    Contact.objects.bulk_update(later, ["trait_times"])

    found = computed(SUGGESTIONS)["is-attributes.plan-pro"].evidence

    assert (found["with"], found["with_converted"]) == (80, 40)
    assert (found["without"], found["without_converted"]) == (190, 10)


def test_what_we_sent_is_no_behaviour_of_theirs() -> None:
    shop()
    crowd = known_before(300)
    do("email_sent", [(who, 40) for who in crowd[:60]])
    buy([(who, 10, 5) for who in crowd[:60]])

    assert not [key for key in computed(SUGGESTIONS) if "email_sent" in key]


def test_yes_and_no_and_tags_are_candidates_too() -> None:
    attribute("member", "boolean")
    shop()
    inside = known_before(60, attributes={"member": True})
    tagged = known_before(70, attributes={"member": False}, tags=["vip"])
    rest = known_before(200, attributes={"member": False})
    buy([(who, 10, 5) for who in [*inside[:40], *tagged[:40], *rest[:5]]])

    found = computed(SUGGESTIONS)

    assert found["is-attributes.member-true"].rule == on("attributes.member", "equals", True)
    assert (found["is-attributes.member-true"].size, found["is-attributes.member-true"].title) == (
        60,
        "Member is true",
    )
    assert found["tag-vip"].rule == on("tags", "contains", "vip")
    assert (found["tag-vip"].evidence["with"], found["tag-vip"].evidence["with_converted"]) == (70, 40)


def test_newcomers_since_the_cut_are_not_compared() -> None:
    shop()
    crowd = known_before(240)
    fresh = people(100, city="Leeds", first_seen_at=ago(20), created_at=ago(20))
    buy([(who, 10, 5) for who in [*crowd[:40], *fresh]])

    found = computed(SUGGESTIONS)

    assert "is-city-Leeds" not in found


def test_the_same_people_in_other_words_are_told_once() -> None:
    shop()
    here = known_before(100, country="DE", timezone="Europe/Berlin")
    there = known_before(200, country="FR", timezone="Europe/Paris")
    buy([(who, 10, 5) for who in [*here[:40], *there[:20]]])

    found = computed(SUGGESTIONS)

    assert [key for key in found if key.startswith("is-")] == ["is-country-DE"]


def test_chance_alone_is_no_suggestion() -> None:
    attribute("letter", "text")
    shop()
    crowd = known_before(300)
    for number, who in enumerate(crowd):
        who.attributes = {"letter": "abcde"[number % 5]}
    Contact.objects.bulk_update(crowd, ["attributes"])
    buy([(who, 10, 5) for who in crowd[:100]])

    found = computed(SUGGESTIONS)

    assert not [key for key in found if key.startswith("is-")]


def test_too_few_converters_are_told_with_their_numbers() -> None:
    shop()
    crowd = known_before(210)
    buy([(who, 10, 5) for who in crowd[:29]])

    computed(SUGGESTIONS)

    assert missing(GROUP, SUGGESTIONS) == (
        "210 people were known 30 days ago; 29 of them did “order_completed” since, 181 did not. "
        "A comparison needs 200 people, 30 on either side."
    )


def test_the_cut_is_thirty_days_back_to_the_microsecond() -> None:
    shop()
    crowd = known_before(250)
    tick = timedelta(microseconds=1).total_seconds() / 86_400
    buy([(who, 30, 5) for who in crowd[:40]] + [(who, 30 - tick, 5) for who in crowd[40:80]])

    computed(SUGGESTIONS)

    summary = selectors.report(SUGGESTIONS).summary
    assert summary is not None
    assert (summary["contrasts"]["people"], summary["contrasts"]["converters"]) == (250, 40)
