from __future__ import annotations

import hashlib
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import ApiKeyKind, AuditEntry, Organization
from campaigns.domain import pictures
from campaigns.models import MailPicture
from common.errors import Invalid

ADDRESS = "/api/v1/pictures/"


def png(width: int = 3, height: int = 2) -> bytes:
    """A whole PNG of one grey."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = b"".join(b"\0" + b"\x88" * width for _ in range(height))
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


GIF = b"GIF89a" + struct.pack("<HH", 7, 5) + b"\0\0\0;"
JPEG = b"\xff\xd8\xff\xe0\0\x04ab\xff\xc0\0\x0b\x08" + struct.pack(">HH", 9, 16) + b"\x01\x01\x11\0\xff\xd9"
LOSSY = b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0\0\0\x9d\x01\x2a" + struct.pack("<HH", 12, 11)
LOSSLESS = b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", (40 - 1) | (30 - 1) << 14)
EXTENDED = b"RIFF\0\0\0\0WEBPVP8X\0\0\0\0\0\0\0\0" + (99).to_bytes(3, "little") + (49).to_bytes(3, "little")


@pytest.fixture
def store(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path
    settings.PUBLIC_URL = "https://mail.example"
    return tmp_path


def upload(api: APIClient, data: bytes, name: str = "jumper.png", alt: str = "A red jumper") -> Any:
    return api.post(ADDRESS, {"file": SimpleUploadedFile(name, data), "alt": alt}, format="multipart")


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (png(), ("png", 3, 2)),
        (GIF, ("gif", 7, 5)),
        (JPEG, ("jpg", 16, 9)),
        (LOSSY, ("webp", 12, 11)),
        (LOSSLESS, ("webp", 40, 30)),
        (EXTENDED, ("webp", 100, 50)),
    ],
)
def test_a_picture_is_known_by_its_bytes(data: bytes, told: tuple[str, int, int]) -> None:
    assert pictures.examine(data) == pictures.Picture(*told)


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='x'><script>alert(1)</script></svg>", b"<html>", b"%PDF-1.7", b"\xff\xd8\xff",
        b"GIF89a", b"\x89PNG\r\n\x1a\n", JPEG[:12], LOSSLESS[:21], EXTENDED[:26],
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid, match="no PNG, JPEG, GIF or WebP picture"):
        pictures.examine(data)


@given(
    st.binary(max_size=80),
    st.sampled_from(
        [b"", b"\x89PNG\r\n\x1a\n\0\0\0\0IHDR", b"GIF89a", b"\xff\xd8\xff", LOSSY[:16], LOSSLESS[:20], EXTENDED[:16]]
    ),
)
def test_any_bytes_are_a_picture_or_a_refusal(data: bytes, start: bytes) -> None:
    try:
        seen = pictures.examine(start + data)
    except Invalid:
        return
    assert seen.width > 0 and seen.height > 0


def test_too_large_a_picture_is_refused() -> None:
    with pytest.raises(Invalid, match=r"may have 4 MB; this one has 4\.0"):
        pictures.examine(png() + b"\0" * pictures.MOST_BYTES)
    with pytest.raises(Invalid, match="It measures 6001 × 1"):
        pictures.examine(png(6001, 1))


def test_a_picture_is_kept_under_its_content_and_served_to_everybody(api: APIClient, store: Path) -> None:
    answer = upload(api, png(), name="../../evil.html")

    checksum = hashlib.sha256(png()).hexdigest()
    assert answer.status_code == 201, answer.json()
    said = answer.json()
    assert said["url"] == f"https://mail.example/pictures/{checksum}.png"
    assert (said["name"], said["alt"], said["width"], said["height"]) == ("evil.html", "A red jumper", 3, 2)
    assert [path.name for path in store.rglob("*.*")] == [f"{checksum}.png"]
    assert AuditEntry.objects.filter(object_type="campaigns.mailpicture").count() == 1

    served = Client().get(f"/pictures/{checksum}.png")
    assert (served.status_code, b"".join(served.streaming_content)) == (200, png())  # type: ignore[attr-defined]
    assert served["Content-Type"] == "image/png"
    assert "immutable" in served["Cache-Control"]
    assert served["X-Content-Type-Options"] == "nosniff"


def test_the_same_picture_twice_is_one_with_the_new_words(api: APIClient, store: Path) -> None:
    first = upload(api, png()).json()
    second = upload(api, png(), alt="A jumper, red").json()

    assert (second["id"], second["alt"]) == (first["id"], "A jumper, red")
    assert MailPicture.objects.count() == 1


@pytest.mark.parametrize(("data", "alt", "field"), [(b"<svg/>", "Words", "file"), (png(), "  ", "alt")])
def test_a_refused_picture_leaves_nothing(api: APIClient, store: Path, data: bytes, alt: str, field: str) -> None:
    answer = upload(api, data, alt=alt)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [field])
    assert not MailPicture.objects.exists()
    assert not list(store.rglob("*.*"))


def test_what_left_the_library_is_still_served(api: APIClient, store: Path) -> None:
    said = upload(api, png()).json()

    assert api.delete(f"{ADDRESS}{said['id']}/").status_code == 204
    assert not MailPicture.objects.exists()
    assert Client().get(said["url"].removeprefix("https://mail.example")).status_code == 200


@pytest.mark.parametrize("name", ["a.png", "..%2f..%2fsettings.py", f"{'0' * 64}.svg", f"{'0' * 64}.png"])
def test_nothing_else_is_served(store: Path, name: str, db: None) -> None:
    (store / "a.png").write_bytes(png())

    assert Client().get(f"/pictures/{name}").status_code == 404


def test_who_may_only_read_cannot_add(organization: Organization, store: Path) -> None:
    reader = APIClient()
    key = accounts.issue_key("reader", ApiKeyKind.SECRET, scopes=["campaigns:read"])[1]
    reader.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    assert upload(reader, png()).status_code == 403
    assert reader.get(ADDRESS).json()["results"] == []
    assert not MailPicture.objects.exists()


def test_the_library_is_the_organisations_own(api: APIClient, stranger_api: APIClient, store: Path) -> None:
    said = upload(api, png()).json()

    assert stranger_api.get(ADDRESS).json()["results"] == []
    assert stranger_api.delete(f"{ADDRESS}{said['id']}/").status_code == 404
    assert upload(stranger_api, png()).json()["url"] == said["url"]
    assert MailPicture.objects.count() == 1
