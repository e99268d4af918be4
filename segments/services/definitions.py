"""Segments themselves: every change is a version where the rule changed, and is in the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import F, ProtectedError
from django.utils.text import slugify

from accounts import actor, audit
from common import clock, doorbell, tenancy
from common.errors import Conflict, Invalid
from segments import rules, uses
from segments.models import (
    FlipCheck,
    Membership,
    Recheck,
    Segment,
    SegmentKind,
    SegmentStatus,
    SegmentVersion,
)
from segments.rules import catalogue
from segments.rules.conditions import by_id
from segments.rules.tree import Rule
from segments.services import dependencies, progress

PLAIN_FIELDS = {"name", "slug", "description", "tags", "is_active"}
# Words of the API's own addresses: a segment with such a slug could not be read by it.
RESERVED_SLUGS = {"language", "patterns", "preview", "suggest-values", "suggestions"}
DELETE_SQL = "DELETE FROM {table} WHERE organization_id = %s AND segment_id = %s"


def create_segment(
    *,
    name: str,
    rule: Any = None,
    slug: str = "",
    kind: str = "",
    description: str = "",
    tags: Sequence[str] = (),
    is_active: bool = True,
) -> Segment:
    """Make a segment: dynamic with a rule (built in the background), static without.

    Raises `Invalid` for a rule that does not hold, `Conflict` when the slug is taken.
    """
    kind = kind or (SegmentKind.STATIC if rule is None else SegmentKind.DYNAMIC)
    segment = Segment(
        name=_checked_name(name),
        slug=slug or _free_slug(name),
        kind=kind,
        description=description,
        tags=list(tags),
        is_active=is_active,
    )
    with transaction.atomic():
        dependencies.lock()
        definition = _checked_rule(kind, rule)
        _save(segment)
        if definition is not None:
            _adopt_rule(segment, definition)
        audit.created(segment)
    return segment


def update_segment(segment: Segment, **changes: Any) -> Segment:
    """Change name, slug, description, tags, is_active or rule. A changed rule becomes a version and is rebuilt.

    Raises `Invalid` for an unknown field or a rule that does not hold, `Conflict` when the slug is taken.
    """
    if unknown := changes.keys() - PLAIN_FIELDS - {"rule", "kind"}:
        raise Invalid(f"A segment has no {', '.join(sorted(unknown))} to change.")
    with transaction.atomic():
        if "rule" in changes:
            dependencies.lock()
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        if changes.get("kind", segment.kind) != segment.kind:
            raise Invalid(
                "The kind of a segment stays; make a new segment instead.",
                details={"kind": "The kind of a segment stays; make a new segment instead."},
            )
        with audit.changing(segment):
            _apply(segment, changes)
    return segment


def _apply(segment: Segment, changes: dict[str, Any]) -> None:
    was_active = segment.is_active
    for field in PLAIN_FIELDS & changes.keys():
        setattr(segment, field, changes[field])
    segment.name = _checked_name(segment.name)
    segment.slug = segment.slug or _free_slug(segment.name)
    segment.updated_at = clock.now()
    _save(segment)
    definition = None
    if "rule" in changes and changes["rule"] != segment.rule:
        definition = _checked_rule(segment.kind, changes["rule"], segment.pk)
    if definition is not None and definition.json != segment.rule:
        _adopt_rule(segment, definition)
    elif segment.is_active and not was_active and segment.kind == SegmentKind.DYNAMIC:
        _wait_for_build(segment)


def delete_segment(segment: Segment) -> None:
    """Delete a segment with its history. Raises `Conflict` with the names of those that use it (`segments.uses`)."""
    try:
        with transaction.atomic():
            dependencies.lock()
            uses.check_unused(segment)
            audit.deleted(segment)
            _delete_rows(segment.pk)
            segment.delete()
    except ProtectedError as error:  # by a row that came at this very moment, or that no finder knows
        told = ", ".join(sorted({str(row._meta.verbose_name) for row in error.protected_objects}))
        raise Conflict(f"“{segment.name}” is used by {told}; take it out there first.", code="in_use") from error


def request_rebuild(segment: Segment) -> Segment:
    """Have every contact looked at again in the background. Raises `Conflict` for a static or inactive segment."""
    if segment.kind != SegmentKind.DYNAMIC:
        raise Conflict("A static segment has no rule to build from; add and remove its contacts instead.")
    if not segment.is_active:
        raise Conflict("This segment is not active; activate it and it is built.")
    with transaction.atomic():
        _wait_for_build(segment)
    return segment


def cancel_build(segment: Segment) -> Segment:
    """Stop a build. The rule whose members stand is put back; a segment that was never built becomes inactive.

    Raises `Conflict` when the segment is not being built (any more).
    """
    with transaction.atomic():
        dependencies.lock()
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        if segment.status != SegmentStatus.BUILDING:
            raise Conflict("This segment is not being built; there is nothing to stop.")
        with audit.changing(segment, "cancel_build"):
            _put_back(segment)
        transaction.on_commit(lambda: progress.interrupt(segment.pk))
        doorbell.ring("flips")  # for those who changed while it was built
    return segment


def _put_back(segment: Segment) -> None:
    """Whoever changed meanwhile was noted by what the new rule reads, so another rule is looked at once more."""
    if not segment.built_version:
        segment.is_active, segment.status = False, SegmentStatus.READY
    elif segment.built_version == segment.version_number:
        segment.status = SegmentStatus.READY
    else:
        earlier = segment.versions.get(number=segment.built_version)
        _adopt_rule(segment, _checked_rule_of(segment, earlier.rule))
    segment.save(update_fields=["is_active", "status"])


def _checked_rule_of(segment: Segment, rule: Any) -> _Definition:
    definition = _checked_rule(segment.kind, rule, segment.pk)
    assert definition is not None  # a segment with versions is dynamic
    return definition


def _checked_name(name: str) -> str:
    name = name.strip()
    if not name:
        raise Invalid("A segment needs a name.", details={"name": "A segment needs a name."})
    return name


@dataclass(frozen=True)
class _Definition:
    """A rule as it is stored (segments by id), and as it was read."""

    json: Any
    parsed: Rule


def _checked_rule(kind: str, rule: Any, segment_id: int | None = None) -> _Definition | None:
    if kind == SegmentKind.STATIC:
        if rule is not None:
            raise Invalid("A static segment has no rule.", details={"rule": "A static segment has no rule."})
        return None
    if rule is None:
        raise Invalid("A dynamic segment needs a rule.", details={"rule": "A dynamic segment needs a rule."})
    known = catalogue.load(segment_id)
    parsed = rules.parse(rule, known)
    return _Definition(by_id(rule, known), parsed)


def _free_slug(name: str) -> str:
    base = slugify(name)[:90] or "segment"
    taken = RESERVED_SLUGS | set(Segment.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return (
        base
        if base not in taken
        else next(slug for number in range(2, len(taken) + 3) if (slug := f"{base}-{number}") not in taken)
    )


def _save(segment: Segment) -> None:
    if segment.slug in RESERVED_SLUGS:
        told = f"“{segment.slug}” is a word of the API; choose another slug."
        raise Invalid(told, details={"slug": told})
    try:
        with transaction.atomic():
            segment.save()
    except IntegrityError as error:
        raise Conflict(
            f"There is already a segment with the slug “{segment.slug}”.",
            code="slug_taken",
            details={"slug": "Another segment has this slug."},
        ) from error


def _adopt_rule(segment: Segment, definition: _Definition) -> None:
    """Make this rule the segment's current version and have it built."""
    segment.rule = definition.json
    segment.version_number += 1
    segment.save(update_fields=["rule", "version_number"])
    SegmentVersion.objects.create(
        segment=segment, number=segment.version_number, rule=segment.rule, author=actor.current().name
    )
    dependencies.write(segment, definition.parsed)
    _wait_for_build(segment)


def _wait_for_build(segment: Segment) -> None:
    segment.status = SegmentStatus.BUILDING
    segment.error = ""
    Segment.objects.filter(pk=segment.pk).update(
        status=segment.status, error=segment.error, asked_count=F("asked_count") + 1
    )
    transaction.on_commit(lambda: progress.interrupt(segment.pk))  # a build of what it was before is in vain
    doorbell.ring("segment_builds")


def _delete_rows(segment_id: int) -> None:
    """Memberships may be millions: one statement per table instead of Django's collector."""
    with tenancy.engine(), connection.cursor() as cursor:
        for model in (Membership, FlipCheck, Recheck):
            cursor.execute(DELETE_SQL.format(table=model._meta.db_table), [tenancy.required(), segment_id])
