"""How big the mail is."""

from __future__ import annotations

from collections.abc import Iterator

from campaigns.domain.checks.base import Check, Mail

GMAIL_CLIPS_AT = 102 * 1024  # bytes of HTML, measured by many senders; links and pixel of tracking come on top
NEARLY = 85 * 1024


def size(mail: Mail) -> Iterator[Check]:
    """Gmail hides what comes after 102 KB, and with it often the way to unsubscribe."""
    if mail.size < NEARLY:
        return
    parts = mail.compiled.parts
    largest = max(parts, key=lambda part: part.end - part.start, default=None)
    block = largest.block if largest else ""
    told = f"The mail has {mail.size / 1024:,.0f} KB; Gmail cuts mails off at 102 KB."
    fix = "Shorten it; this is its largest block." if block else "Shorten it."
    yield Check("error" if mail.size >= GMAIL_CLIPS_AT else "warning", told, block, fix)
