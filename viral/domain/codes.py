"""Referral codes: a person can read them out, nobody can guess them."""

from __future__ import annotations

import re
import secrets
import unicodedata

# Without 0/O, 1/I/L and U: they are misread, or make words one regrets.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
RANDOM_LENGTH = 8  # 30^8 ≈ 6.6 · 10^11: among a million codes a guess hits once in 650 000 tries
LONGEST_NAME = 10
LONGEST = 40
SHAPE = re.compile(r"[A-Z0-9]+(-[A-Z0-9]+)*")


def make(name: str) -> str:
    """A new code that starts with the first name, if there is one: `ADA-7KQ2M9XF`."""
    first = name.strip().split(" ", 1)[0]
    plain = unicodedata.normalize("NFKD", first).encode("ascii", "ignore").decode().upper()
    readable = re.sub("[^A-Z]", "", plain)[:LONGEST_NAME] or "FRIEND"
    return f"{readable}-{''.join(secrets.choice(ALPHABET) for _ in range(RANDOM_LENGTH))}"


def read(text: object) -> str:
    """A code as people type it or programs send it; "" when it cannot be one."""
    if not isinstance(text, str) or len(text) > LONGEST + 10:
        return ""
    code = text.strip().upper()
    return code if len(code) <= LONGEST and SHAPE.fullmatch(code) else ""
