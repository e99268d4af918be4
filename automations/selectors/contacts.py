"""Contacts as callers name them."""

from __future__ import annotations

from collections.abc import Sequence

from audience.models import Identity, IdentityKind
from common.errors import Invalid

MOST_NAMED = 20


def contact_ids(user_ids: Sequence[str]) -> list[int]:
    """The contacts with these ids of the client's own. Raises `Invalid` naming those we do not know."""
    rows = Identity.objects.filter(kind=IdentityKind.USER_ID, value__in=set(user_ids))
    found = dict(rows.values_list("value", "contact_id"))
    missing = [user_id for user_id in dict.fromkeys(user_ids) if user_id not in found]
    if missing:
        named = ", ".join(missing[:MOST_NAMED])
        raise Invalid("Some contacts do not exist.", details={"user_ids": f"there is no contact {named}"})
    return [found[user_id] for user_id in user_ids]
