"""A draft as it stands: read, compiled, shown as somebody would get it, with what is wrong by its place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from jinja2.exceptions import TemplateError, TemplateSyntaxError

from audience.models import Contact
from campaigns import selectors
from campaigns.domain import checks
from campaigns.domain.blocks import compiler, importing, language, marking, mentions, parse
from campaigns.domain.blocks import snippets as filling
from campaigns.domain.blocks import tree as trees
from campaigns.domain.blocks.compiler import CompiledTree
from campaigns.domain.blocks.tree import Settings, Tree
from campaigns.domain.blocks.words import Wrong
from campaigns.domain.checks.base import Check, KnownPicture, Mail
from campaigns.models import MailPicture
from campaigns.services import snippets
from common.errors import Invalid
from delivery import services as delivery
from delivery.domain import locales, markup, plaintext, template_rules
from delivery.models import MessageKind
from segments import selectors as segments

CHECKSUM = re.compile(r"/pictures/([0-9a-f]{64})\.")


@dataclass(frozen=True)
class Draft:
    """What somebody is writing: blocks, or HTML by hand when `blocks` is None."""

    subject: str = ""
    preheader: str = ""
    blocks: Any = None
    html: str = ""
    text: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    kind: str = MessageKind.MARKETING
    locale: str = ""
    variants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def in_language(self, locale: str) -> Draft:
        """The wording of one language: what it does not say itself is empty, defaults and kind are shared."""
        said = self.variants[locale]
        words: dict[str, Any] = {name: said.get(name) or "" for name in ("subject", "preheader", "html", "text")}
        return replace(self, **words, blocks=said.get("blocks"), locale=locale, variants={})


@dataclass(frozen=True)
class Composed:
    """A draft that was read. `problems` is path → sentence; with any, the draft cannot be published."""

    parts: delivery.Parts
    tree: Tree
    compiled: CompiledTree
    problems: dict[str, str]
    snippets: dict[str, int]


@dataclass(frozen=True)
class Shown:
    """A draft as a contact would get it. `size` in bytes of the HTML."""

    subject: str
    preheader: str
    html: str
    text: str
    size: int
    checks: Sequence[Check]
    problems: dict[str, str]


def described() -> dict[str, Any]:
    """Of what mails are made, for an editor."""
    return language.describe()


def imported(source: str) -> importing.Imported:
    """HTML or MJML made elsewhere, as blocks. Raises `Invalid` with the reason."""
    try:
        return importing.imported(source)
    except Wrong as wrong:
        raise Invalid(str(wrong), code="cannot_import", details={"source": str(wrong)}) from wrong


def compose(draft: Draft) -> Composed:
    """Read and compile a draft; nothing raises, problems are told by path."""
    tree, compiled = Tree(Settings(), ()), CompiledTree(html=draft.html)
    problems: dict[str, str] = {}
    known = snippets.Known({}, {})
    if draft.blocks is not None:
        reading = parse.parse(draft.blocks)
        known = snippets.published(trees.snippets(reading.tree.blocks), draft.locale)
        tree, missing = filling.filled(reading.tree, known.blocks)
        spoken = draft.locale if locales.LOCALE.fullmatch(draft.locale) else ""
        compiled = compiler.compiled(tree, language=spoken)
        problems = compiled.problems | missing | _unknown_segments(tree) | reading.problems
    parts = delivery.Parts(
        draft.subject, compiled.html, draft.text, draft.defaults, preheader=draft.preheader, kind=draft.kind
    )
    vocabulary = delivery.vocabulary_of(parts)
    problems = mentions.faults(tree.blocks, vocabulary) | problems
    for name in ("subject", "preheader", "text") + (("html",) if draft.blocks is None else ()):
        faults = template_rules.faults(getattr(parts, name), vocabulary)
        if faults:
            problems[name] = " ".join(map(str, faults))
    return Composed(parts, tree, compiled, problems, known.numbers)


def _unknown_segments(tree: Tree) -> dict[str, str]:
    known = segments.existing(trees.segments(tree.blocks))
    return {
        f"{block.path}.show_when.segment": f"There is no segment {block.show_when.segment}."
        for block in trees.walk(tree.blocks)
        if block.show_when and block.show_when.segment and block.show_when.segment not in known
    }


@dataclass(frozen=True)
class Publishable:
    """Words that may be published, and which version of each snippet (by slug) is in them."""

    parts: delivery.Parts
    snippets: dict[str, int]


def publishable(words: Mapping[str, Any]) -> Publishable:
    """Everything a template says, in every language, compiled. Raises `Invalid` with the path of each mistake."""
    draft = draft_from(words)
    whole = compose(draft)
    problems, used, variants = dict(whole.problems), dict(whole.snippets), {}
    for locale in draft.variants:
        composed = compose(draft.in_language(locale))
        problems |= {f"variants.{locale}.{place}": told for place, told in composed.problems.items()}
        used |= composed.snippets
        parts = composed.parts
        variants[locale] = delivery.Variant(parts.subject, parts.preheader, parts.html, parts.text)
    if problems:
        place, sentence = next(iter(problems.items()))
        more = f" There are {len(problems)} such places." if len(problems) > 1 else ""
        told = f"The {place} cannot be published. {sentence}{more}"
        raise Invalid(told, code="template_invalid", details=problems)
    return Publishable(replace(whole.parts, variants=variants), used)


def draft_from(words: Mapping[str, Any]) -> Draft:
    """The words of a template or of one of its versions."""
    return Draft(**{each.name: words[each.name] for each in fields(Draft) if each.name in words})


def in_language(words: Mapping[str, Any], locale: str) -> dict[str, Any]:
    """The words of one language as words of their own."""
    variant = words["variants"][locale]
    return {"subject": "", "preheader": "", "html": "", "text": "", "blocks": None, **variant, "locale": locale}


def basis(words: Mapping[str, Any]) -> str:
    """A checksum of the text that would be derived from these words, to see later whether they changed."""
    derived = plaintext.derived_text(_html(words))
    return hashlib.sha256(derived.encode("utf-8", "replace")).hexdigest()


def is_behind(words: Mapping[str, Any]) -> bool:
    """Whether the own text was written for other words than these."""
    return bool((words.get("text") or "").strip()) and words.get("text_basis") != basis(words)


def _html(words: Mapping[str, Any]) -> str:
    if words.get("blocks") is None:
        html = words.get("html") or ""
        try:
            markup.Placeholders(html)
        except (TemplateSyntaxError, ValueError):
            return ""
        return html
    reading = parse.parse(words["blocks"])
    known = snippets.published(trees.snippets(reading.tree.blocks), words.get("locale") or "")
    return compiler.compiled(filling.filled(reading.tree, known.blocks)[0]).html


def show(
    draft: Draft, contact: Contact | None, variables: Mapping[str, Any] | None = None, *, is_marked: bool = False
) -> Shown:
    """The draft as this contact (or somebody made up) would read it, with checks and problems.

    `is_marked` puts a comment before and behind each block, for editors; the size does not count them.
    """
    reader = contact or Contact(**SOMEBODY)
    chosen = locales.chosen(draft.variants, draft.locale or reader.locale)
    draft = draft.in_language(chosen) if chosen else draft
    composed = compose(draft)
    problems = dict(composed.problems)
    rendered = delivery.Rendered("", "", "")
    missing: tuple[str, ...] = ()
    place = "html" if draft.blocks is None else "blocks"
    try:
        # What is made of blocks without a fault can be read.
        is_sound = draft.blocks is not None and not problems
        parts = composed.parts if is_sound else _readable(composed.parts)
        if is_marked and draft.blocks is not None:
            parts = replace(parts, html=marking.marked(composed.compiled))
        view = delivery.render_draft(parts, reader, _examples(parts, reader) | dict(variables or {}))
        rendered, missing = view.rendered, view.missing
    except Invalid as error:
        if not problems:
            problems[place] = error.message
    except (TemplateError, ValueError, SyntaxError, RecursionError) as error:
        problems.setdefault(place, f"It cannot be read: {error}"[:300])
    size = len(marking.unmarked(rendered.html).encode("utf-8", "replace"))
    return Shown(
        subject=rendered.subject,
        preheader=draft.preheader,
        html=rendered.html,
        text=rendered.text,
        size=size,
        checks=[*checks.run(_mail(composed, size, missing, str(reader))), *_taken_out(composed)],
        problems=problems,
    )


def _examples(parts: delivery.Parts, reader: Contact) -> dict[str, Any]:
    return examples(parts.html + parts.subject + parts.preheader + parts.text, reader)


def examples(words: str, reader: Contact) -> dict[str, Any]:
    """What stands in for the things a workflow brings, where words speak of them: the contact's last events for the
    one that starts it, and an offer that is made up."""
    found = {"event": selectors.latest_properties(reader)} if "event." in words else {}
    return found | ({"offer": selectors.example_offer()} if "offer." in words else {})


def _readable(parts: delivery.Parts) -> delivery.Parts:
    """Without the parts that no parser could read: what is wrong with one is told, the others are shown."""
    broken: dict[str, Any] = {}
    for name in ("subject", "preheader", "html", "text"):
        try:
            template_rules.parsed(getattr(parts, name))
        except (TemplateSyntaxError, RecursionError):
            broken[name] = ""
    return replace(parts, **broken)


def _mail(composed: Composed, size: int, missing: tuple[str, ...], reader: str) -> Mail:
    parts = composed.parts
    return Mail(
        subject=parts.subject,
        preheader=parts.preheader,
        html=parts.html,
        text=parts.text,
        kind=parts.kind,
        defaults=frozenset(parts.defaults),
        tree=composed.tree,
        compiled=composed.compiled,
        size=size,
        missing=missing,
        reader=reader,
        library=_library(parts.html),
    )


def _library(html: str) -> dict[str, KnownPicture]:
    """The pictures of our own library in a mail. One query, none without them."""
    named = set(CHECKSUM.findall(html))
    rows = MailPicture.objects.filter(checksum__in=named) if named else []
    return {row.checksum: KnownPicture(row.byte_count, row.width) for row in rows}


def _taken_out(composed: Composed) -> list[Check]:
    return [Check("warning", sentence, block) for block, sentence in composed.compiled.taken_out]


SOMEBODY: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com", "city": "London", "country": "GB"}
