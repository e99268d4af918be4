"""Whom an app means."""

from __future__ import annotations

from audience.models import Contact, Identity, IdentityKind
from common.errors import Invalid, NotFound


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
