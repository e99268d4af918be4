"""Contacts by number, where some may have been merged away since somebody noted the number."""

from __future__ import annotations

from collections.abc import Iterable

from audience.models import Contact
from common import tenancy


def hold(contact_ids: Iterable[int]) -> list[int]:
    """Those contacts, and for the merged ones their survivors; each once, in the order given.

    Call inside a transaction: the rows stay locked, so no merge passes by what is written next.
    """
    ids = list(dict.fromkeys(contact_ids))
    survivor_of = held(ids)
    return list(dict.fromkeys(survivor_of.get(pk, pk) for pk in ids))


def held(contact_ids: Iterable[int]) -> dict[int, int]:
    """The same as a table: the contact that stayed for each of these that exists."""
    rows = Contact.objects.filter(organization_id=tenancy.required(), pk__in=list(contact_ids)).order_by("pk")
    found = rows.select_for_update(no_key=True).values_list("pk", "merged_into_id")
    return {pk: survivor or pk for pk, survivor in found}
