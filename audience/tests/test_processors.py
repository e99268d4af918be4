"""Two processors at once, and the partitions that they write into."""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from audience import services
from audience.models import (
    Contact,
    Event,
    IngestBatch,
)
from audience.services import partitions
from audience.services.process import work
from audience.tests.helpers import segment, track
from common import clock, tenancy

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_two_processors_at_once_lose_and_double_nothing(write_key: str, organization: Any) -> None:
    for number in range(30):
        segment(
            write_key, *(track(f"E{index}", messageId=f"{number}-{index}", userId=f"u{index}") for index in range(5))
        )
        segment(write_key, track("E0", messageId=f"{number}-0", userId="u0"))
    errors: list[BaseException] = []

    def work_through() -> None:
        try:
            for _ in range(20):
                services.process(organization.pk)
        except BaseException as error:  # noqa: BLE001 — shown by the assertion below
            errors.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=work_through) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert errors == []
    assert Event.objects.count() == 150
    assert Contact.objects.count() == 5
    assert set(IngestBatch.objects.values_list("status", flat=True)) == {"done"}


@pytest.mark.django_db(transaction=True)
def test_a_second_processor_steps_aside(write_key: str, organization: Any) -> None:
    segment(write_key, track())
    answers: list[int] = []

    def other() -> None:
        answers.append(services.process(organization.pk))
        connection.close()

    with tenancy.engine(), transaction.atomic():
        assert work._processor_lock()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    assert answers == [0]
    assert services.process(organization.pk) == 1


def test_partitions_are_months_and_before_2020_years() -> None:
    assert partitions.name_and_range(datetime(2026, 12, 31, 23, tzinfo=UTC))[0] == "audience_event_2026_12"
    assert str(partitions.name_and_range(datetime(2026, 12, 31, 23, tzinfo=UTC))[2]) == "2027-01-01"
    assert partitions.name_and_range(datetime(2009, 5, 1, tzinfo=UTC))[0] == "audience_event_2009"


def test_months_are_made_ahead_under_row_security(db: None) -> None:
    with clock.freeze(datetime(2030, 11, 15, tzinfo=UTC)):
        partitions.ensure_ahead()
        partitions.ensure_ahead()

    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.relname, c.relrowsecurity FROM pg_class c
                WHERE c.relname LIKE 'audience_event_203%%' AND c.relkind = 'r' ORDER BY 1"""
        )
        rows = cursor.fetchall()
    assert rows == [(f"audience_event_{month}", True) for month in ("2030_11", "2030_12", "2031_01", "2031_02")]


def test_applied_requests_are_thrown_away_after_a_week(send: Any) -> None:
    send(track())

    assert services.purge() == 0
    with clock.travel(timedelta(days=8)):
        assert services.purge() == 1
    assert Event.objects.count() == 1
