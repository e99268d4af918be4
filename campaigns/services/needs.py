"""What a template's draft and published version name is kept from being deleted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2.exceptions import TemplateSyntaxError

from campaigns.domain.blocks import parse, tree
from campaigns.models import EmailTemplate, Snippet, TemplateNeed
from delivery.domain import template_rules
from segments import selectors as segments


def refresh(template: EmailTemplate, words: Mapping[str, Any]) -> None:
    """Write the needs of the draft (`words`) and of what is published; unknown ones are told at publish."""
    states = [words, *([template.published.words] if template.published else [])]
    wordings = [wording for state in states for wording in (state, *(state.get("variants") or {}).values())]
    asked, slugs = _segments(wordings), _slugs(wordings)
    if template.published:
        asked |= set(template.published.content.segments)
        slugs |= set(template.published.snippets)
    needed_segments = segments.existing(asked)
    needed_snippets = set(Snippet.objects.filter(slug__in=slugs).values_list("pk", flat=True)) if slugs else set()
    rows = list(template.needs.all())
    gone = [row.pk for row in rows if row.segment_id and row.segment_id not in needed_segments]
    gone += [row.pk for row in rows if row.snippet_id and row.snippet_id not in needed_snippets]
    if gone:
        TemplateNeed.objects.filter(pk__in=gone).delete()
    new = [
        TemplateNeed(template=template, segment_id=pk) for pk in needed_segments - {row.segment_id for row in rows}
    ]
    new += [
        TemplateNeed(template=template, snippet_id=pk) for pk in needed_snippets - {row.snippet_id for row in rows}
    ]
    if new:
        TemplateNeed.objects.bulk_create(new)


def _segments(wordings: list[Mapping[str, Any]]) -> set[int]:
    found: set[int] = set()
    for wording in wordings:
        found |= tree.segments(parse.parse(wording["blocks"]).tree.blocks) if wording.get("blocks") else set()
        found |= set().union(*(_asked(source) for source in _sources(wording)))
    return found


def _sources(wording: Mapping[str, Any]) -> Iterator[str]:
    for name in ("subject", "preheader", "html", "text"):
        if "contact.segments" in (wording.get(name) or ""):
            yield wording[name]


def _asked(source: str) -> set[int]:
    try:
        return template_rules.segments_asked(source)
    except (TemplateSyntaxError, RecursionError):
        return set()


def _slugs(wordings: list[Mapping[str, Any]]) -> set[str]:
    return {
        slug
        for wording in wordings
        if wording.get("blocks")
        for slug in tree.snippets(parse.parse(wording["blocks"]).tree.blocks)
    }
