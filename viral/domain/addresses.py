"""When two addresses reach the same person."""

from __future__ import annotations

import re

DOTLESS = {"gmail.com": "gmail.com", "googlemail.com": "gmail.com"}


def email_key(address: str) -> str:
    """Under which an e-mail address is compared: case, `+tags` and, at Gmail, dots do not count; "" for none.

    Gmail: https://support.google.com/mail/answer/7436150 (dots don't matter in Gmail addresses).
    """
    local, at, domain = address.strip().lower().rpartition("@")
    if not at or not local or not domain:
        return ""
    domain = domain.rstrip(".")
    local = local.split("+", 1)[0]
    if domain in DOTLESS:
        local, domain = local.replace(".", ""), DOTLESS[domain]
    return f"{local}@{domain}" if local else ""


def phone_key(number: str) -> str:
    """Under which a phone number is compared: its last nine digits, so that +44 7… and 07… are one; "" when short."""
    digits = re.sub(r"\D", "", number)
    return digits[-9:] if len(digits) >= 9 else ""
