"""The mails of recipes as the blocks of the e-mail editor, all in one quiet shape."""

from __future__ import annotations

from typing import Any

from automations.recipes import Mail

INK, ACCENT, GROUND, QUIET = "#22312e", "#0f5f57", "#eef3f2", "#4d5f5b"
MOST_LINES = 10
Block = dict[str, Any]


def values(mail: Mail, slug: str) -> dict[str, Any]:
    """What `campaigns.services.create_template` takes."""
    return {
        "name": mail.name,
        "slug": slug,
        "kind": mail.kind,
        "subject": mail.subject,
        "preheader": mail.preheader,
        "defaults": {"name": "there"},
        "blocks": {"settings": SETTINGS, "blocks": _blocks(mail)},
    }


SETTINGS = {"background": GROUND, "surface": "#ffffff", "text_color": INK, "link_color": ACCENT, "font": "sans"}


def _blocks(mail: Mail) -> list[Block]:
    blocks: list[Block] = [
        {
            "id": "brand",
            "type": "text",
            "text": "<p><strong>{{ organization.name }}</strong></p>",
            "align": "center",
            "padding": 22,
            "background": GROUND,
        },
        {"id": "headline", "type": "heading", "text": mail.headline, "level": "1", "padding": 30},
        *_paragraphs("words", mail.paragraphs),
    ]
    if mail.lines:
        blocks.append(
            {
                "id": "lines",
                "type": "text",
                "text": mail.lines,
                "size": 17,
                "padding": 6,
                "repeat": {"over": "event.lines", "as": "line", "most": MOST_LINES},
            }
        )
    if mail.button is not None:
        blocks.append(
            {
                "id": "button",
                "type": "button",
                "label": mail.button.label,
                "href": mail.button.href,
                "fill": ACCENT,
                "corner": 8,
                "padding": 24,
            }
        )
    return [
        *blocks,
        *_paragraphs("after", mail.after),
        {"id": "end", "type": "divider", "color": "#dbe6e3"},
        _footer(mail),
    ]


def _paragraphs(name: str, texts: list[str]) -> list[Block]:
    if not texts:
        return []
    return [
        {"id": name, "type": "text", "text": "".join(f"<p>{text}</p>" for text in texts), "size": 16, "padding": 8}
    ]


def _footer(mail: Mail) -> Block:
    footer = {
        "id": "footer",
        "type": "footer",
        "address": "{{ organization.name }}",
        "note": mail.note,
        "padding": 24,
        "color": QUIET,
    }
    # What people asked for themselves cannot be unsubscribed from.
    return footer | ({"unsubscribe": ""} if mail.kind == "transactional" else {})
