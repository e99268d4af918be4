"""Whether words can be read on what lies behind them: WCAG 2.2, success criterion 1.4.3."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from campaigns.domain.checks.base import Check, Mail, Piece
from delivery.domain.plaintext import SKIPPED, VOID, Closed, Opened

ENOUGH = 4.5
ENOUGH_FOR_LARGE = 3.0
LARGE, LARGE_BOLD = 24, 18.66  # CSS pixels
COLOR = re.compile(r"(?:^|;)\s*(color|background-color|background)\s*:\s*([^;]+)", re.IGNORECASE)
SIZE = re.compile(r"(?:^|;)\s*font-size\s*:\s*([\d.]{1,6})px", re.IGNORECASE)
BOLD = re.compile(r"(?:^|;)\s*font-weight\s*:\s*(bold|[6-9]00)", re.IGNORECASE)
HEX = re.compile(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})\b")
RGB = re.compile(r"rgb\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)")
NAMED = {
    "white": "#ffffff", "black": "#000000", "red": "#ff0000", "green": "#008000", "blue": "#0000ff",
    "yellow": "#ffff00", "gray": "#808080", "grey": "#808080", "silver": "#c0c0c0", "orange": "#ffa500",
    "navy": "#000080", "maroon": "#800000", "purple": "#800080", "teal": "#008080", "lightgray": "#d3d3d3",
    "lightgrey": "#d3d3d3", "darkgray": "#a9a9a9", "darkgrey": "#a9a9a9", "pink": "#ffc0cb",
}  # fmt: skip
BROWSERS_LINK = "#0000ee"

Color = tuple[int, int, int]


@dataclass(frozen=True)
class Look:
    """How words look at a place; a colour that cannot be known (a picture, a placeholder) is None."""

    color: Color | None
    background: Color | None
    size: float = 16
    is_bold: bool = False


def contrast(mail: Mail) -> Iterator[Check]:
    """Words that are hard to read, once for each pair of colours in a block."""
    settings = mail.tree.settings
    is_tree = bool(mail.compiled.parts)
    start = Look(
        parsed(settings.text_color if is_tree else "black"), parsed(settings.surface if is_tree else "white")
    )
    backgrounds = {block.id: block.values["background"] for block in mail.blocks() if block.values.get("background")}
    column_backgrounds = _column_backgrounds(mail)
    for piece in mail.pieces:
        behind = backgrounds.get(piece.block) or column_backgrounds.get(piece.block)
        look = replace(start, background=parsed(behind)) if behind else start
        yield from _of_piece(piece, look)


def _column_backgrounds(mail: Mail) -> dict[str, str]:
    """What lies behind blocks that stand in columns."""
    return {
        inner.id: block.values["background"]
        for block in mail.tree.blocks
        if block.values.get("background")
        for column in block.columns
        for inner in column.blocks
    }


def _of_piece(piece: Piece, look: Look) -> Iterator[Check]:
    seen: set[tuple[Color, Color]] = set()
    for shown in _looks(piece, look):
        if shown.color is None or shown.background is None:
            continue
        ratio = ratio_of(shown.color, shown.background)
        is_large = shown.size >= LARGE or (shown.is_bold and shown.size >= LARGE_BOLD)
        enough = ENOUGH_FOR_LARGE if is_large else ENOUGH
        if ratio >= enough or (shown.color, shown.background) in seen:
            continue
        seen.add((shown.color, shown.background))
        sentence = f"{_hex(shown.color)} on {_hex(shown.background)} is hard to read: contrast {ratio:.1f}."
        yield Check("warning", sentence, piece.block, f"At least {enough:g}; make one of them darker or lighter.")


def _looks(piece: Piece, look: Look) -> Iterator[Look]:
    """How each text that can be seen looks."""
    stack: list[tuple[str, Look]] = [("", look)]
    skipped = ""
    for token in piece.tokens:
        if skipped:
            if isinstance(token, Closed) and token.tag == skipped:
                skipped = ""
        elif isinstance(token, str):
            if token.replace("&nbsp;", "").strip(" \n\t\r·|-–—"):
                yield stack[-1][1]
        elif isinstance(token, Closed):
            while len(stack) > 1 and any(tag == token.tag for tag, _ in stack[1:]):
                if stack.pop()[0] == token.tag:
                    break
        elif token.tag in SKIPPED or "display:none" in token.values.get("style", "").replace(" ", ""):
            skipped = "" if token.tag in VOID else token.tag
        elif token.tag not in VOID and len(stack) < 300:
            stack.append((token.tag, _inside(token, stack[-1][1])))


def _inside(tag: Opened, look: Look) -> Look:
    style = tag.values.get("style", "")
    color, background = look.color, look.background
    if tag.tag == "a":
        color = parsed(BROWSERS_LINK)
    if tag.values.get("bgcolor"):
        background = parsed(tag.values["bgcolor"])
    if tag.values.get("background"):
        background = None
    if tag.tag == "font" and tag.values.get("color"):
        color = parsed(tag.values["color"])
    for name, value in COLOR.findall(style):
        if name.lower() == "color":
            color = look.color if value.strip().lower() == "inherit" else parsed(value)
        elif value.strip().lower() not in ("transparent", "none", "inherit"):
            background = parsed(value)
    size = SIZE.search(style)
    is_bold = look.is_bold or tag.tag in ("b", "strong", "h1", "h2", "h3") or BOLD.search(style) is not None
    return Look(color, background, float(size[1]) if size and size[1].count(".") < 2 else look.size, is_bold)


def parsed(text: str) -> Color | None:
    """`#fff`, `#ffffff`, `rgb(…)` or one of the usual names; None for anything else."""
    text = text.strip().lower()
    text = NAMED.get(text, text)
    if "url(" in text:
        return None
    if found := HEX.search(text):
        digits = found[1] if len(found[1]) == 6 else "".join(digit * 2 for digit in found[1])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := RGB.search(text):
        red, green, blue = (min(int(part), 255) for part in found.groups())
        return red, green, blue
    return None


def ratio_of(one: Color, other: Color) -> float:
    """The contrast of two colours, 1 to 21 (WCAG 2.2, “contrast ratio”)."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4


def _hex(color: Color) -> str:
    return "#{:02x}{:02x}{:02x}".format(*color)
