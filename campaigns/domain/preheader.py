"""The line that inboxes show after the subject: put at the top of the HTML, out of sight."""

from __future__ import annotations

import re

JINJA = re.compile(r"(\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\})", re.DOTALL)
BODY = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
STYLE = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all"


def with_preheader(html: str, preheader: str) -> str:
    """`html` with the preheader as its first, hidden text. Placeholders in it stay placeholders."""
    if not preheader.strip():
        return html
    hidden = f'<div style="{STYLE}">{_escape(preheader.strip())}</div>'
    body = BODY.search(html)
    at = body.end() if body else 0
    return html[:at] + hidden + html[at:]


def _escape(text: str) -> str:
    parts = JINJA.split(text)
    return "".join(part if index % 2 else _escape_plain(part) for index, part in enumerate(parts))


def _escape_plain(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
