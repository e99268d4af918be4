"""Cycles over a real shop's year: every count and every person as plain Python finds them in the raw file."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from accounts.models import Organization
from benchmarks import retail
from campaigns.auto import cycles, presets
from campaigns.models import AutoFinding, AutoPreset, Target
from common import clock, tenancy

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not retail.FILE.exists(), reason=f"There is no {retail.FILE.name} beside this checkout."),
]
NIGHTS = [
    datetime(2011, 3, 1, 2, tzinfo=UTC),
    datetime(2011, 6, 15, 2, tzinfo=UTC),
    datetime(2011, 12, 1, 2, tzinfo=UTC),
]


def test_every_cycle_finds_exactly_whom_the_raw_file_says(organization: Organization) -> None:
    Organization.objects.update(currency=retail.CURRENCY)
    history = retail.orders(keep=20)
    retail.load(history)
    presets.presets()
    AutoPreset.objects.update(least_people=1)

    for night in NIGHTS:
        with clock.freeze(night):
            cycle = cycles.request()
            assert cycles.work(tenancy.required()) == 1
        kept = {row.preset.kind: row for row in AutoFinding.objects.filter(cycle=cycle).select_related("preset")}
        wanted = retail.expected(history, night)
        assert {kind: row.found_count for kind, row in kept.items()} == {
            kind: len(who) for kind, who in wanted.items()
        }
        made = {kind: row.campaign for kind, row in kept.items() if row.campaign is not None}
        assert 3 <= len(made) <= 7
        for kind, campaign in made.items():
            people = Target.objects.filter(campaign=campaign).values_list("contact__user_id", "favourite")
            assert {who for who, _ in people} == wanted[kind]
            if kind == "category_focus":
                assert dict(people) == retail.favourites(history, night)
