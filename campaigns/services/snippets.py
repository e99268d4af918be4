"""Snippets: written once, put into many mails. Mails take a published version in when they are published."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from accounts import actor, audit, versions
from campaigns.domain import wordings
from campaigns.domain.blocks import differences, mentions, parse
from campaigns.domain.blocks import snippets as domain
from campaigns.domain.blocks.differences import Change
from campaigns.domain.blocks.tree import Block, segments
from campaigns.models import Snippet, SnippetVersion
from campaigns.services import sittings
from common import clock
from common.errors import Conflict, Invalid
from delivery import services as delivery
from delivery.domain import locales
from segments import selectors as known_segments

FIELDS = frozenset({"name", "slug", "blocks", "variants"})


@dataclass(frozen=True)
class Known:
    """The published snippets of some slugs: their blocks, and which version each is."""

    blocks: dict[str, tuple[Block, ...]]
    numbers: dict[str, int]


def published(slugs: Collection[str], locale: str = "") -> Known:
    """What mails of a language take in for these slugs now, without unknown and unpublished ones. One query."""
    rows = (
        SnippetVersion.objects.filter(pk__in=Snippet.objects.filter(slug__in=slugs).values("published"))
        .select_related("snippet")
        .only("blocks", "variants", "number", "snippet__slug")
        if slugs
        else []
    )
    known = Known({}, {})
    for row in rows:
        chosen = locales.chosen(row.variants, locale)
        known.blocks[row.snippet.slug] = domain.read(row.variants[chosen] if chosen else row.blocks)[0]
        known.numbers[row.snippet.slug] = row.number
    return known


def create_snippet(values: Mapping[str, Any], *, is_published: bool = True) -> Snippet:
    """A new snippet, published at once unless told otherwise. Raises `Invalid` by path, `Conflict` for the slug."""
    snippet = Snippet(**_known(values))
    snippet.slug = snippet.slug or slugify(snippet.name)[:100] or "snippet"
    _check_shape(snippet.blocks, snippet.variants)
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
        with audit.changing(held):
            _change(held, changes)
    return held


def snippet_draft_of(snippet: Snippet) -> dict[str, Any]:
    """The draft as an editor takes and gives it, with the number of its state and who changed it last."""
    last = sittings.last_entry(snippet)
    return {
        "name": snippet.name,
        "blocks": snippet.blocks,
        "variants": snippet.variants,
        "revision": snippet.version,
        "updated_at": snippet.updated_at,
        "changed_by": last.actor if last else "",
        "has_unpublished_changes": snippet.has_unpublished_changes,
    }


def save_snippet_draft(
    snippet: Snippet, changes: Mapping[str, Any], *, expected_revision: int | None = None
) -> Snippet:
    """Keep what was typed, finished or not. Raises `Conflict` when somebody was quicker."""
    with transaction.atomic():
        held = versions.lock(Snippet, snippet.pk)
        versions.check(held, expected_revision)
        with sittings.sitting(held):
            _change(held, changes)
    return held


def unpublished_changes(snippet: Snippet) -> list[Change]:
    """What publishing would change in mails: from the published version to the draft."""
    before = snippet.published
    return differences.differences(
        _words(before.blocks, before.variants) if before else {}, _words(snippet.blocks, snippet.variants)
    )


def _words(blocks: Any, variants: Mapping[str, Any]) -> dict[str, Any]:
    """Blocks and languages as the words of a mail."""
    return {"blocks": {"blocks": blocks}, "variants": {code: _words(each, {}) for code, each in variants.items()}}


def publish_snippet(snippet: Snippet, *, expected_version: int | None = None) -> SnippetVersion:
    """Fix the draft as a version that mails take in from now on. Raises `Invalid` with the path of each mistake."""
    with transaction.atomic():
        held = versions.lock(Snippet, snippet.pk)
        versions.check(held, expected_version)
        _check(held)
        with audit.changing(held, "publish"):
            version = held.published
            if version is None or (version.blocks, version.variants) != (held.blocks, held.variants):
                version = _next_version(held)
            held.published = version
            held.published_edit = held.version
            held.updated_at = clock.now()
            held.save(update_fields=["published", "published_edit", "updated_at"])
        return version


def _next_version(snippet: Snippet) -> SnippetVersion:
    latest = snippet.versions.order_by("-number").values_list("number", flat=True).first() or 0
    return SnippetVersion.objects.create(
        snippet=snippet,
        number=latest + 1,
        blocks=snippet.blocks,
        variants=snippet.variants,
        author=actor.current().name,
    )


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


def _change(held: Snippet, changes: Mapping[str, Any]) -> None:
    """Write changes on a locked draft."""
    if changes.get("slug", held.slug) != held.slug and held.published_id is not None:
        sentence = "The slug stays: mails name the snippet by it."
        raise Conflict(sentence, code="in_use", details={"slug": sentence})
    _check_shape(changes.get("blocks", []), changes.get("variants", {}))
    try:
        with transaction.atomic():
            versions.write(held, _known(changes))
    except IntegrityError as error:
        raise _taken(str(changes.get("slug"))) from error


def _check(snippet: Snippet) -> None:
    problems = _problems(snippet.blocks)
    for locale, blocks in snippet.variants.items():
        problems |= {f"variants.{locale}.{place}": told for place, told in _problems(blocks).items()}
    if problems:
        raise Invalid("The snippet cannot be published yet.", code="template_invalid", details=problems)


def _problems(blocks: Sequence[Any]) -> dict[str, str]:
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
    return problems


def _check_shape(blocks: Any, variants: Any) -> None:
    if not isinstance(variants, dict) or len(variants) > wordings.MOST_VARIANTS:
        sentence = f"Other languages are an object of at most {wordings.MOST_VARIANTS}, by locale."
        raise Invalid(sentence, details={"variants": sentence})
    for locale in variants:
        if not locales.LOCALE.fullmatch(locale):
            raise Invalid("A language is written like de or pt-BR.", details={f"variants.{locale}": "No language."})
    for place, each in {"blocks": blocks, **{f"variants.{code}": each for code, each in variants.items()}}.items():
        if not isinstance(each, list):
            raise Invalid("A snippet is a list of blocks.", details={place: "Blocks are a list."})
        if too_big := parse.size_problem(each):
            raise Invalid(too_big, details={place: too_big})


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
