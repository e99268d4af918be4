"""Both analyses on a real year of a real shop; the numbers are pinned, and each was looked at."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median_low
from typing import Any

import pytest
from django.db import connection

from accounts.models import Organization
from common import clock, tenancy
from segments.models import AnalysisKind
from segments.patterns import grid, selectors, services
from segments.tests.patterns import retail
from segments.tests.patterns.shop import computed

PATTERNS = {
    "high-spender": 289,
    "frequent-shopper": 445,
    "new-customers": 574,
    "rising": 640,
    "inactive": 1282,
    "regulars-gone-quiet": 255,
    "quiet-by-own-rhythm": 223,
    "seasonal": 1026,
    "fans-BAKING SET 9 PIECE RETROSPOT": 139,
    "fans-WHITE HANGING HEART T-LIGHT HOLDER": 128,
    "fans-SET OF 3 CAKE TINS PANTRY DESIGN": 109,
    "fans-LARGE WHITE HEART OF WICKER": 100,
    "fans-REGENCY CAKESTAND 3 TIER": 90,
    "location-United Kingdom": 3950,
    "location-Germany": 95,
    "location-France": 87,
    "location-Spain": 29,
    "location-Belgium": 24,
    "stage-prospect": 33,
    "stage-new": 574,
    "stage-loyal": 923,
    "stage-active": 842,
    "stage-at-risk": 994,
    "stage-lost": 1006,
}


def test_a_real_year_gives_plausible_patterns_and_suggestions(organization: Organization) -> None:
    with clock.freeze(retail.NOW):
        retail.load()
        _patterns()
        _suggestions()


def _patterns() -> None:
    found = computed()

    assert {key: finding.size for key, finding in found.items()} == PATTERNS
    assert PATTERNS["quiet-by-own-rhythm"] == _silent_for_three_own_gaps()
    fans = {key.removeprefix("fans-"): size for key, size in PATTERNS.items() if key.startswith("fans-")}
    assert fans == {name: _fans(name, found[f"fans-{name}"].evidence["often"]) for name in fans}
    assert sum(size for key, size in PATTERNS.items() if key.startswith("stage-")) == 4372
    assert found["high-spender"].reason == (
        "The best 10 % of the 2,883 people who bought in the last 90 days spent £1,926.40 or more; half of the "
        "buyers spent £500.33 or less. These 289 bring 57 % of the money."
    )
    squares = selectors.report(AnalysisKind.PATTERNS).grid
    assert squares is not None
    assert (squares.days, squares.counts, squares.buyers) == ([13, 33, 69, 171], [1, 2, 3, 5], 4262)
    best = next(cell for cell in grid.squares(squares) if cell.recency == cell.frequency == 5)
    assert best.people == selectors.people(grid.rule(squares, 5, 5)).total == 422
    fans = services.create_draft(found["fans-REGENCY CAKESTAND 3 TIER"])
    fans.refresh_from_db()
    assert (fans.kind, fans.member_count) == ("static", 90)


def _silent_for_three_own_gaps() -> int:
    """Counted once more, person by person."""
    moments: dict[int, list[datetime]] = defaultdict(list)
    for contact_id, happened_at in _rows("SELECT contact_id, happened_at FROM {events} ORDER BY happened_at", []):
        moments[contact_id].append(happened_at)
    gaps = {pk: [b - a for a, b in pairwise(times) if b - a >= timedelta(days=1)] for pk, times in moments.items()}
    return sum(
        len(times) >= 3 and bool(gaps[pk]) and times[-1] + 3 * median_low(gaps[pk]) <= retail.NOW
        for pk, times in moments.items()
    )


def _fans(product: str, often: int) -> int:
    """How many bought it in so many orders of the last year: once more, by looking for the line in each order."""
    holds = "properties -> 'lines' @> jsonb_build_array(jsonb_build_object('name', %s::text))"
    sql = f"SELECT contact_id FROM {{events}} AND {holds} AND happened_at > %s GROUP BY 1 HAVING count(*) >= %s"
    return len(_rows(sql, [product, retail.NOW - timedelta(days=365), often]))


def _rows(sql: str, values: list[Any]) -> list[tuple[Any, ...]]:
    of_orders = "definition_id = (SELECT id FROM audience_eventdefinition WHERE name = 'order_completed')"
    events = f"audience_event WHERE {of_orders}"
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql.format(events=events), values)
        return list(cursor.fetchall())


def _suggestions() -> None:
    found = computed(AnalysisKind.SUGGESTIONS)
    refunded = found["did-2-order_refunded"]
    groups = {finding.title: finding for key, finding in found.items() if key.startswith("group-")}

    # Whoever sends things back is the shop's best customer: so it says.
    assert refunded.size == 223
    assert (refunded.evidence["with"], refunded.evidence["with_converted"]) == (170, 118)
    assert [refunded.evidence[name] for name in ("lift", "low", "high")] == [2.1967, 1.9683, 2.4517]
    assert list(found)[1:3] == ["is-country-Germany", "is-country-France"]
    assert set(groups) == {
        "Long since the last purchase, buy seldom", "Buy often, spend much", "Came lately, buy seldom"
    }  # fmt: skip
    best = groups["Buy often, spend much"]
    assert best.size == pytest.approx(1545, rel=0.1)
    assert best.evidence["precision"] > 0.7 and best.evidence["recall"] > 0.8
    assert best.evidence["low"] > 5
