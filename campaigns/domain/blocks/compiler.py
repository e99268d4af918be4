"""A tree of blocks becomes the HTML of a mail, as a template of the sandbox, each part traceable to its block."""

from __future__ import annotations

from dataclasses import dataclass, field

from campaigns.domain.blocks import mjml, writers
from campaigns.domain.blocks.tree import FONTS, Tree
from campaigns.domain.blocks.words import Wrong
from campaigns.domain.blocks.writers import Edge, Sheet


@dataclass(frozen=True)
class Part:
    """Which characters of the HTML a block made, with its condition and what stands in its columns."""

    block: str
    start: int
    end: int


@dataclass(frozen=True)
class CompiledTree:
    """`parts` in the order in which blocks begin; `taken_out` is (block id, sentence)."""

    html: str = ""
    parts: tuple[Part, ...] = ()
    problems: dict[str, str] = field(default_factory=dict)
    taken_out: tuple[tuple[str, str], ...] = ()


def compiled(tree: Tree, *, language: str = "") -> CompiledTree:
    """The whole mail, its snippets put in before; `language` is BCP 47, or empty."""
    sheet = Sheet(tree.settings)
    body = "".join(writers.sections(sheet, tree.blocks))
    try:
        whole = mjml.to_html(_document(sheet, body, language))
    except Wrong as wrong:
        return CompiledTree(problems=sheet.problems | {"blocks": str(wrong)})
    html, parts = _filled(whole, sheet)
    taken_out = tuple((block.id, sentence) for block, sentence in sheet.taken_out)
    return CompiledTree(html, parts, sheet.problems, taken_out)


def _document(sheet: Sheet, body: str, language: str) -> str:
    settings = sheet.settings
    css = "".join(f"<mj-style>{sheet.token(each)}</mj-style>" for each in dict.fromkeys(sheet.css))
    lang = f' lang="{language}"' if language else ""
    return (
        f"<mjml{lang}><mj-head><mj-attributes>"
        f'<mj-all font-family="{FONTS[settings.font]}"/>'
        f"</mj-attributes>{css}</mj-head>"
        f'<mj-body width="{settings.width}px" background-color="{settings.background}">{body}</mj-body></mjml>'
    )


def _filled(whole: str, sheet: Sheet) -> tuple[str, tuple[Part, ...]]:
    """The pieces in their places, and where each block's came to stand."""
    output: list[str] = []
    size = 0
    starts: list[tuple[int, str, int]] = []
    parts: dict[int, Part] = {}
    for index, text in enumerate(mjml.TOKEN.split(whole)):
        piece = sheet.pieces[int(text)] if index % 2 else text
        if isinstance(piece, Edge) and piece.is_start:
            starts.append((len(starts) + len(parts), piece.block.id, size))
        code = piece.code if isinstance(piece, Edge) else piece
        output.append(code)
        size += len(code)
        if isinstance(piece, Edge) and not piece.is_start:
            turn, block, start = starts.pop()
            parts[turn] = Part(block, start, size)
    return "".join(output), tuple(parts[turn] for turn in sorted(parts))
