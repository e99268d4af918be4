"""Two people edit the same thing: the second one is told, and nothing is overwritten."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from django.core.exceptions import ValidationError
from django.db import models

from accounts.models import AuditEntry
from common import clock
from common.errors import Conflict, Invalid, NotFound

Row = TypeVar("Row", bound=models.Model)


def lock(model: type[Row], pk: int) -> Row:
    """The row as it stands now, held until the transaction ends; raises `NotFound`."""
    row = model._default_manager.select_for_update(no_key=True).filter(pk=pk).first()
    if row is None:
        raise NotFound(f"There is no such {model._meta.verbose_name} any more.")
    return row


def check(row: Any, expected_version: int | None) -> None:
    """Raises `Conflict` saying who changed the row since `expected_version` was read; None: no question asked."""
    if expected_version is None or row.version == expected_version:
        return
    last = AuditEntry.objects.filter(object_type=row._meta.label_lower, object_id=str(row.pk)).first()
    who = f"{last.actor} changed it at {last.happened_at:%H:%M} UTC" if last else "somebody changed it"
    raise Conflict(
        f"“{row}” is not what you opened: {who}. Nothing was saved; reload it to see the present state.",
        code="version_conflict",
        details={"version": f"It is {row.version} now; you sent {expected_version}."},
    )


def write(row: Any, changes: Mapping[str, Any]) -> None:
    """Put validated changes on the row, count the edit and save it. Raises `Invalid` by field."""
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    row.updated_at = clock.now()
    clean(row)
    row.save()


def clean(row: models.Model) -> None:
    """Check every stored field by its model; raises `Invalid` with a sentence beside each wrong field."""
    wrong: dict[str, str] = {}
    for field in row._meta.concrete_fields:
        if field.primary_key or not field.editable or field.is_relation:
            continue
        wrong |= _field_error(row, field)
    if wrong:
        raise Invalid("Some fields are wrong; details says which and why.", details=wrong)


def _field_error(row: models.Model, field: Any) -> dict[str, str]:
    value = getattr(row, field.attname)
    if field.blank and value in field.empty_values:
        return {}
    try:
        setattr(row, field.attname, field.clean(value, row))
    except ValidationError as error:
        return {field.name: " ".join(error.messages)}
    return {}
