"""Numbers and moments read as columns."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from common import columns
from common.moments import moment

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.django_db
def test_rows_come_as_columns_whatever_their_number_and_sign() -> None:
    long_ago = datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    rows = [(number - 1_500, NOON + timedelta(microseconds=number)) for number in range(3_000)] + [(7, long_ago)]
    values = {"numbers": [number for number, _ in rows], "moments": [at for _, at in rows]}

    with connection.cursor() as cursor:
        statement = "SELECT * FROM unnest(%(numbers)s::bigint[], %(moments)s::timestamptz[])"
        found = columns.read(cursor, statement, values, number=columns.NUMBER, at=columns.MOMENT)

    assert sorted((number, moment(at)) for number, at in found.T.tolist()) == sorted(rows)


@pytest.mark.django_db
def test_nothing_found_is_columns_of_no_length() -> None:
    with connection.cursor() as cursor:
        found = columns.read(cursor, "SELECT 1::bigint WHERE false", {}, number=columns.NUMBER)

    assert found.shape == (1, 0)
