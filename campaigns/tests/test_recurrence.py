"""The dates of a recurring campaign, as pure functions, and how they come in."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from campaigns import services
from campaigns.domain import recurrence
from campaigns.models import Campaign
from campaigns.tests import making
from common.errors import Invalid

LONDON = ZoneInfo("Europe/London")
FIRST = date(2026, 3, 2)  # a Monday


def _starts(again: recurrence.Recurrence, count: int, moment: datetime, home: ZoneInfo = LONDON) -> list[str]:
    found = []
    for _ in range(count):
        moment = again.after(moment, FIRST, home)
        found.append(f"{moment:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("data", "expected", "sentence"),
    [
        (
            {"every": "day", "interval": 2, "time": "09:00"},
            ["03-02 09:00", "03-04 09:00", "03-06 09:00"],
            "Every 2 days at 09:00.",
        ),
        (
            {"every": "week", "interval": 2, "weekdays": [4, 1], "time": "09:00"},
            ["03-02 09:00", "03-05 09:00", "03-16 09:00", "03-19 09:00"],
            "Every 2 weeks on Monday and Thursday at 09:00.",
        ),
        (
            {"every": "month", "month_day": 31, "time": "18:30", "most_runs": 3},
            ["03-31 17:30", "04-30 17:30", "05-31 17:30"],  # British Summer Time
            "Every month on the last day at 18:30, 3 times.",
        ),
    ],
)
def test_sends_fall_on_the_dates_counted_from_the_first(
    data: dict[str, Any], expected: list[str], sentence: str
) -> None:
    again = recurrence.parse(data)

    assert _starts(again, len(expected), datetime(2026, 3, 1, tzinfo=UTC)) == expected
    assert again.sentence() == sentence
    assert recurrence.parse(again.as_json()) == again


def test_the_clock_on_the_wall_decides_when_summer_begins_and_ends() -> None:
    daily = recurrence.parse({"every": "day", "time": "01:30"})

    # 29 March 2026: 01:00 becomes 02:00, 01:30 does not exist and is taken when the clock has jumped, 02:30 BST.
    assert _starts(daily, 3, datetime(2026, 3, 28, 12, tzinfo=UTC)) == ["03-29 01:30", "03-30 00:30", "03-31 00:30"]
    # 25 October 2026: 01:30 comes twice and counts once, the first time.
    assert _starts(daily, 2, datetime(2026, 10, 24, 12, tzinfo=UTC)) == ["10-25 00:30", "10-26 01:30"]


def test_by_contacts_own_clocks_a_day_begins_where_it_begins_on_earth() -> None:
    daily = recurrence.parse({"every": "day", "time": "09:00", "zone": "contact"})

    begins_at = daily.after(datetime(2026, 3, 4, 0, tzinfo=UTC), FIRST, LONDON)

    assert begins_at == datetime(2026, 3, 4, 19, tzinfo=UTC)  # 09:00 of the 5th on Kiritimati
    assert daily.day_of(begins_at, LONDON) == date(2026, 3, 5)


@given(
    st.sampled_from(recurrence.EVERY),
    st.integers(1, 12),
    st.sets(st.integers(1, 7), min_size=1),
    st.integers(1, 31),
    st.times().map(lambda at: at.replace(second=0, microsecond=0)),
    st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "UTC"]),
)
def test_each_beginning_is_later_and_none_is_left_out(
    every: str, interval: int, weekdays: set[int], month_day: int, at: time, zone: str
) -> None:
    again = recurrence.Recurrence(every, interval, at, "organization", tuple(sorted(weekdays)), month_day)
    home = ZoneInfo(zone)
    moments = [datetime(2026, 3, 1, tzinfo=UTC)]
    for _ in range(4):
        moments.append(again.after(moments[-1], FIRST, home))

    assert all(earlier < later for earlier, later in pairwise(moments))
    assert all(again.has(again.day_of(moment, home), FIRST) for moment in moments[1:])


@pytest.mark.parametrize(
    ("data", "places"),
    [
        ("weekly", {"recurrence"}),
        ({"every": "year", "time": "09:00"}, {"recurrence.every"}),
        ({"every": "day"}, {"recurrence.time"}),
        ({"every": "day", "time": "09:00:30"}, {"recurrence.time"}),
        ({"every": "day", "time": "25:00", "interval": 0}, {"recurrence.time", "recurrence.interval"}),
        ({"every": "week", "time": "09:00"}, {"recurrence.weekdays"}),
        ({"every": "week", "weekdays": [True, 8], "time": "09:00"}, {"recurrence.weekdays"}),
        ({"every": "month", "month_day": 32, "time": "09:00"}, {"recurrence.month_day"}),
        ({"every": "day", "time": "09:00", "zone": "mars", "cron": "* *"}, {"recurrence.zone", "recurrence.cron"}),
    ],
)
@pytest.mark.django_db
@pytest.mark.usefixtures("organization")
def test_what_cannot_be_read_is_refused_by_its_place_and_writes_nothing(data: Any, places: set[str]) -> None:
    with pytest.raises(Invalid) as refusal:
        services.create_campaign({"name": "Weekly", "timing": "recurring", "recurrence": data})

    assert set(refusal.value.details) == places
    assert not Campaign.objects.exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("organization")
def test_the_api_takes_and_shows_timing_repetition_and_costs(owner_api: Any) -> None:
    segment = making.segment()
    answer = owner_api.post(
        "/api/v1/campaigns/",
        {
            "name": "Weekly",
            "timing": "recurring",
            "recurrence": {"every": "week", "weekdays": [5, 1], "time": "09:00", "zone": "contact"},
            "message_cost_minor": "0.04",
            "budget_minor": 5000,
            "audience": {"include": [segment.pk]},
        },
        format="json",
    )

    assert answer.status_code == 201, answer.json()
    stored = Campaign.objects.get()
    assert (stored.timing, stored.message_cost_minor, stored.budget_minor) == ("recurring", Decimal("0.04"), 5000)
    shown = answer.json()
    assert shown["recurrence"] == {
        "version": 1,
        "every": "week",
        "interval": 1,
        "weekdays": [1, 5],
        "month_day": 1,
        "time": "09:00",
        "zone": "contact",
        "most_runs": None,
    }
    again = owner_api.put(f"/api/v1/campaigns/{stored.pk}/", shown, format="json")
    assert again.status_code == 200, again.json()
