"""What people do with a segment beside changing it: bring an earlier rule back, take its members out as a file."""

from __future__ import annotations

from django.db import transaction

from accounts import audit
from common.errors import Conflict
from segments.insight import versions
from segments.models import Segment
from segments.services.definitions import update_segment


def restore_version(segment: Segment, number: int) -> Segment:
    """Make the rule of an earlier version the current one again, as a new version.

    Raises `NotFound`, `Conflict` when it is the rule already, `Invalid` when it speaks of what is gone.
    """
    version = versions.find(segment, number)
    segment.refresh_from_db(fields=["rule"])
    if version.rule == segment.rule:
        raise Conflict(f"Version {number} is the rule of “{segment}” already.", code="same_rule")
    with transaction.atomic():
        changed = update_segment(segment, rule=version.rule)
        after = {"restored_version": number, "version_number": changed.version_number}
        audit.record("restore_version", changed, after=after)
    return changed


def note_export(segment: Segment, contact_count: int) -> None:
    """Write into the audit log that members were taken out as a file."""
    audit.record("export", segment, after={"contact_count": contact_count})
