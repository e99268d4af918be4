"""Visible tables of plug-ins: one module and one line each (architecture §2.14)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, TypeVar

from common.errors import Invalid

Plugin = TypeVar("Plugin")


class Registry(Mapping[str, Plugin], Generic[Plugin]):
    """A read-only table `name -> plug-in` whose look-up of an unknown name says which names exist."""

    def __init__(self, kind: str, entries: dict[str, Plugin]) -> None:
        self.kind = kind
        self._entries = dict(entries)
        CATALOGUE[kind] = self

    def __getitem__(self, name: str) -> Plugin:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: object, where: str = "") -> Plugin:
        """The plug-in called `name`; raises `Invalid`, naming the place `where`, when there is none."""
        if isinstance(name, str) and name in self._entries:
            return self._entries[name]
        place = f"{where}: " if where else ""
        known = ", ".join(sorted(self._entries))
        raise Invalid(
            f'{place}unknown {self.kind} "{name}"; known: {known}',
            code=f"unknown_{self.kind.replace(' ', '_')}",
        )


# Every registry by its kind; `manage.py show_catalogue` and a test print it.
CATALOGUE: dict[str, Registry] = {}  # type: ignore[type-arg]
