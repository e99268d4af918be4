"""Addresses of tracking and unsubscribe pages, signed with the site's secret."""

from __future__ import annotations

from functools import lru_cache

from django.conf import settings

from delivery.domain import tokens
from delivery.domain.tokens import Reference

OPEN, CLICK, UNSUBSCRIBE = "open", "click", "unsubscribe"
PREFIXES = {OPEN: "/t/o/", CLICK: "/t/c/", UNSUBSCRIBE: "/u/"}


@lru_cache(maxsize=32)
def _keys(purpose: str, secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(tokens.key(secret, purpose) for secret in secrets)


def keys(purpose: str) -> tuple[bytes, ...]:
    """The signing key of a purpose, and those of retired secrets that still verify."""
    return _keys(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


class Links:
    """All signed addresses of one message."""

    __slots__ = ("_click_key", "_click_prefix", "_identity", "clicks")

    def __init__(self, organization_id: int, message_id: int) -> None:
        self._identity = tokens.identity(organization_id, message_id)
        self._click_key = keys(CLICK)[0]
        self._click_prefix = f"{settings.PUBLIC_URL}{PREFIXES[CLICK]}"
        self.clicks: dict[str, str] = {}

    def pixel(self) -> str:
        return f"{self._address(OPEN)}.gif"

    def unsubscribe(self) -> str:
        return self._address(UNSUBSCRIBE)

    def click(self, address: str) -> str:
        """The tracked form of an http(s) address."""
        link = self.clicks.get(address)
        if link is None:
            token = tokens.make(self._click_key, self._identity + address.encode("utf-8", "replace"))
            link = self.clicks[address] = self._click_prefix + token
        return link

    def _address(self, purpose: str) -> str:
        return f"{settings.PUBLIC_URL}{PREFIXES[purpose]}{tokens.make(keys(purpose)[0], self._identity)}"


def read(purpose: str, token: str) -> Reference | None:
    """What a token of this purpose says, or None when it was not made by us."""
    return tokens.read(keys(purpose), token)
