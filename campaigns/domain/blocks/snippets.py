"""Snippets put in their places: afterwards a mail is whole, and later changes of a snippet do not reach it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from campaigns.domain.blocks import parse
from campaigns.domain.blocks.tree import Block, Column, Tree, walk


def read(raw: Any) -> tuple[tuple[Block, ...], dict[str, str]]:
    """A snippet's list of blocks, and its problems by path. Snippets do not hold snippets."""
    reading = parse.parse({"blocks": raw})
    problems = reading.problems
    for block in walk(reading.tree.blocks):
        if block.type == "snippet":
            problems[block.path] = "A snippet cannot hold another snippet."
    return reading.tree.blocks, problems


def filled(tree: Tree, known: Mapping[str, Sequence[Block]]) -> tuple[Tree, dict[str, str]]:
    """The tree with the blocks of each snippet as the one column of its block, and what is missing by path."""
    problems: dict[str, str] = {}
    return Tree(tree.settings, _filled(tree.blocks, known, problems, is_inner=False)), problems


def _filled(
    blocks: Sequence[Block], known: Mapping[str, Sequence[Block]], problems: dict[str, str], *, is_inner: bool
) -> tuple[Block, ...]:
    return tuple(_whole(block, known, problems, is_inner=is_inner) for block in blocks)


def _whole(block: Block, known: Mapping[str, Sequence[Block]], problems: dict[str, str], *, is_inner: bool) -> Block:
    if block.type != "snippet":
        columns = (
            Column(column.width, _filled(column.blocks, known, problems, is_inner=True)) for column in block.columns
        )
        return replace(block, columns=tuple(columns))
    slug = block.values["snippet"]
    inner = known.get(slug)
    if inner is None:
        if slug:
            problems[f"{block.path}.snippet"] = f"There is no published snippet “{slug}”."
        inner = ()
    elif is_inner and any(each.type == "columns" for each in inner):
        problems[block.path] = "This snippet has columns, so it cannot stand in a column."
        inner = ()
    return replace(block, columns=(Column(0, tuple(_as_part_of(block, each) for each in inner)),))


def _as_part_of(outer: Block, block: Block) -> Block:
    """What is said about a block of a snippet is said about the block that brings the snippet."""
    columns = (
        Column(column.width, tuple(_as_part_of(outer, each) for each in column.blocks)) for column in block.columns
    )
    return replace(block, id=outer.id, path=outer.path, columns=tuple(columns))
