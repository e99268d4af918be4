"""What checks look at, and what they say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Literal

from jinja2.exceptions import TemplateSyntaxError

from campaigns.domain.blocks.compiler import CompiledTree
from campaigns.domain.blocks.tree import Block, Settings, Tree, walk
from delivery.domain import plaintext
from delivery.domain.markup import Placeholders
from delivery.domain.plaintext import Closed, Opened

Level = Literal["error", "warning", "hint"]
LEVELS: tuple[Level, ...] = ("error", "warning", "hint")


@dataclass(frozen=True)
class Check:
    """A finding. `block` is the id of the block, or empty for the mail as a whole; `fix` says what would be right.

    `path` names the field where there is no block: subject or preheader.
    """

    level: Level
    sentence: str
    block: str = ""
    fix: str = ""
    path: str = ""


@dataclass(frozen=True)
class Piece:
    """What one block says, as tags and texts in order, placeholders as single marks."""

    block: str
    held: Placeholders
    tokens: tuple[Opened | Closed | str, ...]


@dataclass(frozen=True)
class KnownPicture:
    """A picture of our own library."""

    byte_count: int
    width: int  # pixels


@dataclass(frozen=True)
class Mail:
    """A mail before it goes out. `html` and `text` are templates; `size` counts bytes of the HTML for one reader.

    `missing` are values that `reader` lacks and that have no default.
    """

    subject: str = ""
    preheader: str = ""
    html: str = ""
    text: str = ""
    kind: str = "marketing"
    defaults: frozenset[str] = frozenset()
    tree: Tree = field(default_factory=lambda: Tree(Settings(), ()))
    compiled: CompiledTree = field(default_factory=CompiledTree)
    size: int = 0
    missing: tuple[str, ...] = ()
    reader: str = ""
    library: Mapping[str, KnownPicture] = field(default_factory=dict)  # checksum → the picture

    @cached_property
    def pieces(self) -> list[Piece]:
        """The mail block by block, columns as what stands in them; hand-written HTML is one piece."""
        looks = ((block, _look(source)) for block, source in self.sources())
        return [Piece(block, *look) for block, look in looks if look is not None]

    def blocks(self) -> Iterator[Block]:
        return walk(self.tree.blocks)

    def sources(self) -> Iterator[tuple[str, str]]:
        """(block id, template) of each part that holds no other."""
        parts = self.compiled.parts
        if not parts:
            yield "", self.html
        for index, part in enumerate(parts):
            holds_others = index + 1 < len(parts) and parts[index + 1].start < part.end
            if not holds_others:
                yield part.block, self.compiled.html[part.start : part.end]


@lru_cache(maxsize=256)
def _look(source: str) -> tuple[Placeholders, tuple[plaintext.Opened | plaintext.Closed | str, ...]] | None:
    """A part as the checks read it, remembered: while somebody types, the other parts stay as they are.

    None for what is told as a problem: there is nothing to look at yet.
    """
    try:
        held = Placeholders(source)
    except (TemplateSyntaxError, ValueError):
        return None
    return held, tuple(plaintext.scan(held.text))
