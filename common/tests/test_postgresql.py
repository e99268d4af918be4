"""The database backend reads moments as Django's own would, and knows when its connection is gone."""

import select
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import connection

from audience import services as audience
from audience.models import Contact
from common import tenancy
from common.postgresql.base import DatabaseWrapper

pytestmark = pytest.mark.django_db

MOMENT = datetime(2026, 3, 29, 1, 30, 0, 123_456, tzinfo=UTC)


@pytest.mark.usefixtures("organization")
@pytest.mark.parametrize("moment", [MOMENT, MOMENT.replace(microsecond=0), datetime(1, 1, 1, tzinfo=UTC)])
def test_moments_come_back_in_utc_through_every_cursor(moment: datetime) -> None:
    contact = audience.create_contact(name="Ada")
    Contact.objects.filter(pk=contact.pk).update(last_seen_at=moment)

    for rows in (Contact.objects.all(), Contact.objects.all().iterator(chunk_size=1)):
        (found,) = (row.last_seen_at for row in rows)
        assert found == moment
        assert found.isoformat() == moment.isoformat()


def test_the_session_speaks_utc() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SHOW TimeZone")
        assert cursor.fetchone() == ("UTC",)
        cursor.execute("SELECT 'infinity'::timestamptz IS NOT NULL, '2026-01-01 12:00+05'::timestamptz")
        assert cursor.fetchone() == (True, datetime(2026, 1, 1, 7, tzinfo=UTC))


@pytest.fixture
def other() -> Iterator[DatabaseWrapper]:
    """A second connection, as another thread would have it."""
    opened = connection.copy()
    opened.ensure_connection()
    yield opened
    opened.close()


def _statements(backend: int) -> str:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [backend])
        return str(cursor.fetchone()[0])


def _backend(other: DatabaseWrapper) -> int:
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid() AS mine")
        return int(cursor.fetchone()[0])


def test_a_quiet_connection_is_trusted_without_a_statement(other: DatabaseWrapper) -> None:
    backend = _backend(other)

    assert other.is_usable()
    assert _statements(backend).endswith("AS mine")


def test_a_connection_that_the_server_gave_up_is_not_usable(other: DatabaseWrapper) -> None:
    backend = _backend(other)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
        assert cursor.fetchone() == (True,)

    assert not other.is_usable()


def test_a_connection_with_a_message_waiting_is_asked(other: DatabaseWrapper) -> None:
    backend = _backend(other)
    with other.cursor() as cursor:
        cursor.execute("LISTEN waiting")
    with connection.copy().cursor() as cursor:
        cursor.execute("NOTIFY waiting")
    select.select([other.connection.fileno()], [], [], 5)

    assert other.is_usable()
    assert _statements(backend) == "SELECT 1"


def test_a_connection_that_was_never_opened_or_is_closed_is_not_usable(other: DatabaseWrapper) -> None:
    assert not connection.copy().is_usable()
    other.connection.close()
    assert not other.is_usable()
