"""Addresses of tracking and unsubscribe pages, signed with the site's secret."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from delivery.domain import short_links, tokens
from delivery.domain.short_links import Place
from delivery.domain.tokens import Reference

OPEN, CLICK, TRAP, UNSUBSCRIBE, PREFERENCES, CONFIRM = (
    "open", "click", "trap", "unsubscribe", "preferences", "confirm",
)  # fmt: skip
PREFIXES = {
    OPEN: "/t/o/", CLICK: "/t/c/", TRAP: "/t/n/", UNSUBSCRIBE: "/u/", PREFERENCES: "/preferences/",
    CONFIRM: "/confirm/",
}  # fmt: skip
MARK_ENDS = "\n"  # between the utm_campaign of a click, its address and its place; none holds such a character
IN_TEXT, MOST_PLACES = 0, 999
SHORT, SHORT_PATH = "short", "/s/"  # in texts
REPORT, HOOK = "report", "hook"  # what a message carries to its provider and back, and where providers report to


@lru_cache(maxsize=32)
def _keys(purpose: str, secrets: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(tokens.key(secret, purpose) for secret in secrets)


def keys(purpose: str) -> tuple[bytes, ...]:
    """The signing key of a purpose, and those of retired secrets that still verify."""
    return _keys(purpose, (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS))


class Signer:
    """What the links of all messages have in common: looked up once for a block."""

    __slots__ = ("_keys", "_prefixes")

    def __init__(self) -> None:
        self._keys = {purpose: keys(purpose)[0] for purpose in PREFIXES}
        self._prefixes = {purpose: f"{settings.PUBLIC_URL}{path}" for purpose, path in PREFIXES.items()}

    def link(self, purpose: str, payload: bytes) -> str:
        """The public address that carries `payload`, signed for this purpose."""
        return self._prefixes[purpose] + tokens.make(self._keys[purpose], payload)


def reference(organization_id: int, message_id: int) -> str:
    """What proves to us that a report is about a message of ours: 43 characters, good in headers and JSON."""
    return tokens.make(keys(REPORT)[0], tokens.identity(organization_id, message_id))


def hook_url(organization_id: int, account_id: int) -> str:
    """The address at which a provider reports about the messages of one account."""
    token = tokens.make(keys(HOOK)[0], tokens.identity(organization_id, account_id))
    return f"{settings.PUBLIC_URL}/webhooks/{token}/"


class Links:
    """All signed addresses of one message; each is signed once."""

    __slots__ = ("_click_start", "_clicks", "_identity", "_signer", "_unsubscribe")

    def __init__(self, organization_id: int, message_id: int, signer: Signer | None = None, mark: str = "") -> None:
        self._identity = tokens.identity(organization_id, message_id)
        self._signer = signer or Signer()
        self._click_start = self._identity + f"{mark.replace(MARK_ENDS, ' ')}{MARK_ENDS}".encode("utf-8", "replace")
        self._clicks: dict[tuple[str, int], str] = {}
        self._unsubscribe = ""

    def pixel(self) -> str:
        return f"{self._signer.link(OPEN, self._identity)}.gif"

    def trap(self) -> str:
        return self._signer.link(TRAP, self._identity)

    def unsubscribe(self) -> str:
        if not self._unsubscribe:
            self._unsubscribe = self._signer.link(UNSUBSCRIBE, self._identity)
        return self._unsubscribe

    def preferences(self) -> str:
        return self._signer.link(PREFERENCES, self._identity)

    def click(self, address: str, place: int = 1) -> str:
        """The tracked form of an http(s) address: the nth link to it in the mail, or IN_TEXT."""
        place = min(place, MOST_PLACES)
        link = self._clicks.get((address, place))
        if link is None:
            told = address if place == 1 else f"{address}{MARK_ENDS}{place}"
            link = self._signer.link(CLICK, self._click_start + told.encode("utf-8", "replace"))
            self._clicks[address, place] = link
        return link


def short(place: Place) -> str:
    """The short address that stands in a text."""
    return f"{settings.PUBLIC_URL}{SHORT_PATH}{short_links.make(keys(SHORT)[0], place)}"


def read_short(token: str) -> Place | None:
    """What a short link's token says, or None when it was not made by us."""
    return short_links.read(keys(SHORT), token)


def path(purpose: str, organization_id: int, number: int) -> str:
    """The signed path of a page: `number` is a message, or for CONFIRM a request."""
    return PREFIXES[purpose] + tokens.make(keys(purpose)[0], tokens.identity(organization_id, number))


def address(purpose: str, organization_id: int, number: int) -> str:
    """The path with our own host before it, for mails."""
    return f"{settings.PUBLIC_URL}{path(purpose, organization_id, number)}"


def read(purpose: str, token: str) -> Reference | None:
    """What a token of this purpose says, or None when it was not made by us."""
    return tokens.read(keys(purpose), token)


@dataclass(frozen=True)
class Click:
    """What a click's token carries: the campaign's mark for analytics, where the link leads, and as the how manieth
    link to that address it stands in the mail (IN_TEXT: in its plain text)."""

    mark: str = ""
    address: str = ""
    place: int = 1


def read_click(reference: Reference) -> Click:
    """What was signed with a click's reference."""
    mark, found, rest = reference.rest.partition(MARK_ENDS)
    if not found:
        return Click("", mark)
    address, _, place = rest.partition(MARK_ENDS)
    return Click(mark, address, int(place) if place.isdecimal() else 1)
