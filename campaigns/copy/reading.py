"""From a draft to the material of its lines: what stands in headings, texts, products and buttons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2.exceptions import TemplateSyntaxError

from campaigns.copy import material
from campaigns.copy.material import Material
from campaigns.domain.blocks import parse
from campaigns.domain.blocks import snippets as filling
from campaigns.domain.blocks import tree as trees
from campaigns.domain.blocks.tree import Block, walk
from campaigns.services import snippets
from campaigns.services.composing import Draft
from delivery.domain import plaintext

SPOKEN = ("title", "text", "body")  # parts of messages of other channels, what they are about first


def of_mail(draft: Draft) -> Material:
    """What a mail says, from its blocks or its HTML. Blocks that only some readers see are left out."""
    if draft.blocks is None:
        return material.gather(texts=[_text(draft.html) or draft.text], subject=draft.subject)
    tree = parse.parse(draft.blocks).tree
    known = snippets.published(trees.snippets(tree.blocks), draft.locale)
    blocks = [
        each for each in walk(filling.filled(tree, known.blocks)[0].blocks) if not (each.show_when or each.repeat)
    ]
    return material.gather(
        headings=_said(blocks, "heading", "text"),
        texts=[_text(each) for each in _said(blocks, "text", "text")] + _said(blocks, "product", "description"),
        products=_said(blocks, "product", "title"),
        buttons=_said(blocks, "button", "label"),
        subject=draft.subject,
    )


def of_message(fields: Mapping[str, Any]) -> Material:
    """What a message of another channel says."""
    said = [
        str(fields[name])[: material.MOST_TEXT]
        for name in SPOKEN
        if isinstance(fields.get(name), str) and fields[name].strip()
    ]
    lines = [each for text in said for each in material.sentences(text)]
    return material.gather(headings=lines[:1], texts=lines[1:], buttons=[str(fields.get("button") or "")])


def _said(blocks: Sequence[Block], kind: str, name: str) -> list[str]:
    return [str(each.values.get(name) or "") for each in blocks if each.type == kind]


def _text(html: str) -> str:
    """The words of HTML without the addresses of its links; empty when no parser can read it."""
    try:
        derived = plaintext.derived_text(html)
    except (TemplateSyntaxError, ValueError, RecursionError):
        return ""
    return material.ADDRESS.sub("", derived)
