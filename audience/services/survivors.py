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
    rows = Contact.objects.filter(organization_id=tenancy.required(), pk__in=ids).order_by("pk")
    survivor_of = dict(rows.select_for_update(no_key=True).values_list("pk", "merged_into_id"))
    return list(dict.fromkeys(survivor_of.get(pk) or pk for pk in ids))
