"""The audit log: every change to a marketing object, before → after (ACC-4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec
from django.db import models

from accounts import actor
from accounts.models import AuditEntry

SECRET_FIELDS = {"password", "key_hash", "secret", "sealed_secrets"}
LONGEST_TEXT = 20_000


def snapshot(instance: models.Model) -> dict[str, Any]:
    """The stored values of a row as plain JSON, secrets left out."""
    values = {
        field.attname: getattr(instance, field.attname)
        for field in instance._meta.concrete_fields
        if field.attname not in SECRET_FIELDS
    }
    plain = msgspec.to_builtins(values, enc_hook=str)
    return {key: value[:LONGEST_TEXT] if isinstance(value, str) else value for key, value in plain.items()}


def record(
    action: str,
    instance: models.Model,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one entry. With both snapshots only the fields that differ are kept; no difference, no entry."""
    if before is not None and after is not None:
        changed = {key for key in before.keys() | after.keys() if before.get(key) != after.get(key)}
        if not changed:
            return
        before = {key: before.get(key) for key in sorted(changed)}
        after = {key: after.get(key) for key in sorted(changed)}
    _entry(action, instance, before, after).save()


def record_alike(
    action: str, instances: Sequence[models.Model], before: dict[str, Any], after: dict[str, Any]
) -> None:
    """The same entry for many rows to which the same happened, in one statement."""
    AuditEntry.objects.bulk_create(_entry(action, instance, before, after) for instance in instances)


def _entry(
    action: str, instance: models.Model, before: dict[str, Any] | None, after: dict[str, Any] | None
) -> AuditEntry:
    who = actor.current()
    return AuditEntry(
        actor=who.name,
        address=who.address,
        action=action,
        object_type=instance._meta.label_lower,
        object_id=str(instance.pk),
        object_name=str(instance)[:300],
        before=before,
        after=after,
    )


def created(instance: models.Model) -> None:
    record("create", instance, after=snapshot(instance))


def deleted(instance: models.Model) -> None:
    """Call before the row is deleted."""
    record("delete", instance, before=snapshot(instance))


@contextmanager
def changing(instance: models.Model, action: str = "change") -> Iterator[None]:
    """Record what the block changes on `instance` (it must save it)."""
    stored = type(instance)._default_manager.filter(pk=instance.pk).first()
    before = snapshot(stored) if stored else {}
    yield
    record(action, instance, before=before, after=snapshot(instance))
