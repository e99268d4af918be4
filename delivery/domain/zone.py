"""What checks need of the DNS, whoever answers."""

from __future__ import annotations

from typing import Protocol

from common.errors import AppError


class Unreachable(AppError):
    """Nobody answered, or the answer was a failure: nothing is known about the name."""

    code = "dns_unreachable"
    http_status = 502


class Zone(Protocol):
    """An unknown name or type gives nothing; no answer raises `Unreachable`."""

    def txt(self, name: str) -> list[str]: ...
    def mx(self, name: str) -> list[str]: ...
    def addresses(self, name: str) -> list[str]: ...
    def names_of(self, address: str) -> list[str]: ...
