"""What a message of each channel consists of: one visible table, read by forms, checks, previews and the API.

E-mail has its own words (subject, preheader, HTML, text) and is not in here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

INBOX, BANNER, MODAL = "inbox", "banner", "modal"


@dataclass(frozen=True)
class Part:
    """One thing that a message says. Lines and addresses are templates; so is every text inside a JSON value."""

    name: str
    label: str
    type: Literal["line", "lines", "url", "choice", "number", "json"]
    is_required: bool = False
    longest: int = 300
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    default: Any = ""


@dataclass(frozen=True)
class Channel:
    """`is_for_contacts`: whether the contact reads it. Slack and webhooks tell colleagues and systems."""

    name: str
    label: str
    parts: tuple[Part, ...]
    is_for_contacts: bool = True

    def part(self, name: str) -> Part | None:
        return next((part for part in self.parts if part.name == name), None)


_TITLE = Part("title", "Title", "line", True, 150)
_URL = Part("url", "Opens", "url", longest=2000, help="Where a tap leads: https://… or an address of your app.")
_IMAGE = Part("image", "Picture", "url", longest=2000, help="https://…")

CHANNELS: dict[str, Channel] = {
    channel.name: channel
    for channel in (
        Channel(
            "sms",
            "SMS",
            (
                Part(
                    "text",
                    "Text",
                    "lines",
                    True,
                    1600,
                    "160 characters fit into one SMS, 70 when one of them is not in the GSM alphabet.",
                ),
            ),
        ),
        Channel(
            "whatsapp",
            "WhatsApp",
            (
                Part(
                    "text",
                    "Text",
                    "lines",
                    False,
                    4096,
                    "Only within 24 hours of the contact's own message; or a template.",
                ),
                Part("template_id", "Approved template", "line", False, 100, "Its id at the provider, such as HX…"),
                Part(
                    "template_variables",
                    "Values of the template",
                    "json",
                    False,
                    4000,
                    '{"1": "{{ contact.first_name }}"}',
                ),
            ),
        ),
        Channel(
            "push",
            "Push",
            (
                _TITLE,
                Part("body", "Text", "lines", True, 1000, "Phones show about 150 characters."),
                _URL,
                Part("icon", "Icon", "url", longest=2000, help="https://… For browsers; an app shows its own."),
                _IMAGE,
            ),
        ),
        Channel(
            "in_app",
            "In-app",
            (
                Part(
                    "placement",
                    "Shown as",
                    "choice",
                    True,
                    choices=((INBOX, "Inbox entry"), (BANNER, "Banner"), (MODAL, "Modal")),
                    default=INBOX,
                ),
                _TITLE,
                Part("body", "Text", "lines", False, 4000),
                Part("button", "Button", "line", False, 60),
                _URL,
                _IMAGE,
                Part("days", "Gone after days", "number", False, 3, "Empty: it stays until it is dismissed."),
            ),
        ),
        Channel(
            "slack",
            "Slack",
            (
                Part(
                    "text", "Text", "lines", True, 4000, "Slack's own marks work: *bold*, _italic_, <https://…|link>."
                ),
            ),
            is_for_contacts=False,
        ),
        Channel(
            "webhook",
            "Webhook",
            (
                Part("type", "Type", "line", True, 100, "What happened, such as contact.became_vip."),
                Part("data", "Data", "json", True, 20_000, '{"email": "{{ contact.email }}"}'),
            ),
            is_for_contacts=False,
        ),
    )
}


def summary(fields: Mapping[str, Any]) -> str:
    """What lists show of a message: its title, or the beginning of its text."""
    words = fields.get("title") or fields.get("text") or fields.get("type") or fields.get("template_id") or ""
    return " ".join(str(words).split())[:300]
