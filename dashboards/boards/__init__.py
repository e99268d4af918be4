"""The table of boards: one module and one line each."""

from common.registry import Registry
from dashboards.boards import campaigns, deliverability, models, viral, workflows
from dashboards.boards.base import Board

BOARDS: Registry[Board] = Registry(
    "board",
    {
        board.name: board
        for board in [campaigns.BOARD, workflows.BOARD, models.BOARD, viral.BOARD, deliverability.BOARD]
    },
)
