"""Who is in a segment now: searched, filtered, paged, exported."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce

from audience.models import AttributeDefinition, Contact
from segments.insight.composition import FIELDS
from segments.models import Membership, Segment
from segments.rules.catalogue import CUSTOM

PAGE_SIZE = 50
EXPORT_BLOCK = 5_000
COLUMNS = (
    "user_id", "name", "email", "phone", "status", "city", "region", "country", "timezone", "locale", "source",
)  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """`text` is looked for in name, e-mail and user id; `field` and `value` narrow to one value ("" is not set)."""

    text: str = ""
    field: str = ""
    value: str = ""


def members(segment: Segment, wanted: Wanted) -> QuerySet[Membership]:
    """Open memberships with their contacts, the youngest contact first. Plan: one_open_membership, in its order."""
    rows = Membership.objects.filter(segment=segment, left_at=None).select_related("contact").order_by("-contact_id")
    if wanted.text:
        text = wanted.text
        rows = rows.filter(
            Q(contact__name__icontains=text) | Q(contact__email__istartswith=text) | Q(contact__user_id=text)
        )
    if wanted.field in FIELDS:
        rows = rows.filter(**{f"contact__{wanted.field}": wanted.value})
    elif wanted.field.startswith(CUSTOM):
        rows = _with_attribute(rows, wanted.field.removeprefix(CUSTOM), wanted.value)
    return rows


def _with_attribute(rows: QuerySet[Membership], name: str, value: str) -> QuerySet[Membership]:
    """By the attribute as text, as the composition counts it."""
    text = Coalesce(KeyTextTransform(name, "contact__attributes"), Value(""), output_field=TextField())
    return rows.annotate(chosen=text).filter(chosen=value)


def page(rows: QuerySet[Membership], before: int | None) -> tuple[list[Membership], int | None]:
    """One page, and the contact id before which the next one starts."""
    found = list((rows.filter(contact_id__lt=before) if before else rows)[: PAGE_SIZE + 1])
    return found[:PAGE_SIZE], found[PAGE_SIZE - 1].contact_id if len(found) > PAGE_SIZE else None


def export_header() -> tuple[list[str], list[str]]:
    """The titles of an export's columns, and the attributes among them."""
    attributes = list(AttributeDefinition.objects.order_by("name").values_list("name", flat=True))
    return ["id", *COLUMNS, "tags", "entered_at", *attributes], attributes


def export(rows: QuerySet[Membership], attributes: Sequence[str]) -> Iterator[list[Any]]:
    """The lines of an export, block by block: no long transaction, no more than a block in memory."""
    stays = rows.select_related(None).values_list("contact_id", "entered_at")
    before: int | None = None
    while True:
        block = list((stays.filter(contact_id__lt=before) if before else stays)[:EXPORT_BLOCK])
        yield from _lines(block, attributes)
        if len(block) < EXPORT_BLOCK:
            return
        before = block[-1][0]


def _lines(block: Sequence[tuple[int, datetime]], attributes: Sequence[str]) -> Iterator[list[Any]]:
    """Plan: by primary key; a join of the block would read all contacts for each."""
    contacts = Contact.objects.filter(pk__in=[contact_id for contact_id, _ in block])
    known = {row[0]: row[1:] for row in contacts.values_list("pk", *COLUMNS, "tags", "attributes")}
    for contact_id, entered_at in block:
        if contact_id in known:
            *plain, tags, document = known[contact_id]
            own = [_cell(document.get(name)) for name in attributes]
            yield [contact_id, *plain, ", ".join(tags), entered_at.isoformat(), *own]


def _cell(value: Any) -> Any:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else value
