"""The bound values of one statement."""

from __future__ import annotations

from typing import Any

ORGANIZATION = "%(organization)s::bigint"
NOW = "%(now)s::timestamptz"


class Parameters:
    """Collects values and hands out their placeholders; no value ever becomes SQL text."""

    def __init__(self, **named: Any) -> None:
        self.values: dict[str, Any] = dict(named)

    def bind(self, value: Any, cast: str) -> str:
        """The placeholder of a value, cast to a PostgreSQL type."""
        key = f"p{len(self.values)}"
        self.values[key] = value
        return f"%({key})s::{cast}"

    def bind_once(self, name: str, value: Any, cast: str) -> str:
        """The placeholder of a value that many places share."""
        self.values[name] = value
        return f"%({name})s::{cast}"
