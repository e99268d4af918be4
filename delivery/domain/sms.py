"""How many SMS a text becomes: 3GPP TS 23.038 (the GSM alphabet) and 23.040 (long messages)."""

from __future__ import annotations

from dataclasses import dataclass

GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Written as an escape and another letter, so they take two places.
GSM_PAIRS = frozenset("\f^{}\\[~]|€")
ALONE = {True: 160, False: 70}
JOINED = {True: 153, False: 67}  # the rest of each part says how the parts belong together


@dataclass(frozen=True)
class Size:
    """`places` are the ones taken, of which `left` more fit before another segment begins."""

    is_gsm: bool
    places: int
    segments: int
    left: int
    odd_characters: str = ""  # those that keep the text out of the GSM alphabet, at most ten


def size(text: str) -> Size:
    """Count as networks do: no character is cut in two."""
    odd = "".join(dict.fromkeys(letter for letter in text if letter not in GSM and letter not in GSM_PAIRS))
    is_gsm = not odd
    widths = [_width(letter, is_gsm) for letter in text]
    places = sum(widths)
    if places <= ALONE[is_gsm]:
        return Size(is_gsm, places, 1 if text else 0, ALONE[is_gsm] - places, odd[:10])
    segments, room = 1, JOINED[is_gsm]
    for width in widths:
        if width > room:
            segments, room = segments + 1, JOINED[is_gsm]
        room -= width
    return Size(is_gsm, places, segments, room, odd[:10])


def _width(letter: str, is_gsm: bool) -> int:
    if is_gsm:
        return 2 if letter in GSM_PAIRS else 1
    return 2 if ord(letter) > 0xFFFF else 1
