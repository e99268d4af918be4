"""What cameras write beside a picture does not stay in it. `phone.jpg` was encoded by Chromium and carries what
phones write: device, moment, GPS position (54°30′ N, 18°33′ E) and XMP, on its side, with a film behind its end."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts.models import Organization
from campaigns.domain import metadata, pictures
from campaigns.models import MailPicture
from campaigns.tests.test_pictures import png, store, upload  # noqa: F401 - a fixture

PHONE = (Path(__file__).parent / "pictures" / "phone.jpg").read_bytes()
TALES = (b"Harbour", b"2026:11:21", b"GPSLatitude", b"taken by Ada", b"ftypmp42", struct.pack(">II", 54, 1))
ON_ITS_SIDE = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"


def test_a_photo_keeps_its_pixels_and_its_way_up_and_nothing_else() -> None:
    clean = metadata.without("jpg", PHONE)

    assert all(tale in PHONE and tale not in clean for tale in TALES)
    assert ON_ITS_SIDE in clean
    assert pictures.examine(clean) == pictures.examine(PHONE)
    pixels = PHONE[PHONE.index(b"\xff\xdb") : PHONE.index(b"ftypmp42")]
    assert clean.endswith(pixels)
    assert metadata.without("jpg", clean) == clean


def test_what_is_kept_in_the_library_tells_nothing(organization: Organization, api: APIClient, store: Path) -> None:  # noqa: F811
    answer = upload(api, PHONE, "harbour.jpg")

    assert answer.status_code == 201
    [kept] = [path for path in store.rglob("*") if path.is_file()]
    assert kept.read_bytes() == metadata.without("jpg", PHONE)
    picture = MailPicture.objects.get()
    assert (picture.byte_count, picture.width, picture.height) == (len(kept.read_bytes()), 24, 16)


def test_a_damaged_photo_is_refused_and_nothing_is_kept(
    organization: Organization,
    api: APIClient,
    store: Path,  # noqa: F811
) -> None:
    tables = PHONE.index(b"\xff\xc4")
    answer = upload(api, PHONE[:tables] + b"\xff\xc4\xff\xff", "harbour.jpg")

    assert answer.status_code == 400
    assert "damaged" in answer.json()["details"]["file"]
    assert not MailPicture.objects.exists()
    assert [*store.rglob("*")] == []


def test_a_png_loses_its_words_and_keeps_its_way_up() -> None:
    exif = PHONE[PHONE.index(b"MM\0*") : PHONE.index(b"\xff\xe1", 40)]
    told = metadata._png_chunk(b"eXIf", exif) + metadata._png_chunk(b"tEXt", b"Author\0Ada")
    plain = png()
    head = plain.index(b"IDAT") - 4

    clean = metadata.without("png", plain[:head] + told + plain[head:] + b"behind the end")

    assert metadata.without("png", plain) == plain
    turned = metadata._png_chunk(b"eXIf", ON_ITS_SIDE.removeprefix(b"Exif\0\0"))
    assert clean == plain[:head] + turned + plain[head:]


def test_a_webp_loses_its_exif_and_xmp_and_says_so_in_its_head() -> None:
    def chunk(name: bytes, body: bytes) -> bytes:
        return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)

    def webp(flags: int, *chunks: bytes) -> bytes:
        size = (99).to_bytes(3, "little") + (49).to_bytes(3, "little")
        body = b"WEBP" + chunk(b"VP8X", bytes([flags, 0, 0, 0]) + size) + b"".join(chunks)
        return b"RIFF" + struct.pack("<I", len(body)) + body

    pixels = chunk(b"VP8 ", b"\0\0\0\x9d\x01\x2a")
    exif = PHONE[PHONE.index(b"MM\0*") : PHONE.index(b"\xff\xe1", 40)]
    upright = exif.replace(struct.pack(">HHIH", 0x112, 3, 1, 6), struct.pack(">HHIH", 0x112, 3, 1, 1))

    clean = metadata.without("webp", webp(0x1C, pixels, chunk(b"EXIF", exif), chunk(b"XMP ", b"<x>")))
    plain = metadata.without("webp", webp(0x0C, pixels, chunk(b"EXIF", upright), chunk(b"XMP ", b"<x>")))

    assert clean == webp(0x18, pixels, chunk(b"EXIF", ON_ITS_SIDE.removeprefix(b"Exif\0\0")))
    assert plain == webp(0, pixels)


@given(st.sampled_from(["jpg", "png", "webp"]), st.binary(max_size=60), st.integers(0, len(PHONE)))
def test_any_bytes_are_cleaned_or_refused(kind: str, tail: bytes, length: int) -> None:
    heads = {"jpg": PHONE[:length], "png": png()[: length % 60], "webp": b"RIFF\0\0\0\0WEBPVP8X"}
    try:
        clean = metadata.without(kind, heads[kind] + tail)
    except metadata.Damaged:
        return
    assert b"Harbour" not in clean or kind != "jpg"


@pytest.mark.parametrize(
    "exif", [b"", b"MM", b"XX\0*\0\0\0\x08", b"II*\0\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff"]
)
def test_what_is_no_exif_says_nothing_of_the_way_up(exif: bytes) -> None:
    assert metadata._orientation(exif) == 1
