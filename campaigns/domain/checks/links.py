"""Links that lead nowhere, or not for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from campaigns.domain.checks.base import Check, Mail, Piece
from delivery.domain.markup import KEPT_SCHEMES, SCHEME
from delivery.domain.plaintext import Closed, Opened

MADE_UP = ("example.com", "example.org", "example.net", "localhost", "127.0.0.1")
SHOWN = 60


def links(mail: Mail) -> Iterator[Check]:
    """Empty, relative, unencrypted and impossible addresses; links without words."""
    for piece in mail.pieces:
        for address, words in _links(piece):
            yield from _about(piece, address.strip())
            if not words:
                yield Check(
                    "warning", "A link has no words.", piece.block, "Say where it leads, or describe its picture."
                )


def _links(piece: Piece) -> Iterator[tuple[str, str]]:
    """(address, what can be read of the link) of every link."""
    address: str | None = None
    words: list[str] = []
    for token in piece.tokens:
        if isinstance(token, Opened) and token.tag == "a":
            if address is not None:
                yield address, "".join(words).strip()
            address, words = token.values.get("href"), []
        elif isinstance(token, Opened) and token.tag == "img":
            words.append(token.values.get("alt", "") + token.values.get("title", ""))
        elif isinstance(token, Closed) and token.tag == "a" and address is not None:
            yield address, "".join(words).strip()
            address = None
        elif isinstance(token, str):
            words.append(token)
    if address is not None:
        yield address, "".join(words).strip()


def _about(piece: Piece, address: str) -> Iterator[Check]:
    if not address or address == "#":
        yield Check("error", "A link leads nowhere.", piece.block, "Give it an address, or take the link away.")
        return
    if piece.held.piece(address[0]) is not None or address.startswith("#"):
        return
    shown = piece.held.restore(address)[:SHOWN]
    scheme = SCHEME.match(address)
    if scheme and scheme[1].lower() in KEPT_SCHEMES:
        if len(address) == scheme.end():
            yield Check("error", f"The link “{shown}” names nobody.", piece.block, "Write whom it reaches.")
        return
    if not scheme:
        sentence = f"The link “{shown}” is no whole address: in a mail it leads nowhere."
        yield Check("error", sentence, piece.block, f"https://{shown.lstrip('/')}")
        return
    host = _host(address, piece)
    if host is None:
        yield Check("error", f"The link “{shown}” cannot work.", piece.block, "Check how the address is written.")
    elif host in MADE_UP:
        yield Check("warning", f"The link “{shown}” leads to a made-up address.", piece.block, "Put in the real one.")
    elif scheme[1].lower() == "http":
        sentence = f"The link “{shown}” is not encrypted."
        yield Check("warning", sentence, piece.block, "https" + shown[4:])


def _host(address: str, piece: Piece) -> str | None:
    """The host, or None when there is none that could exist. One with a placeholder in it may be any."""
    try:
        host = urlsplit(address).hostname or ""
    except ValueError:
        return None
    if any(piece.held.piece(character) is not None for character in host):
        return "?"
    is_whole = "." in host.strip(".") or host in MADE_UP
    return host if is_whole and " " not in address.strip() and ".." not in host else None
