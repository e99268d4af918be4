"""Contacts as callers name them."""

from __future__ import annotations

from collections.abc import Sequence

from audience.models import Contact, Identity, IdentityKind
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


def named(text: str) -> list[int]:
    """The contacts that people wrote down: by e-mail, our number or the client's own id, one a line or with commas.

    Raises `Invalid` naming those we do not know.
    """
    words = list(dict.fromkeys(word.strip() for word in text.replace("\n", ",").split(",") if word.strip()))
    spelled = [*words, *(word.lower() for word in words)]
    numbers = [int(word) for word in words if word.isascii() and word.isdigit() and len(word) < 19]
    living = Contact.objects.filter(merged_into=None)
    identities = Identity.objects.filter(kind__in=[IdentityKind.EMAIL, IdentityKind.USER_ID], value__in=spelled)
    known: dict[str, int] = dict(identities.values_list("value", "contact_id"))
    known |= dict(living.filter(email__in=[word for word in spelled if "@" in word]).values_list("email", "pk"))
    known |= {str(pk): pk for pk in living.filter(pk__in=numbers).values_list("pk", flat=True)}
    found = {word: known.get(word) or known.get(word.lower()) for word in words}
    missing = [word for word, contact_id in found.items() if contact_id is None]
    if missing:
        unknown = ", ".join(missing[:MOST_NAMED])
        raise Invalid("Some contacts do not exist.", details={"contacts": f"there is no contact {unknown}"})
    return list(dict.fromkeys(contact_id for contact_id in found.values() if contact_id is not None))
