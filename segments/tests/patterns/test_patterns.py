"""Ready patterns on small made data: thresholds, sizes and sentences are exact, and each rule finds what is claimed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from accounts.models import Organization
from common import clock
from common.models import WorkStatus
from segments.models import Analysis, AnalysisKind, Finding
from segments.patterns import analyses, selectors
from segments.tests.patterns.shop import ORDER, buy, people, shop
from segments.tests.people import NOON, contact


@pytest.fixture(autouse=True)
def _at_noon(organization: Organization) -> Iterator[None]:
    with clock.freeze(NOON):
        yield


def computed(organization: Organization) -> dict[str, Finding]:
    """Run the analysis and give its findings by key."""
    analyses.request(AnalysisKind.PATTERNS)
    assert analyses.run(organization.pk) == 1
    analysis = Analysis.objects.get(kind=AnalysisKind.PATTERNS)
    assert (analysis.status, analysis.error) == (WorkStatus.DONE, "")
    return {finding.key: finding for finding in analysis.findings.all()}


def missing(title: str) -> str:
    """Why a pattern is not there."""
    told = {item["title"]: item["reason"] for item in selectors.report(AnalysisKind.PATTERNS).missing}
    return told[title]


def test_the_best_tenth_by_money_are_high_spenders(organization: Organization) -> None:
    shop()
    rows = [(who, 5, 10.0 * number) for number, who in enumerate(people(30), 1)]
    buy([*rows, (rows[0][0], 100, 9_999)])  # long ago: outside the window

    found = computed(organization)["high-spender"]

    # 30 buyers of 10 … 300: the 90th of a hundred is 270, and four reach it.
    assert found.rule == {"event": ORDER, "operator": "sum", "property": "total", "compare": "greater_or_equal",
                          "value": 270.0, "within": {"days": 90}}  # fmt: skip
    assert found.size == 4
    assert found.reason == (
        "The best 10 % of the 30 people who bought in the last 90 days spent £270.00 or more; half of the buyers spent "
        "£150.00 or less. These 4 bring 25 % of the money."
    )
