"""Which segments and templates a workflow's document refers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Reference = int | str


def segments(document: Any) -> set[Reference]:
    """Ids and slugs: of the triggers "entered" and "left", and of conditions on a segment wherever a rule stands.

    A condition is `{"segment": …, "operator": …}`; a key of that name alone, as in a body to be sent, is none.
    """
    return set(_found(document))


def templates(document: Any) -> set[int]:
    """Ids of the templates that its steps send."""
    if isinstance(document, dict):
        own = document.get("template_id")
        found = {own} if isinstance(own, int) else set()
        return found.union(*map(templates, document.values()))
    return set().union(*map(templates, document)) if isinstance(document, list) else set()


def _found(node: Any) -> Iterator[Reference]:
    if isinstance(node, dict):
        if "operator" in node and isinstance(node.get("segment"), int | str):
            yield node["segment"]
        if isinstance(node.get("segment_id"), int | str):
            yield node["segment_id"]
        for child in node.values():
            yield from _found(child)
    elif isinstance(node, list):
        for child in node:
            yield from _found(child)
