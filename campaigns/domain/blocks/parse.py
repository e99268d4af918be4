"""From what a browser or a program sent to a tree of blocks, with the path of each problem. Nothing is trusted."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from campaigns.domain.blocks import conditions, inputs
from campaigns.domain.blocks.tree import (
    MOST_BLOCKS,
    MOST_BYTES,
    MOST_COLUMNS,
    Block,
    Column,
    Reading,
    Settings,
    Tree,
)
from campaigns.domain.blocks.types import BLOCKS, SETTINGS

ID = re.compile(r"[a-zA-Z0-9_-]{1,40}")
COMMON = frozenset({"id", "type", "show_when", "repeat"})


def parse(raw: Any) -> Reading:
    """The tree as far as it can be read, and what is wrong with it by path (`blocks[2].columns[0].width`)."""
    problems: dict[str, str] = {}
    empty = Tree(Settings(), ())
    if not isinstance(raw, dict):
        return Reading(empty, {"blocks": "A mail is an object with settings and blocks."})
    if too_big := size_problem(raw):
        return Reading(empty, {"blocks": too_big})
    for name in sorted(map(str, raw.keys() - {"settings", "blocks"})):
        problems[name] = "There is no such field; a mail has blocks, settings."
    settings = _settings(raw.get("settings"), problems)
    reader = _Reader(problems)
    tree = Tree(settings, reader.read_list(raw.get("blocks"), "blocks", is_inner=False))
    return Reading(tree, problems)


def size_problem(raw: Any) -> str:
    """A sentence when the JSON is larger than any mail, or cannot be kept at all; else nothing."""
    try:
        size = len(msgspec.json.encode(raw))
    except (RecursionError, TypeError, ValueError, UnicodeEncodeError):
        return "This cannot be kept: it nests too deep or holds characters that are none."
    if size > MOST_BYTES:
        return f"The mail has {size:,} bytes; at most {MOST_BYTES:,} are kept."
    return ""


def _settings(raw: Any, problems: dict[str, str]) -> Settings:
    if raw is None:
        return Settings()
    if not isinstance(raw, dict):
        problems["settings"] = "Settings are an object."
        return Settings()
    known = {each.name for each in SETTINGS}
    for name in sorted(map(str, raw.keys() - known)):
        problems[f"settings.{name}"] = f"There is no such field; known are {', '.join(sorted(known))}."
    return Settings(**inputs.read_all(SETTINGS, raw, "settings", problems))


class _Reader:
    """Reads one tree; knows the ids that are taken and how many blocks there were."""

    def __init__(self, problems: dict[str, str]) -> None:
        self._problems = problems
        self._ids: set[str] = set()
        self._count = 0

    def read_list(self, raw: Any, path: str, *, is_inner: bool) -> tuple[Block, ...]:
        if raw is None:
            return ()
        if not isinstance(raw, list):
            self._problems[path] = "Blocks are a list."
            return ()
        found = []
        for index, item in enumerate(raw):
            self._count += 1
            if self._count > MOST_BLOCKS:
                self._problems[path] = f"A mail has at most {MOST_BLOCKS} blocks."
                break
            block = self._block(item, f"{path}[{index}]", is_inner=is_inner)
            if block is not None:
                found.append(block)
        return tuple(found)

    def _block(self, raw: Any, path: str, *, is_inner: bool) -> Block | None:
        kind = raw.get("type") if isinstance(raw, dict) else None
        if not isinstance(kind, str) or kind not in BLOCKS:
            self._problems[f"{path}.type"] = f"A block has a type: {', '.join(BLOCKS)}."
            return None
        known = BLOCKS[kind]
        if known.holds_columns and is_inner:
            self._problems[path] = "Columns cannot stand in a column; mail programs would not show them."
            return None
        names = {each.name for each in known.inputs} | COMMON | ({"columns"} if known.holds_columns else set())
        for name in sorted(map(str, raw.keys() - names)):
            self._problems[f"{path}.{name}"] = f"There is no such field; {known.label.lower()} has {_listed(names)}."
        values = inputs.read_all(known.inputs, raw, path, self._problems)
        if kind == "imported" and bool(values["html"]) == bool(values["mjml"]):
            self._problems[path] = "What was imported is either HTML or MJML."
        return Block(
            id=self._id(raw.get("id"), path),
            type=kind,
            values=values,
            path=path,
            show_when=conditions.read_condition(raw.get("show_when"), f"{path}.show_when", self._problems),
            repeat=conditions.read_repeat(raw.get("repeat"), f"{path}.repeat", self._problems),
            columns=self._columns(raw.get("columns"), f"{path}.columns") if known.holds_columns else (),
        )

    def _id(self, raw: Any, path: str) -> str:
        """The block's id; one that is missing gets its place, which is unique too."""
        if raw is None:
            raw = re.sub(r"[^a-z0-9]+", "-", path).strip("-")
        if not isinstance(raw, str) or not ID.fullmatch(raw):
            self._problems[f"{path}.id"] = "An id has 1 to 40 of the characters a-z, A-Z, 0-9, - and _."
            return ""
        if raw in self._ids:
            self._problems[f"{path}.id"] = f"“{raw}” names two blocks."
        self._ids.add(raw)
        return raw

    def _columns(self, raw: Any, path: str) -> tuple[Column, ...]:
        if not isinstance(raw, list) or not 1 <= len(raw) <= MOST_COLUMNS:
            self._problems[path] = f"Columns are a list of 1 to {MOST_COLUMNS}."
            return ()
        return tuple(self._column(item, f"{path}[{index}]") for index, item in enumerate(raw))

    def _column(self, raw: Any, path: str) -> Column:
        if not isinstance(raw, dict):
            self._problems[path] = "A column is an object with width and blocks."
            return Column(0, ())
        for name in sorted(map(str, raw.keys() - {"width", "blocks"})):
            self._problems[f"{path}.{name}"] = "There is no such field; a column has blocks, width."
        width = raw.get("width") or 0
        if not isinstance(width, int) or isinstance(width, bool) or not 0 <= width <= 100:
            self._problems[f"{path}.width"] = "The width is a whole number of percent, or 0 for an even share."
            width = 0
        return Column(width, self.read_list(raw.get("blocks"), f"{path}.blocks", is_inner=True))


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
