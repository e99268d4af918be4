"""A draft as it stands: read, compiled, shown as somebody would get it, with what is wrong by its place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from audience.models import Contact
from campaigns.domain import checks
from campaigns.domain.blocks import compiler, marking, mentions, parse
from campaigns.domain.blocks.compiler import CompiledTree
from campaigns.domain.blocks.tree import Settings, Tree
from campaigns.domain.checks.base import Check, Mail
from common.errors import Invalid
from delivery import services as delivery
from delivery.domain import template_rules
from delivery.models import MessageKind


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


@dataclass(frozen=True)
class Composed:
    """A draft that was read. `problems` is path → sentence; with any, the draft cannot be published."""

    parts: delivery.Parts
    tree: Tree
    compiled: CompiledTree
    problems: dict[str, str]


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


def compose(draft: Draft) -> Composed:
    """Read and compile a draft; nothing raises, problems are told by path."""
    tree, compiled, problems = Tree(Settings(), ()), CompiledTree(html=draft.html), {}
    if draft.blocks is not None:
        reading = parse.parse(draft.blocks)
        tree, problems = reading.tree, reading.problems
        compiled = compiler.compiled(tree, language=draft.locale)
        problems = compiled.problems | problems
    parts = delivery.Parts(
        draft.subject, compiled.html, draft.text, draft.defaults, preheader=draft.preheader, kind=draft.kind
    )
    vocabulary = delivery.vocabulary_of(parts)
    problems = mentions.faults(tree.blocks, vocabulary) | problems
    for name in ("subject", "preheader", "text") + (("html",) if draft.blocks is None else ()):
        faults = template_rules.faults(getattr(parts, name), vocabulary)
        if faults:
            problems[name] = " ".join(map(str, faults))
    return Composed(parts, tree, compiled, problems)


def show(
    draft: Draft, contact: Contact | None, variables: Mapping[str, Any] | None = None, *, is_marked: bool = False
) -> Shown:
    """The draft as this contact (or somebody made up) would read it, with checks and problems.

    `is_marked` puts a comment before and behind each block, for editors; the size does not count them.
    """
    composed = compose(draft)
    reader = contact or Contact(**SOMEBODY)
    problems = dict(composed.problems)
    rendered = delivery.Rendered("", "", "")
    missing: tuple[str, ...] = ()
    try:
        parts = composed.parts
        if is_marked and draft.blocks is not None:
            parts = replace(parts, html=marking.marked(composed.compiled))
        view = delivery.render_draft(parts, reader, variables)
        rendered, missing = view.rendered, view.missing
    except Invalid as error:
        if not problems:
            problems["html" if draft.blocks is None else "blocks"] = error.message
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
    )


def _taken_out(composed: Composed) -> list[Check]:
    return [Check("warning", sentence, block) for block, sentence in composed.compiled.taken_out]


SOMEBODY: dict[str, Any] = {"name": "Ada Lovelace", "email": "ada@example.com", "city": "London", "country": "GB"}
