"""What messages of other channels than e-mail say: checked, completed and stored once, and filled in per contact."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from django.db import transaction

from accounts import audit
from accounts.models import Organization
from audience.models import AttributeDefinition, Contact, MessageChannel
from common import tenancy
from common.errors import Invalid
from delivery.domain import channels, sandbox, sms, template_rules
from delivery.domain.channels import CHANNELS, Channel, Part
from delivery.domain.template_rules import Vocabulary
from delivery.models import Content, MessageKind
from delivery.services import rendering, short_links

TEMPLATES = frozenset({"line", "lines", "url"})
MOST_DEPTH = 10
SMS_WAY_OUT = "Reply STOP to opt out."
FORBIDDEN_SCHEMES = ("javascript:", "data:", "vbscript:", "file:")


@dataclass(frozen=True)
class PreviewedMessage:
    """A message as a contact would get it. `size` of an SMS."""

    channel: str
    fields: Mapping[str, Any]
    size: sms.Size | None = None

    @property
    def pretty(self) -> str:
        """The data of a webhook, to be read."""
        return msgspec.json.format(msgspec.json.encode(self.fields.get("data", {})), indent=2).decode()


def publish_message(
    name: str,
    kind: str,
    channel: str,
    fields: Mapping[str, Any],
    defaults: Mapping[str, Any],
    *,
    variables: Sequence[str] = (),
) -> Content:
    """Check the templates of a message and store it as immutable content; the same words give the same row.

    Raises `Invalid`, whose details map a field to what is wrong with it.
    """
    whole = checked(kind, channel, fields, defaults, variables)
    encoded = msgspec.json.encode([channel, kind, whole, dict(defaults), sorted(variables)], order="deterministic")
    checksum = hashlib.sha256(encoded).hexdigest()
    values = {
        "name": name[:200],
        "kind": kind,
        "channel": channel,
        "subject": channels.summary(whole),
        "fields": whole,
        "defaults": dict(defaults),
        "variables": list(variables),
    }
    with transaction.atomic():
        content, is_new = Content.objects.get_or_create(checksum=checksum, defaults=values)
        if is_new:
            audit.record("publish", content, after={"checksum": checksum, "subject": content.subject})
    return content


def checked(
    kind: str, channel: str, fields: Mapping[str, Any], defaults: Mapping[str, Any], variables: Sequence[str] = ()
) -> dict[str, Any]:
    """The fields as they are stored, completed. Raises `Invalid` with a sentence by field."""
    spoken = channel_of(channel)
    if kind not in MessageKind.values:
        raise Invalid(f"A message is {' or '.join(MessageKind.values)}.", details={"kind": "Unknown."})
    if kind == MessageKind.MARKETING and not spoken.is_for_contacts:
        sentence = f"{spoken.label} tells colleagues or systems, so it is transactional."
        raise Invalid(sentence, details={"kind": sentence})
    vocabulary = Vocabulary(list(AttributeDefinition.objects.values_list("name", flat=True)), variables, defaults)
    wrong = dict.fromkeys(sorted(fields.keys() - {part.name for part in spoken.parts}), "Unknown field.")
    whole: dict[str, Any] = {}
    for part in spoken.parts:
        value = fields.get(part.name, part.default)
        value = value.strip() if isinstance(value, str) and part.type != "lines" else value
        sentence = _fault(part, value, vocabulary)
        if sentence:
            wrong[part.name] = sentence
        elif value not in ("", None):
            whole[part.name] = value
    if spoken.name == MessageChannel.WHATSAPP and not wrong and not (whole.get("text") or whole.get("template_id")):
        wrong["text"] = "Write a text, or name an approved template."
    if wrong:
        place, sentence = next(iter(wrong.items()))
        raise Invalid(f"The {place} cannot be published. {sentence}", code="template_invalid", details=wrong)
    if spoken.name == MessageChannel.SMS and kind == MessageKind.MARKETING and "STOP" not in whole["text"]:
        whole["text"] = f"{whole['text'].rstrip()}\n{SMS_WAY_OUT}"
    return whole


def channel_of(name: str) -> Channel:
    """The channel of this name. Raises `Invalid`."""
    if name not in CHANNELS:
        known = ", ".join(CHANNELS)
        raise Invalid(f'There is no channel "{name}" with fields; known: {known}.', details={"channel": "Unknown."})
    return CHANNELS[name]


def _fault(part: Part, value: Any, vocabulary: Vocabulary) -> str:
    """What is wrong with one field, or nothing."""
    if value in ("", None, {}, []):
        return "This is needed." if part.is_required else ""
    if part.type == "number":
        is_number = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 365
        return "" if is_number else "A whole number from 1 to 365."
    if part.type == "choice":
        return "" if value in dict(part.choices) else f"One of {', '.join(dict(part.choices))}."
    if part.type == "json":
        return _json_fault(part, value, vocabulary)
    if not isinstance(value, str):
        return "This is a text."
    if len(value) > part.longest:
        return f"At most {part.longest:,} characters."
    if part.type == "url" and value.lower().startswith(FORBIDDEN_SCHEMES):
        return "An address begins with https:// or with the scheme of your app."
    return " ".join(map(str, template_rules.faults(value, vocabulary)))


def _json_fault(part: Part, value: Any, vocabulary: Vocabulary) -> str:
    if len(msgspec.json.encode(value)) > part.longest:
        return f"At most {part.longest:,} characters."
    if not isinstance(value, dict):
        return "A JSON object, such as {…}."
    found: list[str] = []

    def look(text: str) -> str:
        found.extend(map(str, template_rules.faults(text, vocabulary)))
        return text

    try:
        _walk(value, look)
    except RecursionError:
        return f"At most {MOST_DEPTH} levels."
    return " ".join(found)


def _walk(value: Any, change: Callable[[str], str], depth: int = 0) -> Any:
    """The value with every text in it changed. Raises RecursionError when it nests too deep."""
    if depth > MOST_DEPTH:
        raise RecursionError
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {str(key): _walk(each, change, depth + 1) for key, each in value.items()}
    if isinstance(value, list):
        return [_walk(each, change, depth + 1) for each in value]
    return value


# --- filling in ------------------------------------------------------------------------------------

Filled = dict[str, Any]


@dataclass(frozen=True)
class CompiledMessage:
    """The templates of one content, ready to be filled in."""

    parts: Mapping[str, Callable[[dict[str, Any]], Any]]
    defaults: Mapping[str, Any]

    def render(self, values: dict[str, Any]) -> Filled:
        """Raises TemplateError (with a sentence) or whatever an expression raised."""
        return {name: fill(values) for name, fill in self.parts.items()}


def compile_message(channel: str, fields: Mapping[str, Any], defaults: Mapping[str, Any]) -> CompiledMessage:
    """Compile checked fields."""
    spoken = channel_of(channel)
    parts = {name: _filler(spoken.part(name), value) for name, value in fields.items()}
    return CompiledMessage(parts, defaults)


def _filler(part: Part | None, value: Any) -> Callable[[dict[str, Any]], Any]:
    if part is not None and part.type == "json":
        return _json_filler(value)
    if part is None or part.type not in TEMPLATES:
        return lambda values: value
    render = sandbox.compiled(value, is_html=False)
    if part.type == "line":
        return lambda values: " ".join(render(values).split())
    if part.type == "url":
        return lambda values: _safe_address(render(values))
    return lambda values: render(values).strip()


def _json_filler(value: Any) -> Callable[[dict[str, Any]], Any]:
    renders: dict[str, sandbox.Render] = {}

    def prepare(text: str) -> str:
        renders[text] = sandbox.compiled(text, is_html=False)
        return text

    _walk(value, prepare)
    # The structure stays; a quote in somebody's name cannot break out of its text.
    return lambda values: _walk(value, lambda text: renders[text](values))


def _safe_address(text: str) -> str:
    text = text.strip()
    return "" if text.lower().startswith(FORBIDDEN_SCHEMES) or not text.isprintable() else text


def values_of(
    fields: Mapping[str, Any],
    attributes: Mapping[str, Any],
    variables: Mapping[str, Any],
    defaults: Mapping[str, Any],
    organization_name: str,
) -> dict[str, Any]:
    """Everything that a template may name."""
    contact = rendering.contact_values(fields, attributes, defaults)
    return rendering.values_for(contact, variables, defaults, organization_name)


def preview_message(
    kind: str,
    channel: str,
    fields: Mapping[str, Any],
    defaults: Mapping[str, Any],
    contact: Contact,
    variables: Mapping[str, Any] | None = None,
) -> PreviewedMessage:
    """A message as this contact would get it. Raises `Invalid` with the sentence that the ledger would show."""
    whole = checked(kind, channel, fields, defaults)
    person = {field.attname: getattr(contact, field.attname) for field in contact._meta.concrete_fields}
    name = Organization.objects.get(pk=tenancy.required()).name
    values = values_of(person, contact.attributes, variables or {}, defaults, name)
    values["unsubscribe_url"] = "#unsubscribe"
    try:
        filled = compile_message(channel, whole, defaults).render(values)
    except Exception as error:
        sentence = rendering.sentence(error)
        raise Invalid(f"The message cannot be written for {contact}: {sentence}.", code="cannot_render") from error
    counted = sms.size(short_links.sample(filled["text"])) if channel == MessageChannel.SMS else None
    return PreviewedMessage(channel, filled, counted)
