"""Modules that are large and seldom needed: loaded when something of theirs is first asked for.

numpy and scipy take 45 MB and half a second of every process; most workers never compute a statistic. At the top of
a module, beside the imports:

    if TYPE_CHECKING:
        import numpy as np
    else:
        np = later("numpy")
"""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Later:
    """Stands for a module; the first attribute that is read imports it."""

    def __init__(self, name: str) -> None:
        self.__name__ = name

    def __getattr__(self, attribute: str) -> Any:
        found = getattr(import_module(self.__name__), attribute)
        setattr(self, attribute, found)
        return found

    def __repr__(self) -> str:
        return f"<{self.__name__}, later>"


def later(name: str) -> Any:
    """The module of this name, not loaded yet. Raises ImportError at the first use where there is none."""
    return Later(name)
