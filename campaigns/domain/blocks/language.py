"""The blocks as data: what an editor can offer, told from the same tables that read and compile."""

from __future__ import annotations

from typing import Any

from campaigns.domain.blocks import conditions, inputs, tree
from campaigns.domain.blocks.inputs import Input
from campaigns.domain.blocks.types import BLOCKS, SETTINGS


def describe() -> dict[str, Any]:
    """Settings, blocks, conditions and repetition, each with its inputs.

    The JSON of a block is `{"id", "type": key, <input name>: value…}`, with `show_when` and `repeat` beside them;
    one that `holds_columns` has `columns`, a list of `{"width": percent, "blocks": […]}`.
    """
    return {
        "settings": _inputs(SETTINGS),
        "blocks": [
            {
                "key": key,
                "label": block.label,
                "group": block.group,
                "inputs": _inputs(block.inputs),
                "holds_columns": block.holds_columns,
            }
            for key, block in BLOCKS.items()
        ],
        "operators": conditions.described_operators(),
        "repeat": _inputs(conditions.REPEAT),
        "limits": {
            "blocks": tree.MOST_BLOCKS, "columns": tree.MOST_COLUMNS, "bytes": tree.MOST_BYTES,
            "rows": inputs.MOST_ROWS,
        },
    }  # fmt: skip


def _inputs(given: tuple[Input, ...]) -> list[dict[str, Any]]:
    return [inputs.described(each) for each in given]
