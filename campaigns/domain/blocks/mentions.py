"""What the placeholders of blocks name, checked field by field, so that a mistake has the path of its block."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from campaigns.domain.blocks import cleaning, conditions
from campaigns.domain.blocks.inputs import Input
from campaigns.domain.blocks.tree import Block
from campaigns.domain.blocks.types import BLOCKS
from delivery.domain import template_rules
from delivery.domain.template_rules import Vocabulary

TEMPLATED = frozenset({"text", "rich", "code", "url", "image"})


def faults(blocks: Sequence[Block], vocabulary: Vocabulary) -> dict[str, str]:
    """Path → sentence for every field that names what is not known, and for conditions that do."""
    found: dict[str, str] = {}
    _check(blocks, vocabulary, "", "", found)
    return found


def _check(blocks: Sequence[Block], vocabulary: Vocabulary, before: str, after: str, found: dict[str, str]) -> None:
    """`before` and `after` are the loops around: their names are known inside."""
    for block in blocks:
        opening = conditions.opening(None, block.repeat)
        closing = conditions.closing(None, block.repeat)
        if block.repeat:
            _note(f"{block.path}.repeat.over", f"{before}{opening}{closing}{after}", vocabulary, found)
        inside, outside = before + opening, closing + after
        if block.show_when:
            asked = conditions.opening(block.show_when, None) + conditions.closing(block.show_when, None)
            _note(f"{block.path}.show_when", f"{inside}{asked}{outside}", vocabulary, found)
        for path, source in written(block):
            _note(path, f"{inside}{source}{outside}", vocabulary, found)
        for column in block.columns:
            _check(column.blocks, vocabulary, inside, outside, found)


def _note(path: str, source: str, vocabulary: Vocabulary, found: dict[str, str]) -> None:
    faults = template_rules.faults(source, vocabulary)
    if faults:
        sentences = dict.fromkeys(str(fault) if fault.line > 1 else fault.sentence for fault in faults)
        found[path] = " ".join(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in sentences)


def written(block: Block) -> Iterator[tuple[str, str]]:
    """(path, source) of every field of a block in which a placeholder stands, columns apart."""
    yield from _written(BLOCKS[block.type].inputs, block.values, block.path)


def _written(inputs: Sequence[Input], values: dict[str, object], path: str) -> Iterator[tuple[str, str]]:
    for each in inputs:
        value = values.get(each.name)
        if each.type in TEMPLATED and isinstance(value, str) and "{" in value:
            yield f"{path}.{each.name}", cleaning.tamed(value) if each.type == "code" else value
        elif each.type == "rows" and isinstance(value, tuple):
            for index, row in enumerate(value):
                yield from _written(each.inputs, row, f"{path}.{each.name}[{index}]")
