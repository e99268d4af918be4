"""What a picture is, told from its bytes: a name or a header may lie, the first bytes may not."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from common.errors import Invalid

MOST_BYTES = 4 * 1024 * 1024
MOST_PIXELS_WIDE = 6000
CONTENT_TYPES = {"png": "image/png", "jpg": "image/jpeg", "gif": "image/gif", "webp": "image/webp"}
KINDS = "PNG, JPEG, GIF or WebP"


@dataclass(frozen=True)
class Picture:
    """`kind` is the ending of its file: png, jpg, gif or webp; sizes in pixels."""

    kind: str
    width: int
    height: int


def examine(data: bytes) -> Picture:
    """Kind and size of a picture. Raises `Invalid` with the reason beside `file`."""
    if not data:
        raise _refused("The file is empty.")
    if len(data) > MOST_BYTES:
        raise _refused(
            f"A picture may have {MOST_BYTES // 1024 // 1024} MB; this one has {len(data) / 1_048_576:.1f}."
        )
    picture = _read(data)
    if picture is None:
        raise _refused(f"This is no {KINDS} picture, whatever its name says. Mail programs show no other kinds.")
    if not (0 < picture.width <= MOST_PIXELS_WIDE and 0 < picture.height <= MOST_PIXELS_WIDE):
        raise _refused(
            f"It measures {picture.width} × {picture.height}; sides go from 1 to {MOST_PIXELS_WIDE} pixels."
        )
    return picture


def _read(data: bytes) -> Picture | None:
    try:
        if data.startswith(b"\x89PNG\r\n\x1a\n") and data[12:16] == b"IHDR":
            return Picture("png", *struct.unpack(">II", data[16:24]))
        if data[:6] in (b"GIF87a", b"GIF89a"):
            return Picture("gif", *struct.unpack("<HH", data[6:10]))
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            return _webp(data)
        return _jpeg(data) if data.startswith(b"\xff\xd8\xff") else None
    except (struct.error, IndexError):  # it ends before it says how large it is
        return None


def _webp(data: bytes) -> Picture | None:
    """The three forms of a WebP file: RFC 9649, sections 2.5 to 2.7."""
    form = data[12:16]
    if form == b"VP8X":
        width, height = (int.from_bytes(data[place : place + 3], "little") + 1 for place in (24, 27))
        return Picture("webp", width, height) if len(data) >= 30 else None
    if form == b"VP8L" and data[20] == 0x2F:
        (bits,) = struct.unpack("<I", data[21:25])
        return Picture("webp", (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1)
    if form == b"VP8 " and data[23:26] == b"\x9d\x01\x2a":
        width, height = struct.unpack("<HH", data[26:30])
        return Picture("webp", width & 0x3FFF, height & 0x3FFF)
    return None


def _jpeg(data: bytes) -> Picture | None:
    """Walks the segments to the frame header (SOF0 … SOF15, but for the three codes that are none)."""
    place = 2
    while place < len(data):
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if data[place] != 0xFF or length < 2:
            return None
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return Picture("jpg", width, height)
        place += 2 + length
    return None


def _refused(sentence: str) -> Invalid:
    return Invalid(sentence, details={"file": sentence})
