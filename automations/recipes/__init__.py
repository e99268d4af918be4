"""Ready workflows with their mails and segments: one JSON document each, in the order in which they are offered.

A text that is `$name` stands for the answer of that name, for a mail (`$mail.key`) or for a segment (`$segment.key`)
that was made; `${name}` within a text is the answer as text. To add one: its file here, its name in `ORDER`, and a
flow in tests/flows/test_recipes.py that plays a person through it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

ORDER = (
    "lead-qualification",
    "priority-assignment",
    "follow-up-escalation",
    "nurture",
    "onboarding",
    "cart-recovery",
    "cross-sell",
    "milestone-celebration",
    "churn-prevention",
    "super-connector-invite",
)
HERE = Path(__file__).parent
INSIDE = re.compile(r"\$\{(\w+)\}")


class Need(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Something that only the organisation knows; without a default it must be answered."""

    name: str
    type: Literal["members", "member", "event", "url", "integer"]
    label: str
    help: str = ""
    default: str | int | None = None
    minimum: int = 1
    maximum: int = 1_000_000


class Button(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    label: str
    href: str


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A mail by what it says; `lines` is repeated for each line of the event that started the workflow."""

    key: str
    name: str
    subject: str
    preheader: str
    headline: str
    paragraphs: list[str]
    note: str
    kind: Literal["marketing", "transactional"] = "marketing"
    slug: str = ""
    lines: str = ""
    button: Button | None = None
    after: list[str] = []


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A segment."""

    key: str
    slug: str
    name: str
    description: str
    rule: dict[str, Any]


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A workflow in the API's words, and what it needs and makes."""

    name: str
    sentence: str
    needs: list[Need]
    outline: list[str]
    automation: dict[str, Any]
    mails: list[Mail] = []
    segments: list[Group] = []
    predictions: list[dict[str, Any]] = []
    key: str = ""

    @property
    def slug(self) -> str:
        """Of the workflow that it makes."""
        return str(self.automation.get("slug") or f"recipe-{self.key}")

    def mail_slug(self, mail: Mail) -> str:
        """Of a template that it makes."""
        return mail.slug or f"recipe-{self.key}-{mail.key}"

    @property
    def defaults(self) -> dict[str, Any]:
        """The answers that need not be given."""
        return {need.name: need.default for need in self.needs if need.default is not None}


@cache
def offered() -> tuple[Recipe, ...]:
    """Every recipe."""
    return tuple(
        msgspec.convert(json.loads((HERE / f"{key}.json").read_text("utf-8")) | {"key": key}, Recipe) for key in ORDER
    )


def find(key: str) -> Recipe | None:
    """The recipe of this name."""
    return next((recipe for recipe in offered() if recipe.key == key), None)


def filled(recipe: Recipe, known: Mapping[str, Any]) -> Recipe:
    """The recipe with what is known in the place of its names; other names stay as they are."""
    return msgspec.convert(fill(msgspec.to_builtins(recipe), known), Recipe)


def fill(node: Any, known: Mapping[str, Any]) -> Any:
    """Any JSON with `$name` and `${name}` replaced, as far as they are known."""
    if isinstance(node, dict):
        return {key: fill(value, known) for key, value in node.items()}
    if isinstance(node, list):
        return [fill(item, known) for item in node]
    if not isinstance(node, str):
        return node
    if node.startswith("$") and node[1:] in known:
        return known[node[1:]]
    return INSIDE.sub(lambda found: str(known.get(found[1], found[0])), node)
