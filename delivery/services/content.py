"""Publishing: what a message says is checked, completed and stored once; then it never changes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import msgspec
from django.db import transaction

from accounts import audit
from audience.models import AttributeDefinition, MessageChannel
from common.errors import Invalid
from delivery.domain import locales, markup, plaintext, template_rules
from delivery.domain.template_rules import Fault, Vocabulary
from delivery.models import Content, MessageKind
from delivery.services import rendering
from segments import selectors as segments

PARTS = ("subject", "preheader", "html", "text")


@dataclass(frozen=True)
class Variant:
    """The same words in another language; defaults and variables are those of the content."""

    subject: str
    preheader: str = ""
    html: str = ""
    text: str = ""


@dataclass(frozen=True)
class Parts:
    """The words of a message, as a marketer wrote them."""

    subject: str
    html: str = ""
    text: str = ""
    defaults: Mapping[str, Any] = field(default_factory=dict)
    preheader: str = ""
    variables: Sequence[str] = ()
    kind: str = MessageKind.MARKETING
    variants: Mapping[str, Variant] = field(default_factory=dict)

    def in_language(self, locale: str) -> Parts:
        """The words of one variant, as parts of their own."""
        words = self.variants[locale]
        return replace(
            self, subject=words.subject, preheader=words.preheader, html=words.html, text=words.text, variants={}
        )


def publish_content(
    name: str,
    kind: str,
    subject: str,
    html: str,
    text: str,
    defaults: Mapping[str, Any],
    channel: str = MessageChannel.EMAIL,
    *,
    preheader: str = "",
    variables: Sequence[str] = (),
    variants: Mapping[str, Variant] | None = None,
) -> Content:
    """Check the templates and store them as immutable content; the same words give the same row.

    `variables` declares names that every message brings along. Raises `Invalid`, whose details map a part
    (`subject`, `html`, `variants.de.html` …) to its faults with their lines.
    """
    if kind not in MessageKind.values or channel not in MessageChannel.values:
        raise Invalid(
            f"A message is {' or '.join(MessageKind.values)} and goes by {', '.join(MessageChannel.values)}."
        )
    parts = Parts(subject, html, text, defaults, preheader, variables, kind, variants or {})
    check(parts)
    whole = completed(parts)
    checksum = _checksum(channel, whole)
    with transaction.atomic():
        content, is_new = Content.objects.get_or_create(
            checksum=checksum,
            defaults={
                "name": name[:200],
                "kind": kind,
                "channel": channel,
                "subject": whole.subject,
                "preheader": whole.preheader,
                "html": whole.html,
                "text": whole.text,
                "defaults": dict(whole.defaults),
                "variables": list(whole.variables),
                "variants": {locale: asdict(words) for locale, words in whole.variants.items()},
                "segments": sorted(segments_of(whole)),
            },
        )
        if is_new:
            audit.record("publish", content, after={"checksum": checksum, "subject": whole.subject})
    return content


def check(parts: Parts) -> None:
    """Raise `Invalid` with every fault of every part, in every language."""
    details = {name: " ".join(map(str, found)) for name, found in _faults(parts).items() if found}
    for locale in parts.variants:
        found = _faults(parts.in_language(locale))
        details |= {f"variants.{locale}.{name}": " ".join(map(str, each)) for name, each in found.items() if each}
        if not locales.LOCALE.fullmatch(locale):
            details[f"variants.{locale}"] = "A language is written like de or pt-BR."
    unknown = segments_of(parts) - segments.existing(segments_of(parts)) if not details else set()
    if unknown:
        details["html"] = f"There is no segment {', '.join(map(str, sorted(unknown)))} by which to choose."
    if details:
        place, sentence = next(iter(details.items()))
        raise Invalid(f"The {place} cannot be published. {sentence}", code="template_invalid", details=details)
    try:
        for words in (parts, *(parts.in_language(locale) for locale in parts.variants)):
            rendering.try_out(completed(words), _sample_attributes())
    except Invalid as error:
        raise Invalid(error.message, code="template_invalid", details=error.details) from error


def _faults(parts: Parts) -> dict[str, list[Fault]]:
    vocabulary = vocabulary_of(parts)
    found = {name: template_rules.faults(getattr(parts, name), vocabulary) for name in PARTS}
    if not parts.subject.strip():
        found["subject"].append(Fault(1, "a message needs a subject."))
    if not (parts.html.strip() or parts.text.strip()):
        found["html"].append(Fault(1, "a message needs a body, as HTML or as text."))
    if not any(found.values()):
        try:
            markup.with_tracked_links(parts.html)
            markup.text_with_tracked_links(parts.text)
        except markup.BadLink as error:
            found["html"].append(Fault(1, f"{error}."))
    for name, value in parts.defaults.items():
        if value is None or isinstance(value, (dict, list)):
            found.setdefault("defaults", []).append(Fault(1, f"the default of “{name}” must be a text or a number."))
    return found


def vocabulary_of(parts: Parts) -> Vocabulary:
    """The names that these words may use in this organisation."""
    return Vocabulary(list(_sample_attributes()), parts.variables, parts.defaults, knows_segments=True)


def completed(parts: Parts) -> Parts:
    """The words with what a mail must have: a text part, and for marketing a way to unsubscribe."""
    html, text = parts.html, parts.text
    if parts.kind != MessageKind.TRANSACTIONAL and html and not template_rules.mentions(html, "unsubscribe_url"):
        html = markup.with_way_out(html)
    if not text.strip():
        text = plaintext.derived_text(html)
    elif parts.kind != MessageKind.TRANSACTIONAL and not template_rules.mentions(text, "unsubscribe_url"):
        text = markup.text_with_way_out(text)
    variants = {locale: _completed_variant(parts.in_language(locale)) for locale in parts.variants}
    return replace(parts, html=html, text=text, variants=variants)


def _completed_variant(parts: Parts) -> Variant:
    whole = completed(parts)
    return Variant(whole.subject, whole.preheader, whole.html, whole.text)


def segments_of(parts: Parts) -> set[int]:
    """The segments by which these (valid) words decide what to show, in any language."""
    languages = (parts, *(parts.in_language(locale) for locale in parts.variants))
    sources = (getattr(words, name) for words in languages for name in PARTS)
    return set().union(*(template_rules.segments_asked(source) for source in sources))


def _sample_attributes() -> dict[str, str]:
    """Attribute name → its type, as the organisation's contacts have them."""
    return dict(AttributeDefinition.objects.values_list("name", "type"))


def _checksum(channel: str, parts: Parts) -> str:
    words: list[Any] = [channel, parts.kind, parts.subject, parts.preheader, parts.html, parts.text]
    whole = [*words, dict(parts.defaults), sorted(parts.variables)]
    if parts.variants:
        whole.append({locale: asdict(variant) for locale, variant in parts.variants.items()})
    encoded = msgspec.json.encode(whole, order="deterministic")
    return hashlib.sha256(encoded).hexdigest()
