"""What cameras and programs write beside a picture: taken out before anybody may fetch it.

A photo of a phone says where it was taken, when, and with which device. Kept are the colours' profile and the way up
(EXIF's orientation), without which the picture would look different.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

EXIF = b"Exif\0\0"
PROFILE = b"ICC_PROFILE\0"
ORIENTATION = 0x0112
UPRIGHT = 1
# JPEG: APP0 says the density, APP14 how Adobe mixed the colours.
JFIF, APP1, APP2, ADOBE, COMMENT = 0xE0, 0xE1, 0xE2, 0xEE, 0xFE
SCAN, END = 0xDA, 0xD9
# Within a scan FF stands before 00 and before the restart marks D0 to D7; before anything else it ends the scan.
SCAN_ENDS = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
PNG_WORDS = frozenset({b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf"})
WEBP_WORDS = frozenset({b"EXIF", b"XMP "})
WEBP_HAS_EXIF, WEBP_HAS_XMP = 0x08, 0x04


class Damaged(ValueError):
    """The file breaks off, or its parts do not follow each other."""


def without(kind: str, data: bytes) -> bytes:
    """The picture alone, pixel for pixel as it was. Raises `Damaged`. GIF has no place for what cameras write."""
    cleaner = CLEANERS.get(kind)
    try:
        return cleaner(data) if cleaner else data
    except (struct.error, IndexError) as error:
        raise Damaged(str(error)) from error


# --- JPEG (ITU-T T.81, annex B) ---------------------------------------------------------------------------


def _jpeg(data: bytes) -> bytes:
    """Also without what follows the end: phones hang a second picture, or a film, with its own EXIF there."""
    turned = UPRIGHT
    kept = []
    for marker, part in _segments(data):
        if marker == APP1 and part[4:].startswith(EXIF):
            turned = _orientation(part[4 + len(EXIF) :])
        if not _tells_tales(marker, part):
            kept.append(part)
    first = 1 if kept and kept[0][1] == JFIF else 0  # JFIF stands first
    if turned != UPRIGHT:
        body = EXIF + _turned(turned)
        kept.insert(first, struct.pack(">BBH", 0xFF, APP1, len(body) + 2) + body)
    return b"\xff\xd8" + b"".join(kept)


def _tells_tales(marker: int, part: bytes) -> bool:
    if marker == APP2:
        return not part[4:].startswith(PROFILE)
    return marker == COMMENT or (JFIF < marker <= 0xEF and marker != ADOBE)


def _segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and bytes of each segment behind the start, a scan together with its pixels."""
    place = 2
    while place < len(data):
        if data[place] != 0xFF:
            raise Damaged("a segment does not begin where it should")
        marker = data[place + 1]
        if marker == END:
            yield marker, data[place : place + 2]
            return
        if marker == 0xFF:  # a filling byte
            place += 1
            continue
        (length,) = struct.unpack(">H", data[place + 2 : place + 4])
        end = place + 2 + length
        if marker == SCAN:
            found = SCAN_ENDS.search(data, end)
            end = found.start() if found else len(data)
        if length < 2 or end > len(data):
            raise Damaged("a segment is longer than the file")
        yield marker, data[place:end]
        place = end


# --- PNG (W3C, third edition) -----------------------------------------------------------------------------


def _png(data: bytes) -> bytes:
    turned = UPRIGHT
    kept = [data[:8]]
    place = 8
    while place < len(data):
        (length,) = struct.unpack(">I", data[place : place + 4])
        name, end = data[place + 4 : place + 8], place + 12 + length
        if end > len(data):
            raise Damaged("a chunk is longer than the file")
        if name == b"eXIf":
            turned = _orientation(data[place + 8 : end - 4])
        elif name not in PNG_WORDS:
            kept.append(data[place:end])
        if name == b"IEND":
            break
        place = end
    if turned != UPRIGHT:
        kept.insert(2, _png_chunk(b"eXIf", _turned(turned)))
    return b"".join(kept)


def _png_chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


# --- WebP (RFC 9649, section 2.7) -------------------------------------------------------------------------


def _webp(data: bytes) -> bytes:
    """Only the extended form has a place for it."""
    if data[12:16] != b"VP8X":
        return data
    turned = UPRIGHT
    kept = []
    place = 12
    while place + 8 <= len(data):
        name, (length,) = data[place : place + 4], struct.unpack("<I", data[place + 4 : place + 8])
        end = place + 8 + length + length % 2
        if place + 8 + length > len(data):
            raise Damaged("a chunk is longer than the file")
        if name == b"EXIF":
            turned = _orientation(data[place + 8 : place + 8 + length].removeprefix(EXIF))
        elif name not in WEBP_WORDS:
            kept.append(data[place:end])
        place = end
    head = bytearray(kept[0])
    head[8] &= ~(WEBP_HAS_EXIF | WEBP_HAS_XMP)
    if turned != UPRIGHT:
        head[8] |= WEBP_HAS_EXIF
        body = _turned(turned)
        kept.append(b"EXIF" + struct.pack("<I", len(body)) + body)
    kept[0] = bytes(head)
    body = b"WEBP" + b"".join(kept)
    return b"RIFF" + struct.pack("<I", len(body)) + body


# --- EXIF (a TIFF of one directory, CIPA DC-008) ----------------------------------------------------------


def _orientation(tiff: bytes) -> int:
    """1 (upright) to 8; 1 for what cannot be read."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return UPRIGHT
    try:
        (start,) = struct.unpack(f"{order}I", tiff[4:8])
        (count,) = struct.unpack(f"{order}H", tiff[start : start + 2])
        for number in range(count):
            entry = start + 2 + 12 * number
            tag, _, _, value = struct.unpack(f"{order}HHIH", tiff[entry : entry + 10])
            if tag == ORIENTATION:
                return value if UPRIGHT <= value <= 8 else UPRIGHT
    except struct.error:
        return UPRIGHT
    return UPRIGHT


def _turned(orientation: int) -> bytes:
    """An EXIF block that says which way is up, and nothing else: one entry, a SHORT."""
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, ORIENTATION, 3, 1, orientation, 0, 0)


CLEANERS = {"jpg": _jpeg, "png": _png, "webp": _webp}
