"""Whom an app means."""

from __future__ import annotations

from django.db import connection

from audience.models import Contact, Identity, IdentityKind
from common import tenancy
from common.errors import Invalid, NotFound
from experiments.models import Reserve
from experiments.services.assigning import RESERVED_UNIT

COUNTED = 100_000  # a hash for each: 0.4 s
RESERVED_SQL = f"""
SELECT count(*) FROM audience_contact AS contact
 WHERE experiments_bucket(%s, {RESERVED_UNIT.format(contact="contact")}) / 10000.0::float8 < %s
   AND contact.organization_id = %s AND contact.merged_into_id IS NULL"""


def find(contact_id: int | None, user_id: str) -> int | None:
    """The living contact under exactly one of these names; None for a user ID that nobody has yet.

    Raises `Invalid` unless one is given, `NotFound` for an unknown contact.
    """
    if (contact_id is None) == (not user_id):
        sentence = "Name the person by contact_id or by user_id."
        raise Invalid(sentence, code="contact_needed", details={"user_id": sentence})
    if contact_id is None:
        contact_id = (
            Identity.objects.filter(kind=IdentityKind.USER_ID, value=user_id)
            .values_list("contact_id", flat=True)
            .first()
        )
        if contact_id is None:
            return None
    row = Contact.objects.filter(pk=contact_id).values_list("pk", "merged_into_id").first()
    if row is None:
        raise NotFound(f"There is no contact {contact_id}.", code="unknown_contact")
    return int(row[1] or row[0])


def reserved_people(reserve: Reserve) -> str:
    """How many living contacts the reserve keeps out: counted, or of many the share of all."""
    living = Contact.objects.filter(merged_into=None)
    if living.order_by()[: COUNTED + 1].count() > COUNTED:
        return f"about {reserve.share:.1%} of all contacts"
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(RESERVED_SQL, [reserve.salt, reserve.share, reserve.organization_id])
        return f"{cursor.fetchone()[0]:,}"
