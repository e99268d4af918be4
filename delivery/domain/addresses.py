"""Which texts are mail addresses that can go into an envelope and a header."""

from __future__ import annotations

import re

# Stricter than RFC 5321: no quoted local parts, no comments, nothing that means something in a header.
LOCAL = r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f]{1,64}"
DOMAIN = r"[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f.]+(?:\.[^\s@<>()\[\],;:\\\"\x00-\x1f\x7f.]+)+"
ADDRESS = re.compile(f"({LOCAL})@({DOMAIN})")
LONGEST = 254


def normal(text: str) -> str | None:
    """The address as it goes over the wire (its domain in ASCII), or None when it is not one."""
    match = ADDRESS.fullmatch(text.strip())
    if match is None or len(text) > LONGEST:
        return None
    local, domain = match.groups()
    if domain.isascii():
        return f"{local}@{domain}"
    try:
        return f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
