"""Marking where a visitor comes from."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

SOURCE, MEDIUM = "groundswell", "email"


def with_utm(address: str, marks: Mapping[str, str]) -> str:
    """`address` with those `utm_…` parameters it lacks; what it has stays byte for byte."""
    parts = urlsplit(address)
    present = {name.lower() for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    added = [f"{name}={quote(value)}" for name, value in marks.items() if value and name not in present]
    query = "&".join([*([parts.query] if parts.query else []), *added])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def marked(address: str, campaign: str, medium: str = MEDIUM) -> str:
    """A link of one of our messages; its `utm_campaign` says which one."""
    marks = {"utm_source": SOURCE, "utm_medium": medium, "utm_campaign": campaign} if campaign else {}
    return with_utm(address, marks)


def is_web_address(address: str) -> bool:
    """Whether a redirect may lead there: http or https with a host."""
    try:
        parts = urlsplit(address)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False
