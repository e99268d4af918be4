"""The library of pictures: files named by their content, so that a mail that was sent shows what was sent."""

from __future__ import annotations

import hashlib
from pathlib import PurePath

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.urls import reverse

from accounts import audit
from campaigns.domain import metadata, pictures
from campaigns.models import MailPicture
from common.errors import Invalid

FOLDER = "pictures"


def add_picture(data: bytes, *, name: str, alt: str) -> MailPicture:
    """Keep a picture without what its camera wrote beside it; the same one gives the picture that is there, with
    the new words.

    Raises `Invalid` for what is no picture, is too large, or says nothing to those who do not see it.
    """
    words = alt.strip()
    if not words:
        sentence = "Say what the picture shows: it is read aloud, and stands there where pictures are blocked."
        raise Invalid(sentence, details={"alt": sentence})
    seen = pictures.examine(data)
    data = _alone(seen.kind, data)
    checksum = hashlib.sha256(data).hexdigest()
    _keep(f"{checksum}.{seen.kind}", data)
    with transaction.atomic():
        held = MailPicture.objects.select_for_update().filter(checksum=checksum).first()
        if held is not None:
            with audit.changing(held):
                held.alt = words[:300]
                held.save(update_fields=["alt"])
            return held
        picture = MailPicture.objects.create(
            name=PurePath(name).name[:200] or "Picture", alt=words[:300], kind=seen.kind, checksum=checksum,
            width=seen.width, height=seen.height, byte_count=len(data),
        )  # fmt: skip
        audit.created(picture)
    return picture


def _alone(kind: str, data: bytes) -> bytes:
    try:
        return metadata.without(kind, data)
    except metadata.Damaged as error:
        sentence = f"The picture is damaged: {error}. Save it once more and try again."
        raise Invalid(sentence, details={"file": sentence}) from error


def delete_picture(picture: MailPicture) -> None:
    """Out of the library. The file stays: mail that was sent, and templates that use it, go on showing it."""
    with transaction.atomic():
        audit.deleted(picture)
        picture.delete()


def address(picture: MailPicture) -> str:
    """Where everybody may fetch it."""
    return f"{settings.PUBLIC_URL}{reverse('picture', args=[picture.file_name])}"


def stored_at(file_name: str) -> str:
    """The place of a picture in the storage."""
    return f"{FOLDER}/{file_name[:2]}/{file_name}"


def _keep(file_name: str, data: bytes) -> None:
    place = stored_at(file_name)
    if not default_storage.exists(place):
        default_storage.save(place, ContentFile(data))
