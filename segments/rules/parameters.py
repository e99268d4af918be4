"""The bound values of one statement."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

ORGANIZATION = "%(organization)s::bigint"
NOW = "%(now)s::timestamptz"
# Keeps PostgreSQL from folding a subselect into the one around it, which would work its columns out in each place
# that names them. The cast makes it a constant already to the parser: only then may parallel workers run it.
ONCE = "OFFSET '0'::bigint"


class Parameters:
    """Collects values and hands out their placeholders; no value ever becomes SQL text.

    `moment` is the column that stands for now where each row is asked about a moment of its own (compiler.past).
    """

    moment = ""

    def __init__(self, **named: Any) -> None:
        self.values: dict[str, Any] = dict(named)
        self._bound: dict[tuple[str, type, Any], str] = {}

    def bind(self, value: Any, cast: str) -> str:
        """The placeholder of a value, cast to a PostgreSQL type.

        The same one for the same value: what reads alike is recognised as the same and worked out once.
        """
        if not isinstance(value, Hashable):
            return self._new(value, cast)
        known = (cast, type(value), value)
        if known not in self._bound:
            self._bound[known] = self._new(value, cast)
        return self._bound[known]

    def _new(self, value: Any, cast: str) -> str:
        key = f"p{len(self.values)}"
        self.values[key] = value
        return f"%({key})s::{cast}"

    def bind_once(self, name: str, value: Any, cast: str) -> str:
        """The placeholder of a value that many places share."""
        self.values[name] = value
        return f"%({name})s::{cast}"


class RowParameters(Parameters):
    """The values of one rule as columns of the row `given`, so that rules of one shape are one text.

    `cells` are the values with their types, in the order of the columns.
    """

    def __init__(self, statement: Parameters) -> None:
        super().__init__()
        self.statement = statement
        self.moment = statement.moment
        self.values = statement.values
        self.cells: list[tuple[Any, str]] = []

    def _new(self, value: Any, cast: str) -> str:
        self.cells.append((value, cast))
        return f"given.p{len(self.cells)}"

    def row(self) -> list[str]:
        """The values for a VALUES list, bound to the statement."""
        return [self.statement.bind(value, cast) for value, cast in self.cells]
