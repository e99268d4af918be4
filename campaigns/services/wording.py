"""What a draft says, in every language: set field by field, refused beside the field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from audience.models import MessageChannel
from campaigns.domain import wordings
from campaigns.models import EmailTemplate
from campaigns.services import composing
from common.errors import Invalid
from delivery import services as delivery
from delivery.domain import locales

MOST_FIELDS_BYTES = 100_000
WORDS = ("kind", "locale", "subject", "preheader", "blocks", "html", "text", "defaults", "variants")


MESSAGE_WORDS = ("channel", "kind", "fields", "defaults")


def is_mail(template: EmailTemplate) -> bool:
    """Whether the draft is an e-mail, and not a message of another channel."""
    return template.channel == MessageChannel.EMAIL


def words_of(template: EmailTemplate) -> dict[str, Any]:
    """Everything the draft says, as a version keeps it."""
    if not is_mail(template):
        return {name: getattr(template, name) for name in MESSAGE_WORDS}
    return {name: getattr(template, name) for name in WORDS}


def changes_to(words: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that bring a draft to these words."""
    changes = {name: words[name] for name in WORDS if name in words}
    return changes | ({"blocks": None} if "blocks" not in changes else {})


def put(template: EmailTemplate, changes: Mapping[str, Any]) -> None:
    """Set the fields; a mail is made of blocks or written as HTML, and an own text remembers what it was made for."""
    wrong: dict[str, str] = {}
    before = (template.text, template.variants)
    for name, value in changes.items():
        setattr(template, name, value)
    if not is_mail(template):
        wrong |= _message_faults(template)
    if not isinstance(template.defaults, dict):
        wrong["defaults"] = 'Defaults are an object of names and values, such as {"name": "there"}.'
    wrong |= wordings.wording_faults(template.blocks, template.html, "")
    if template.locale and not locales.LOCALE.fullmatch(template.locale):
        wrong["locale"] = "A language is written like en or pt-BR."
    wrong |= wordings.variant_faults(template.variants)
    if wrong:
        raise Invalid("Some fields are wrong; details says which and why.", details=wrong)
    template.variants = {
        locale: {key: value for key, value in each.items() if key not in wordings.SERVED}
        for locale, each in template.variants.items()
    }
    _note_basis(template, before)


def _message_faults(template: EmailTemplate) -> dict[str, str]:
    """What makes a draft impossible to keep; what it still lacks is told at publish."""
    if template.channel not in delivery.CHANNELS:
        return {"channel": f"One of {', '.join(delivery.CHANNELS)}."}
    known = {part.name for part in delivery.CHANNELS[template.channel].parts}
    if not isinstance(template.fields, dict):
        return {"fields": f"An object with {', '.join(sorted(known))}."}
    if len(msgspec.json.encode(template.fields)) > MOST_FIELDS_BYTES:
        return {"fields": f"At most {MOST_FIELDS_BYTES:,} characters."}
    return dict.fromkeys((f"fields.{name}" for name in sorted(template.fields.keys() - known)), "Unknown field.")


def _note_basis(template: EmailTemplate, before: tuple[str, Mapping[str, Any]]) -> None:
    """An own text that was changed just now fits the mail as it stands now."""
    words = words_of(template)
    own, variants = before
    if template.text != own:
        template.text_basis = _basis(words)
    for locale, variant in template.variants.items():
        was = variants.get(locale) or {}
        is_same = variant.get("text", "") == was.get("text", "") and "text_basis" in was
        variant["text_basis"] = was["text_basis"] if is_same else _basis(composing.in_language(words, locale))


def _basis(words: Mapping[str, Any]) -> str:
    return composing.basis(words) if (words.get("text") or "").strip() else ""
