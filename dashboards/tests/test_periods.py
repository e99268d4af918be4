from datetime import UTC, date, datetime

import pytest

from accounts.models import Organization
from common import clock
from dashboards import periods

LONDON = Organization(name="Acme", timezone="Europe/London")
# The clocks go back on 25 October 2026.
NOW = datetime(2026, 11, 21, 23, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _frozen():
    with clock.freeze(NOW):
        yield


def test_thirty_days_end_with_today_and_keep_local_midnights_over_a_clock_change() -> None:
    picked = periods.read({"period": "30d"}, LONDON)

    assert (picked.first_day, picked.last_day) == (date(2026, 10, 23), date(2026, 11, 21))
    assert picked.span.starts_at.astimezone(UTC) == datetime(2026, 10, 22, 23, tzinfo=UTC)
    assert picked.span.ends_at.astimezone(UTC) == datetime(2026, 11, 22, tzinfo=UTC)


def test_today_is_the_organisations() -> None:
    tokyo = Organization(name="Acme", timezone="Asia/Tokyo")

    assert periods.read({"period": "7d"}, tokyo).last_day == date(2026, 11, 22)


def test_chosen_days_stand_in_the_address() -> None:
    picked = periods.read({"from": "2026-10-01", "to": "2026-10-31"}, LONDON)

    assert (picked.name, picked.query) == ("custom", "from=2026-10-01&to=2026-10-31")


@pytest.mark.parametrize(
    "words",
    [
        {"from": "2026-10-31", "to": "2026-10-01"},
        {"from": "tomorrow", "to": "2026-10-01"},
        {"from": "0001-01-01", "to": "9999-12-31"},
        {"period": "'; DROP TABLE"},
        {},
    ],
)
def test_nonsense_means_the_default(words: dict[str, str]) -> None:
    assert periods.read(words, LONDON).name == "30d"


def test_months_follow_each_other_without_a_gap() -> None:
    found = periods.months(LONDON, 14)

    assert [month.ends_at for month in found[:-1]] == [month.starts_at for month in found[1:]]
    assert found[-1].starts_at.date() == date(2026, 11, 1)
    assert found[0].starts_at.date() == date(2025, 10, 1)


def test_last_month_is_compared_as_far_as_this_one_came() -> None:
    before = periods.so_far_last_month(LONDON)

    assert before.starts_at.date() == date(2026, 10, 1)
    assert before.ends_at - before.starts_at == NOW - datetime(2026, 11, 1, tzinfo=UTC)
