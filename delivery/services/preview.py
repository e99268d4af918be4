"""What one contact would read, without sending anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2.exceptions import UndefinedError

from accounts.models import Organization
from audience.models import Contact
from common import tenancy
from common.errors import Invalid
from delivery.domain import locales, template_rules
from delivery.models import Content
from delivery.services import content as contents
from delivery.services import rendering
from delivery.services.content import Parts
from delivery.services.rendering import Rendered, Words
from segments import selectors as segments

MISSING = re.compile(r"(\S+) is empty and has no default")
MOST_MISSING = 50


@dataclass(frozen=True)
class DraftView:
    """A draft as it would look. `missing` are values that the contact lacks: it would not get this mail."""

    rendered: Rendered
    missing: tuple[str, ...]


def render_preview(words: Content | Parts, contact: Contact, variables: Mapping[str, Any] | None = None) -> Rendered:
    """The message as this contact would get it, links untracked.

    Raises `Invalid` with the sentence that the ledger would show, e.g. for a value the contact lacks.
    """
    view = _view(words, contact, variables or {}, most_missing=0)
    return view.rendered


def render_draft(words: Parts, contact: Contact, variables: Mapping[str, Any] | None = None) -> DraftView:
    """The same for somebody who is still writing: a missing value shows its name, and is told.

    `contact` need not be stored. Raises `Invalid` for what no value could mend.
    """
    return _view(words, contact, variables or {}, most_missing=MOST_MISSING)


def _view(words: Content | Parts, contact: Contact, variables: Mapping[str, Any], *, most_missing: int) -> DraftView:
    whole = _in_language(contents.completed(words) if isinstance(words, Parts) else words, contact.locale)
    compiled = rendering.compile_words(whole, is_tracked=False)
    asked = set().union(*(template_rules.segments_asked(part) for part in (whole.subject, whole.html, whole.text)))
    standing = segments.standing_in(asked, [contact.pk]).get(contact.pk, frozenset()) if asked else frozenset()
    name = Organization.objects.get(pk=tenancy.required()).name
    fields = {field.attname: getattr(contact, field.attname) for field in contact._meta.concrete_fields}
    missing: dict[str, str] = {}
    while True:
        defaults = {**whole.defaults, **missing}
        person = rendering.contact_values(fields, contact.attributes, defaults, standing)
        values = rendering.values_for(person, variables, defaults, name)
        rendering.preview_links(values)
        try:
            return DraftView(compiled.render(values), tuple(missing))
        except Exception as error:
            path = _missing_value(error)
            if path in missing or not path or len(missing) >= most_missing:
                sentence = rendering.sentence(error)
                told = f"The message cannot be written for {contact}: {sentence}."
                raise Invalid(told, code="cannot_render") from error
            missing[path] = f"[{path}]"


def _in_language(words: Content | Parts, locale: str) -> Words:
    chosen = locales.chosen(words.variants, locale)
    if not chosen:
        return words
    if isinstance(words, Parts):
        return words.in_language(chosen)
    return Parts(**words.variants[chosen], defaults=words.defaults)


def _missing_value(error: Exception) -> str:
    found = MISSING.fullmatch(str(error)) if isinstance(error, UndefinedError) else None
    return found[1] if found else ""
