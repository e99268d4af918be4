"""Many rows like one that is there, written by the database itself."""

from __future__ import annotations

from typing import Any

PEOPLE_SQL = """
INSERT INTO audience_contact SELECT (jsonb_populate_record(one, jsonb_build_object(
       'id', nextval('audience_contact_id_seq'), 'email', ''))).*
  FROM audience_contact AS one, generate_series(1, %(count)s) WHERE one.id = %(like)s
"""


def contact() -> int:
    """Somebody in Great Britain; returns their number."""
    from audience.models import Contact

    return int(Contact.objects.create(name="Somebody", country="GB").pk)


def people(count: int, *, like: int) -> None:
    """So many more contacts of the same fields, without an address."""
    execute(PEOPLE_SQL, count=count, like=like)


def execute(statement: str, **values: Any) -> None:
    """Run as the tables' owner."""
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, values)
