"""Phone numbers as networks take them: E.164, a plus sign and up to fifteen digits."""

from __future__ import annotations

import re
from functools import lru_cache

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def tidied(text: str, country: str = "") -> str:
    """The number in E.164 when it can be one, else the text as somebody typed it."""
    text = text.strip()
    return text if E164.fullmatch(text) else normal(text, country) or text


@lru_cache(maxsize=4096)
def normal(text: str, country: str = "") -> str | None:
    """The number in E.164, or None when it cannot be one. `country` (ISO 3166, two letters) is where a number
    without its country code belongs."""
    region = country.upper() if len(country) == 2 and country.isalpha() else None
    try:
        number = phonenumbers.parse(text, region)
    except NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, PhoneNumberFormat.E164)
