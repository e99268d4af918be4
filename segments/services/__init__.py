"""Every write of this room."""

from __future__ import annotations

from segments.services.build import rebuild
from segments.services.definitions import (
    cancel_build,
    create_segment,
    delete_segment,
    request_rebuild,
    update_segment,
)
from segments.services.dependencies import lock as lock_references
from segments.services.members import add_contacts, remove_contacts
from segments.services.records import note_export, restore_version
from segments.services.uploads import upload_contacts

__all__ = [
    "add_contacts",
    "cancel_build",
    "create_segment",
    "delete_segment",
    "lock_references",
    "note_export",
    "rebuild",
    "remove_contacts",
    "request_rebuild",
    "restore_version",
    "update_segment",
    "upload_contacts",
]
