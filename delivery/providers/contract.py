"""What a provider is: one module, one `Provider`, one line in PROVIDERS."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, Protocol

from delivery.domain.outcomes import Envelope, Outcome

if TYPE_CHECKING:
    from delivery.providers.hooks import Hooks

# What the form of an account was filled in with, secrets included, by field name; `account_id` of a stored one.
Settings = Mapping[str, Any]


class ProviderUnavailable(Exception):
    """The provider cannot be reached or does not let us in; nothing was handed over."""


class Connection(Protocol):
    """An open way to a provider, reused for many messages by one worker."""

    def deliver(self, envelopes: Iterator[Envelope]) -> Iterator[tuple[Envelope, Outcome]]:
        """Hand over message by message; every envelope taken from the iterator gets exactly one outcome.

        May take some envelopes ahead, and give outcomes in another order. Never raises for what happens to a
        message; what was taken when the connection was lost comes back `untried`, and then the iterator ends.

        Which outcome: SENT when the provider said yes. RETRY when it certainly did not take it and may later.
        FAILED when it said no for good, with `is_hard_bounce` when the address is dead. UNCERTAIN when the
        request went out and no clear answer came. UNTRIED when nothing of the message left the house.
        """

    @property
    def is_usable(self) -> bool:
        """False once lost, or when the provider asked for a rest: then no more flights until it has had one."""

    def is_alive(self) -> bool:
        """Ask a connection that was idle whether it still stands."""

    def close(self) -> None: ...


@dataclass(frozen=True)
class Field:
    """One thing that an account needs. A `secret` is kept sealed and never shown again."""

    name: str
    label: str
    type: Literal["text", "secret", "secret_lines", "lines", "number", "choice", "flag"] = "text"
    is_required: bool = True
    help: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    default: Any = ""
    make: Callable[[], str] | None = None  # for a key that nobody needs to invent: left empty, one is made

    @property
    def is_secret(self) -> bool:
        return self.type in ("secret", "secret_lines")


def nothing_more(settings: Settings) -> None:
    """For kinds whose fields need no check together."""


@dataclass(frozen=True)
class Provider:
    """A kind of provider.

    `connect(settings)` opens a connection; it raises `ProviderUnavailable`, or `Invalid` for settings that cannot
    be. `check(settings)` raises `Invalid`, whose details name fields, before such settings are stored.
    `wants_bytes`: mail as finished bytes instead of a `Letter`. `remembers`: for how long a second try with the
    same `Envelope.key` is recognised and not delivered twice; then an uncertain message is asked again by itself.
    `hooks`: how it tells what became of messages, and proves that it is the one who tells.
    `device_kind`: the kind of device that it reaches, for push.
    """

    name: str
    label: str
    channels: tuple[str, ...]
    fields: tuple[Field, ...]
    connect: Callable[[Settings], Connection]
    wants_bytes: bool = False
    remembers: timedelta | None = None
    check: Callable[[Settings], None] = nothing_more
    device_kind: str = ""
    help: str = ""
    hooks: Hooks | None = None
