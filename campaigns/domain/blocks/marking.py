"""Comments around each block, by which an editor finds it in the picture of the mail. Never in what is sent."""

from __future__ import annotations

import re

from campaigns.domain.blocks.compiler import CompiledTree

MARK = re.compile(r"<!--/?block:[a-zA-Z0-9_-]{1,40}-->")


def marked(compiled: CompiledTree) -> str:
    """The template with `<!--block:ID-->` before and `<!--/block:ID-->` behind each block.

    They stand outside of the block's condition and repetition: a block that is not shown is an empty pair.
    """
    marks = [(part.start, 1, -part.end, f"<!--block:{part.block}-->") for part in compiled.parts]
    marks += [(part.end, 0, -part.start, f"<!--/block:{part.block}-->") for part in compiled.parts]
    output, done = [], 0
    for place, _, _, mark in sorted(marks):
        output += [compiled.html[done:place], mark]
        done = place
    return "".join(output) + compiled.html[done:]


def unmarked(html: str) -> str:
    """The HTML as it would be sent."""
    return MARK.sub("", html)
