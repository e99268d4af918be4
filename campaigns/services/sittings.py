"""Autosave in the audit log: one entry for what one person types at one sitting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.db import models

from accounts import actor, audit
from accounts.models import AuditEntry
from common import clock

AUTOSAVE = "autosave"
SITTING = timedelta(minutes=15)


def last_entry(row: models.Model) -> AuditEntry | None:
    """Who did what with the row last."""
    entries = AuditEntry.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk))
    return entries.order_by("-id").first()


@contextmanager
def sitting(held: models.Model) -> Iterator[None]:
    """What is changed on the row inside is told once, when this person begins to type."""
    last = last_entry(held)
    goes_on = (
        last is not None
        and last.action == AUTOSAVE
        and last.actor == actor.current().name
        and last.happened_at > clock.now() - SITTING
    )
    before = audit.snapshot(held)
    yield
    if not goes_on:
        audit.record(AUTOSAVE, held, before=before, after=audit.snapshot(held))
