"""E-mail addresses and phone numbers as ad platforms want them before they are hashed. Plain Python.

Every platform hashes with SHA-256 and compares hashes, so one sign of difference means no match: each has its own
way here, with where it is written down.
"""

from __future__ import annotations

import hashlib
import re

NOT_DIGITS = re.compile(r"\D")
SEPARATORS = re.compile(r"[\s().\-/]")
SHORTEST_PHONE, LONGEST_PHONE = 7, 15  # digits of an E.164 number


def sha256(text: str) -> str:
    """Lower-case hex of the SHA-256 of UTF-8; empty for nothing."""
    return hashlib.sha256(text.encode()).hexdigest() if text else ""


def lower_email(address: str) -> str:
    """No white space, lower case: Meta (audiences guide), Google Ads (UserIdentifier), LinkedIn (segment users)."""
    text = "".join(address.split()).lower()
    name, _, domain = text.rpartition("@")
    return text if name and domain else ""


def bare_email(address: str) -> str:
    """TikTok (custom file audiences): lower case, without what follows a plus sign, without dots before the @."""
    name, _, domain = lower_email(address).rpartition("@")
    plain = name.partition("+")[0].replace(".", "")
    return f"{plain}@{domain}" if plain else ""


def e164(phone: str) -> str:
    """`+447700900123`; empty where the country is not known: a guess would be somebody else's number."""
    text = SEPARATORS.sub("", phone)
    if text.startswith("00"):
        text = f"+{text[2:]}"
    digits = text[1:]
    is_number = text.startswith("+") and digits.isascii() and digits.isdigit() and not digits.startswith("0")
    return text if is_number and SHORTEST_PHONE <= len(digits) <= LONGEST_PHONE else ""


def digits(phone: str) -> str:
    """Meta (audiences guide): country code and number, digits only, no leading zeros."""
    return NOT_DIGITS.sub("", e164(phone))
