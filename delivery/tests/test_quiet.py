"""Quiet hours go by the clock on the wall, also on the days it is changed."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from delivery.domain.quiet import Window, fills_the_week, resume_at, zone

ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Asia/Kolkata", "Australia/Lord_Howe",
    "America/St_Johns", "Pacific/Chatham", "Africa/Casablanca", "Asia/Beirut", "America/Havana",
]  # fmt: skip
# Around both changes of the clocks in most of them, and a week without any.
DAYS = [datetime(2026, *day, tzinfo=UTC) for day in ((3, 5), (3, 26), (4, 2), (7, 6), (10, 1), (10, 22))]
MINUTE = timedelta(minutes=1)
clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
windows = st.builds(Window, clocks, clocks, st.frozensets(st.integers(0, 6), max_size=4))


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "where", "start", "end", "expected"),
    [
        ("2026-11-18T12:00+00:00", "Europe/London", "21:00", "08:00", None),
        ("2026-11-18T21:00+00:00", "Europe/London", "21:00", "08:00", "2026-11-19T08:00+00:00"),
        ("2026-11-18T07:59+00:00", "Europe/London", "21:00", "08:00", "2026-11-18T08:00+00:00"),
        ("2026-11-18T08:00+00:00", "Europe/London", "21:00", "08:00", None),
        ("2026-11-18T13:30+00:00", "UTC", "13:00", "14:00", "2026-11-18T14:00+00:00"),
        ("2026-11-18T13:30+00:00", "UTC", "08:00", "08:00", None),
        # The night the clocks go forward in Berlin (29 March 2026) is an hour shorter in UTC.
        ("2026-03-28T21:00+00:00", "Europe/Berlin", "21:00", "08:00", "2026-03-29T06:00+00:00"),
        # The night they go back (25 October 2026) is an hour longer.
        ("2026-10-24T21:00+00:00", "Europe/Berlin", "21:00", "08:00", "2026-10-25T07:00+00:00"),
        # An end that the change skips: 2:30 does not exist, the clock goes from 2:00 to 3:00.
        ("2026-03-29T00:00+00:00", "Europe/Berlin", "21:00", "02:30", "2026-03-29T01:00+00:00"),
        # A zone of 45 minutes, and one whose clocks change by half an hour.
        ("2026-11-18T20:00+00:00", "Asia/Kathmandu", "21:00", "08:00", "2026-11-19T02:15+00:00"),
        ("2026-10-03T12:00+00:00", "Australia/Lord_Howe", "21:00", "08:00", "2026-10-03T21:00+00:00"),
        ("2026-04-04T12:00+00:00", "Australia/Lord_Howe", "21:00", "08:00", "2026-04-04T21:30+00:00"),
        # An end that comes twice: in the second 2:10 the first 2:30 is over.
        ("2026-10-25T00:10+00:00", "Europe/Berlin", "21:00", "02:30", "2026-10-25T00:30+00:00"),
        ("2026-10-25T01:10+00:00", "Europe/Berlin", "21:00", "02:30", "2026-10-25T01:30+00:00"),
    ],
)
def test_quiet_hours_end_at_the_wall_clock(now: str, where: str, start: str, end: str, expected: str | None) -> None:
    place = zone(where)
    assert place is not None

    found = resume_at(at(now), place, [Window(time.fromisoformat(start), time.fromisoformat(end))])

    assert found == (at(expected) if expected else None)


@pytest.mark.parametrize("name", ["", "Nowhere/At_all", "../../etc/passwd", "\x00", "x" * 500])
def test_a_zone_that_is_none_is_none(name: str) -> None:
    assert zone(name) is None


def naive_resume(now: datetime, where: ZoneInfo, rows: list[Window]) -> datetime | None:
    """Look at the wall every minute."""

    def is_quiet(moment: datetime) -> bool:
        wall = moment.astimezone(where)
        for row in rows:
            if row.start == row.end and not row.weekdays:
                continue
            for back in (0, 1):  # windows that begin today, and those that began yesterday
                day = wall.date() - timedelta(days=back)
                if row.weekdays and day.weekday() not in row.weekdays:
                    continue
                over_midnight = row.end <= row.start
                low = row.start if back == 0 else time(0)
                high = row.end if (back == 1 or not over_midnight) else time.max
                if back == 1 and not over_midnight:
                    continue
                if low <= wall.time() < high or (high == time.max and wall.time() >= low):
                    return True
        return False

    if not is_quiet(now):
        return None
    moment = now
    while is_quiet(moment):
        moment += MINUTE
    return moment


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(DAYS), st.integers(0, 6 * 24 * 60 - 1), st.lists(windows, max_size=3))
def test_quiet_ends_when_somebody_who_watches_the_wall_says_so(
    name: str, day: datetime, minutes: int, rows: list[Window]
) -> None:
    if fills_the_week(rows):
        return
    now, where = day + minutes * MINUTE, ZoneInfo(name)

    assert resume_at(now, where, rows) == naive_resume(now, where, rows)


def test_a_quiet_weekend_ends_on_monday() -> None:
    weekend = Window(time(0), time(0), frozenset({5, 6}))
    night = Window(time(21), time(8))

    found = resume_at(at("2026-11-21T12:00+00:00"), ZoneInfo("Europe/Berlin"), [weekend, night])

    assert found == at("2026-11-23T07:00+00:00")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], False),
        ([Window(time(21), time(8))], False),
        ([Window(time(0), time(0), frozenset(range(7)))], True),
        ([Window(time(0), time(0), frozenset(range(6)))], False),
        ([Window(time(8), time(20)), Window(time(20), time(8))], True),
        ([Window(time(8), time(20)), Window(time(20), time(7, 59))], False),
    ],
)
def test_windows_that_leave_no_minute_are_found(rows: list[Window], expected: bool) -> None:
    assert fills_the_week(rows) is expected
