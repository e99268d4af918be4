"""Groups of people who behave alike: found where they are, as rules that find them."""

from __future__ import annotations

import pytest

from segments import selectors as segment_selectors
from segments.models import AnalysisKind
from segments.patterns import selectors
from segments.patterns.groups import GROUP
from segments.tests.patterns.shop import buy, computed, missing, people, shop

pytestmark = pytest.mark.usefixtures("at_noon")
SUGGESTIONS = AnalysisKind.SUGGESTIONS


def test_two_groups_are_found_and_their_rules_find_them() -> None:
    shop()
    seldom, often = people(150), people(60)
    buy([(who, 200 + number / 5, 20) for number, who in enumerate(seldom)])
    buy([(who, 3 + number / 30 + 20 * turn, 100) for number, who in enumerate(often) for turn in range(8)])

    found = {key: item for key, item in computed(SUGGESTIONS).items() if item.group == GROUP}

    assert [item.size for item in found.values()] == [150, 60]
    everybody = [who.pk for who in [*seldom, *often]]
    members = [segment_selectors.matching(item.rule, everybody) for item in found.values()]
    assert members == [{who.pk for who in seldom}, {who.pk for who in often}]
    loyal = list(found.values())[1]
    assert (loyal.evidence["precision"], loyal.evidence["recall"]) == (1.0, 1.0)
    assert loyal.evidence["lift"] == 40.0  # 800 against 20 each, and neither varies
    assert "They spend 40.0 times as much as the others" in loyal.reason
    summary = selectors.report(SUGGESTIONS).summary
    assert summary is not None
    assert summary["clusters"]["clusters"] == 2
    assert {"name": "purchases in a year", "group": 8.0, "everybody": 1.0} in loyal.evidence["middle"]


def test_people_who_are_all_alike_form_no_groups() -> None:
    shop()
    buy([(who, 10, 20) for who in people(210)])

    computed(SUGGESTIONS)

    assert missing(GROUP, SUGGESTIONS) == (
        "210 people were compared by 4 figures and form no groups: the best silhouette is 0.00, and 0.25 is the "
        "least that means something."
    )


def test_too_few_people_are_told_with_their_number() -> None:
    shop()
    buy([(who, 10, 20) for who in people(12)])

    computed(SUGGESTIONS)

    assert missing(GROUP, SUGGESTIONS) == "12 people did something in the last year; 200 are needed."
