"""Snippets: written once, put into many mails. Mails take a published version in when they are published."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from accounts import actor, audit
from campaigns.domain.blocks import mentions, parse
from campaigns.domain.blocks import snippets as domain
from campaigns.domain.blocks.tree import Block, segments
from campaigns.models import Snippet, SnippetVersion
from campaigns.services import versions
from common import clock
from common.errors import Conflict, Invalid
from delivery import services as delivery
from segments import selectors as known_segments

FIELDS = frozenset({"name", "slug", "blocks"})


@dataclass(frozen=True)
class Known:
    """The published snippets of some slugs: their blocks, and which version each is."""

    blocks: dict[str, tuple[Block, ...]]
    numbers: dict[str, int]


def published(slugs: Collection[str]) -> Known:
    """What is put into mails for these slugs now; unknown and unpublished ones are left out. One query."""
    rows = (
        SnippetVersion.objects.filter(pk__in=Snippet.objects.filter(slug__in=slugs).values("published"))
        .select_related("snippet")
        .only("blocks", "number", "snippet__slug")
        if slugs
        else []
    )
    known = Known({}, {})
    for row in rows:
        known.blocks[row.snippet.slug] = domain.read(row.blocks)[0]
        known.numbers[row.snippet.slug] = row.number
    return known


def create_snippet(values: Mapping[str, Any], *, is_published: bool = True) -> Snippet:
    """A new snippet, published at once unless told otherwise. Raises `Invalid` by path, `Conflict` for the slug."""
    snippet = Snippet(**_known(values))
    snippet.slug = snippet.slug or slugify(snippet.name)[:100] or "snippet"
    _check_size(snippet.blocks)
    versions.clean(snippet)
    with transaction.atomic():
        _save(snippet)
        audit.created(snippet)
        if is_published:
            publish_snippet(snippet)
    return Snippet.objects.get(pk=snippet.pk)


def update_snippet(snippet: Snippet, changes: Mapping[str, Any], *, expected_version: int | None = None) -> Snippet:
    """Edit the draft; mails go on with what is published. Raises `Conflict` when somebody else was quicker."""
    with transaction.atomic():
        held = versions.lock(Snippet, snippet.pk)
        versions.check(held, expected_version)
        if changes.get("slug", held.slug) != held.slug and held.published_id is not None:
            sentence = "The slug stays: mails name the snippet by it."
            raise Conflict(sentence, code="in_use", details={"slug": sentence})
        _check_size(changes.get("blocks", []))
        with audit.changing(held):
            try:
                with transaction.atomic():
                    versions.write(held, _known(changes))
            except IntegrityError as error:
                raise _taken(str(changes.get("slug"))) from error
    return held


def publish_snippet(snippet: Snippet, *, expected_version: int | None = None) -> SnippetVersion:
    """Fix the draft as a version that mails take in from now on. Raises `Invalid` with the path of each mistake."""
    with transaction.atomic():
        held = versions.lock(Snippet, snippet.pk)
        versions.check(held, expected_version)
        _check(held.blocks)
        with audit.changing(held, "publish"):
            if held.published is None or held.published.blocks != held.blocks:
                latest = held.versions.order_by("-number").values_list("number", flat=True).first() or 0
                held.published = SnippetVersion.objects.create(
                    snippet=held, number=latest + 1, blocks=held.blocks, author=actor.current().name
                )
            held.published_edit = held.version
            held.updated_at = clock.now()
            held.save(update_fields=["published", "published_edit", "updated_at"])
        return held.published


def delete_snippet(snippet: Snippet) -> None:
    """Remove a snippet that no template names; raises `Conflict` with the names of those that do."""
    with transaction.atomic():
        held = versions.lock(Snippet, snippet.pk)
        audit.deleted(held)
        try:
            held.delete()
        except ProtectedError as error:
            names = sorted({str(need.template) for need in held.template_needs.select_related("template")})
            told = ", ".join(f"“{name}”" for name in names[:10])
            raise Conflict(f"“{held}” is used by {told}; take it out there first.", code="in_use") from error


def _check(blocks: Sequence[Any]) -> None:
    read, problems = domain.read(blocks)
    if not read and not problems:
        problems["blocks"] = "A snippet needs a block."
    problems = (
        mentions.faults(
            read,
            delivery.vocabulary_of(delivery.Parts("")),
        )
        | problems
    )
    asked = segments(read)
    if gone := asked - known_segments.existing(asked):
        problems.setdefault("blocks", f"There is no segment {min(gone)} by which to choose.")
    if problems:
        raise Invalid("The snippet cannot be published yet.", code="template_invalid", details=problems)


def _check_size(blocks: Any) -> None:
    if not isinstance(blocks, list):
        raise Invalid("A snippet is a list of blocks.", details={"blocks": "Blocks are a list."})
    if too_big := parse.size_problem(blocks):
        raise Invalid(too_big, details={"blocks": too_big})


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise Invalid(f"A snippet has no {', '.join(unknown)}.", details=dict.fromkeys(unknown, "Unknown field."))
    return dict(values)


def _save(snippet: Snippet) -> None:
    try:
        with transaction.atomic():
            snippet.save()
    except IntegrityError as error:
        raise _taken(snippet.slug) from error


def _taken(slug: str) -> Conflict:
    sentence = f'There is already a snippet with the slug "{slug}".'
    return Conflict(sentence, code="slug_taken", details={"slug": sentence})
