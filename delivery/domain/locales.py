"""Which wording a contact gets: the nearest to the language that is known of them."""

from __future__ import annotations

import re
from collections.abc import Collection

LOCALE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")


def normal(locale: str) -> str:
    """`de_AT.UTF-8` → `de-at`."""
    return locale.strip().split(".")[0].replace("_", "-").lower()


def chosen(available: Collection[str], wanted: str) -> str:
    """The one of `available` that suits best (de-AT → de-AT, else de), or empty for the content's own words."""
    known = {normal(each): each for each in available}
    parts = normal(wanted).split("-")
    for length in range(len(parts), 0, -1):
        found = known.get("-".join(parts[:length]))
        if found is not None:
            return found
    return ""
