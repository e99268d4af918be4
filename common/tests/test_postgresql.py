"""The database backend reads moments as Django's own would."""

from datetime import UTC, datetime

import pytest
from django.db import connection

from audience import services as audience
from audience.models import Contact

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
