"""The table of boards: one module and one line each."""

from common.registry import Registry
from dashboards.boards.base import Board

BOARDS: Registry[Board] = Registry("board", {})
