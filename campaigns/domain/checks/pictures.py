"""Pictures: what they show for whoever does not see them, where they come from, how big they are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from campaigns.domain.checks.base import Check, Mail, Piece
from delivery.domain.plaintext import Opened

IN_LIBRARY = re.compile(r"/pictures/([0-9a-f]{64})\.\w{3,4}(?:$|[?#])")
HEAVY = 300 * 1024  # bytes; readers on the road wait several seconds for more


def pictures(mail: Mail) -> Iterator[Check]:
    """Missing descriptions, addresses that do not load, pictures wider than the mail."""
    said_nothing = {block.id for block in mail.blocks() if block.values.get("is_decorative")}
    for piece in mail.pieces:
        for token in piece.tokens:
            if isinstance(token, Opened) and token.tag == "img" and not _is_pixel(token):
                yield from _about(mail, piece, token, piece.block in said_nothing)


def _is_pixel(image: Opened) -> bool:
    return image.values.get("width") == "1" and image.values.get("height") == "1"


def _about(mail: Mail, piece: Piece, image: Opened, is_decorative: bool) -> Iterator[Check]:
    source = image.values.get("src", "").strip()
    lower = source.lower()
    is_own = any(block.id == piece.block and block.type in ("image", "product") for block in mail.blocks())
    alt = image.values.get("alt")
    if not is_decorative and (alt is None or (is_own and not alt.strip())):
        fix = "Say in a few words what it shows, or that it is only decoration."
        yield Check("warning", "A picture has no description.", piece.block, fix)
    if not source:
        yield Check("error", "A picture has no address.", piece.block, "Choose the picture.")
    elif piece.held.piece(source[0]) is not None:
        pass
    elif lower.startswith("data:"):
        sentence = f"A picture of {len(source) // 1024:,} KB is inside the mail; Gmail and Outlook do not show it."
        yield Check("error", sentence, piece.block, "Put it on a web server and use its address.")
    elif lower.startswith("http:"):
        sentence = "A picture is loaded without encryption; many mail programs do not show it."
        yield Check("warning", sentence, piece.block, "Use its https:// address.")
    elif not lower.startswith("https:"):
        yield Check("error", "The address of a picture is not whole.", piece.block, "It begins with https://.")
    width = image.values.get("width", "").removesuffix("px")
    shown = int(width[:9]) if width.isascii() and width.isdigit() else 0
    if shown > mail.tree.settings.width:
        sentence = f"A picture is {shown:,} pixels wide, the mail {mail.tree.settings.width}."
        yield Check("warning", sentence, piece.block, f"At most {mail.tree.settings.width} pixels.")
    yield from _of_library(mail, piece.block, source, shown)


def _of_library(mail: Mail, block: str, source: str, shown: int) -> Iterator[Check]:
    """Weight and sharpness, where we know the picture."""
    named = IN_LIBRARY.search(source)
    known = mail.library.get(named[1]) if named else None
    if known is None:
        return
    if known.byte_count > HEAVY:
        sentence = f"A picture weighs {known.byte_count / 1024:,.0f} KB; phones wait for it."
        yield Check("warning", sentence, block, f"At most {HEAVY // 1024} KB: save it smaller, or as JPEG.")
    if known.width < shown:
        sentence = f"A picture of {known.width} pixels is shown {shown} wide, so it is blurred."
        yield Check("hint", sentence, block, f"Use one of {2 * shown} pixels: sharp on phones, too.")
