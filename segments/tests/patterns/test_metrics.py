"""What the members of segments bought, counted with the patterns and shown by the API."""

from __future__ import annotations

from typing import Any

import pytest

from segments.models import Membership, Segment
from segments.tests.patterns.shop import buy, computed, people, shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_noon")]


def test_segments_show_what_their_members_bought(api: Any) -> None:
    shop()
    first, second, third = people(3)
    buy([(first, 1, 10.5), (first, 2, 20), (second, 3, 4), (second, 91, 500), (third, 4, 1000)])
    both = Segment.objects.create(name="Both", slug="both", kind="static", status="ready", member_count=2)
    Segment.objects.create(name="Nobody", slug="nobody", kind="static", status="ready")
    Membership.objects.bulk_create(Membership(segment=both, contact=who) for who in (first, second))
    assert api.get("/api/v1/segments/both/").json()["metrics"] is None

    computed()

    rows = {row["slug"]: row["metrics"] for row in api.get("/api/v1/segments").json()["results"]}
    counted = {"currency": "GBP", "window_days": 90, "counted_at": "2026-06-15T12:00:00Z"}
    assert rows["both"] == counted | {
        "buyer_count": 2, "transaction_count": 3, "spent_minor": 3_450, "average_order_minor": 1_150,
        "spent_per_member_minor": 1_725,
    }  # fmt: skip
    assert rows["nobody"] == counted | {
        "buyer_count": 0, "transaction_count": 0, "spent_minor": 0, "average_order_minor": None,
        "spent_per_member_minor": None,
    }  # fmt: skip
