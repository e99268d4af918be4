"""A mail as an ordered list of blocks; columns hold lists of their own. Pure data, as `parse` makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

MOST_BLOCKS = 300
MOST_COLUMNS = 4
MOST_BYTES = 500_000  # of the tree as JSON

FONTS = {
    "sans": "Helvetica, Arial, sans-serif",
    "humanist": "Verdana, Tahoma, Geneva, sans-serif",
    "serif": "Georgia, 'Times New Roman', serif",
    "mono": "'Courier New', Courier, monospace",
}


@dataclass(frozen=True)
class Settings:
    """How the whole mail looks. `width` in pixels; `background` lies around the `surface` with the words."""

    width: int = 600
    background: str = "#f3f4f6"
    surface: str = "#ffffff"
    text_color: str = "#1f2937"
    link_color: str = "#1d4ed8"
    font: str = "sans"


@dataclass(frozen=True)
class Condition:
    """When a block is shown: to members of a segment, or by a value."""

    segment: int | None = None
    is_member: bool = True
    variable: str = ""
    operator: str = ""
    value: Any = None


@dataclass(frozen=True)
class Repeat:
    """Once for each entry of a list, at most `most` times; `name` is the entry's in placeholders."""

    over: str
    name: str
    most: int


@dataclass(frozen=True)
class Column:
    """`width` in percent; 0 shares evenly what the others leave."""

    width: int
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Block:
    """One block. `path` says where it stands in what was sent (`blocks[2]`)."""

    id: str
    type: str
    values: dict[str, Any]
    path: str
    show_when: Condition | None = None
    repeat: Repeat | None = None
    columns: tuple[Column, ...] = ()


@dataclass(frozen=True)
class Tree:
    settings: Settings
    blocks: tuple[Block, ...]


@dataclass
class Reading:
    """What came of reading a tree: what could be read, and path → sentence for what could not."""

    tree: Tree
    problems: dict[str, str] = field(default_factory=dict)


def walk(blocks: Sequence[Block]) -> Iterator[Block]:
    """Every block, in the order in which readers meet them."""
    for block in blocks:
        yield block
        for column in block.columns:
            yield from walk(column.blocks)


def segments(blocks: Sequence[Block]) -> set[int]:
    """The segments by which blocks are shown."""
    conditions = (block.show_when for block in walk(blocks))
    return {each.segment for each in conditions if each is not None and each.segment is not None}


def snippets(blocks: Sequence[Block]) -> list[str]:
    """The slugs of the snippets in use, in order, each once."""
    return list(dict.fromkeys(block.values["snippet"] for block in walk(blocks) if block.type == "snippet"))
