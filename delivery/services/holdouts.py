"""Holdouts: who gets nothing. Set here, drawn by the judge, written down by the claim."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction

from accounts import audit
from common import tenancy
from common.errors import Conflict, Invalid
from delivery.models import HeldOut, Holdout

NOTE_SQL = """
INSERT INTO delivery_heldout (
       organization_id, holdout_id, period, contact_id, source_type, source_id, message_id, happened_at)
SELECT %(organization)s, noted.holdout_id, noted.period, noted.contact_id, noted.source_type, noted.source_id,
       noted.message_id, %(now)s
  FROM unnest(%(holdouts)s::bigint[], %(periods)s::int[], %(contacts)s::bigint[], %(types)s::text[],
              %(sources)s::bigint[], %(messages)s::bigint[])
       AS noted(holdout_id, period, contact_id, source_type, source_id, message_id)
    ON CONFLICT (organization_id, message_id) DO NOTHING
"""


def note(judged: Iterable[Sequence[Any]], now: datetime) -> None:
    """Write down who was held out, for rows of
    (message, status, source type, source, holdout, period, contact), in the claim's transaction."""
    rows = [row for row in judged if row[4] is not None and row[1] == "refused"]
    if not rows:
        return
    messages, _, types, sources, held, periods, contacts = (list(column) for column in zip(*rows, strict=True))
    values: dict[str, Any] = {
        "organization": tenancy.required(), "now": now, "messages": messages, "types": types, "sources": sources,
        "holdouts": held, "periods": periods, "contacts": contacts,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(NOTE_SQL, values)


def save_holdout(holdout: Holdout) -> Holdout:
    """Set a holdout. Raises `Invalid` by field."""
    try:
        holdout.clean_fields(exclude=["organization_id"])
    except ValidationError as error:
        details = {name: " ".join(sentences) for name, sentences in error.message_dict.items()}
        raise Invalid("This holdout cannot be used.", details=details) from error
    if holdout.ends_at is not None and holdout.ends_at <= holdout.starts_at:
        raise Invalid("It would end before it begins.", details={"ends_at": "Choose a later moment."})
    with transaction.atomic():
        if holdout._state.adding:
            holdout.save()
            audit.created(holdout)
        else:
            with audit.changing(holdout):
                holdout.save()
    return holdout


def delete_holdout(holdout: Holdout) -> None:
    """Remove a holdout that never held anybody out; raises `Conflict` for one whose rows are somebody's evidence."""
    with transaction.atomic():
        if HeldOut.objects.filter(holdout=holdout).exists():
            raise Conflict(f"“{holdout}” has held people out; set its end instead.", code="in_use")
        audit.deleted(holdout)
        holdout.delete()


def set_holdout(source_type: str, source_id: int, name: str, percent: Decimal) -> None:
    """Hold a share of a source's contacts out, 0 for none. The draw stays the same when only the share changes."""
    with transaction.atomic():
        holdout = Holdout.objects.select_for_update().filter(source_type=source_type, source_id=source_id).first()
        if holdout is None:
            if percent:
                save_holdout(Holdout(name=name[:200], source_type=source_type, source_id=source_id, percent=percent))
            return
        if holdout.percent != percent or holdout.name != name[:200]:
            holdout.percent, holdout.name = percent, name[:200]
            save_holdout(holdout)
