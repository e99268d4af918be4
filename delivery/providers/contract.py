"""What a provider is: one module, one `Provider`, one line in PROVIDERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from delivery.domain.outcomes import Envelope, Outcome


class ProviderUnavailable(Exception):
    """The provider cannot be reached or does not let us in; nothing was handed over."""


class Connection(Protocol):
    """An open way to a provider, reused for many messages by one worker."""

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """Hand over message by message; every envelope taken from the iterator gets exactly one outcome.

        May take two envelopes ahead. Never raises for what happens to a message; what was taken when the
        connection was lost comes back `untried`, and then the iterator ends.
        """

    @property
    def is_usable(self) -> bool: ...

    def is_alive(self) -> bool:
        """Ask a connection that was idle whether it still stands."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Provider:
    """`connect(url)` opens a connection; it raises `ProviderUnavailable`, or `Invalid` for a wrong URL."""

    name: str
    label: str
    channels: tuple[str, ...]
    connect: Callable[[str], Connection]
