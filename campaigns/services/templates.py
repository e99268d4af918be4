"""E-mail templates: a draft that is edited, and published versions that never change."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from accounts import actor, audit, versions
from audience.domain import phones
from audience.models import Contact, MessageChannel
from campaigns import selectors
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.services import composing, needs, wording
from common import clock
from common.errors import Conflict, Invalid
from delivery import services as delivery
from delivery.models import Content, SourceType

FIELDS = frozenset({"name", "slug", *wording.WORDS, *wording.MESSAGE_WORDS})

TO_A_PHONE = frozenset({MessageChannel.SMS.value, MessageChannel.WHATSAPP.value})
TO_THE_CONTACT = frozenset({MessageChannel.PUSH.value, MessageChannel.IN_APP.value})


def create_template(values: Mapping[str, Any]) -> EmailTemplate:
    """A new draft. Raises `Invalid` by field, `Conflict` when the slug is taken."""
    template = EmailTemplate()
    wording.put(template, _known(values))
    template.slug = template.slug or slugify(template.name)[:100]
    versions.clean(template)
    with transaction.atomic():
        _save_new(template)
        needs.refresh(template, wording.words_of(template))
        audit.created(template)
    return template


def update_template(
    template: EmailTemplate,
    changes: Mapping[str, Any],
    *,
    expected_version: int | None = None,
    action: str = "change",
) -> EmailTemplate:
    """Edit the draft; what is published stays. Raises `Conflict` when somebody else was quicker."""
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        versions.check(held, expected_version)
        with audit.changing(held, action):
            change(held, changes)
    return held


def change(held: EmailTemplate, changes: Mapping[str, Any]) -> None:
    """Write changes on a locked draft. Raises `Invalid` by field, `Conflict` for an archived one or a taken slug."""
    if held.is_archived:
        raise Conflict(f"“{held}” is archived; duplicate it to go on from there.", code="state_forbids")
    with _slug_is_free(str(changes.get("slug", held.slug))):
        wording.put(held, _known(changes))
        versions.write(held, {})
    needs.refresh(held, wording.words_of(held))


def publish_template(template: EmailTemplate, *, expected_version: int | None = None) -> TemplateVersion:
    """Compile the draft into content that is sent from now on, as a new version.

    Raises `Invalid` with the place of each mistake; the version before stays published. An unchanged draft
    gives the version that is published already.
    """
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        versions.check(held, expected_version)
        if held.is_archived:
            raise Conflict(f"“{held}” is archived; duplicate it to go on from there.", code="state_forbids")
        words = wording.words_of(held)
        with audit.changing(held, "publish"):
            held.published = _version(held, words)
            held.published_edit = held.version
            held.updated_at = clock.now()
            held.save(update_fields=["published", "published_edit", "updated_at"])
            needs.refresh(held, words)
        return held.published


def republish_template(template: EmailTemplate) -> TemplateVersion:
    """The published words once more, with the snippets of now; the draft stays as it is. Raises `Invalid`."""
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        if held.is_archived or held.published is None:
            raise Conflict(f"“{held}” is not published, or archived.", code="state_forbids")
        with audit.changing(held, "republish"):
            held.published = _version(held, held.published.words)
            held.updated_at = clock.now()
            held.save(update_fields=["published", "updated_at"])
            needs.refresh(held, wording.words_of(held))
        return held.published


def _version(template: EmailTemplate, words: Mapping[str, Any]) -> TemplateVersion:
    """The words as a version: the published one when nothing changed."""
    if wording.is_mail(template):
        made = composing.publishable(words)
        content, snippets = _content(template.name, made.parts), made.snippets
    else:
        content, snippets = _message(template, words), {}
    published = template.published
    if published is not None and published.content_id == content.pk and published.snippets == snippets:
        return published
    return TemplateVersion.objects.create(
        template=template,
        number=_next_number(template),
        content=content,
        words=words,
        snippets=snippets,
        author=actor.current().name,
    )


def compile_draft(template: EmailTemplate) -> Content:
    """The draft as immutable content, without publishing the template. Raises `Invalid` with places."""
    if not wording.is_mail(template):
        return _message(template, wording.words_of(template))
    return _content(template.name, composing.publishable(wording.words_of(template)).parts)


def _message(template: EmailTemplate, words: Mapping[str, Any]) -> Content:
    return delivery.publish_message(
        template.name, words["kind"], template.channel, words["fields"], words["defaults"]
    )


def _content(name: str, parts: delivery.Parts) -> Content:
    return delivery.publish_content(
        name,
        parts.kind,
        parts.subject,
        parts.html,
        parts.text,
        parts.defaults,
        preheader=parts.preheader,
        variants=parts.variants,
    )


def preview_template(template: EmailTemplate, contact: Contact) -> delivery.Rendered:
    """The draft as this contact would get it, in their language. Raises `Invalid` with the place of each mistake."""
    parts = composing.publishable(wording.words_of(template)).parts
    delivery.check(parts)
    words = parts.html + parts.subject + parts.preheader + parts.text
    return delivery.render_preview(parts, contact, composing.examples(words, contact))


def preview_message(template: EmailTemplate, contact: Contact) -> delivery.PreviewedMessage:
    """The draft of another channel as this contact would get it. Raises `Invalid` with the place of each mistake."""
    variables = composing.examples(json.dumps(template.fields), contact)
    return delivery.preview_message(
        template.kind, template.channel, template.fields, template.defaults, contact, variables
    )


def send_test(template: EmailTemplate, contact: Contact, to: str) -> str:
    """Queue the draft, written for `contact`, to a colleague's address; returns the message's key.

    SMS and WhatsApp go to the phone number `to`; push and in-app messages to the contact, who must be a colleague.
    Raises `Invalid` when the draft has mistakes or `to` is nobody of the organisation.
    """
    is_colleague = (contact.email if template.channel in TO_THE_CONTACT else to) in selectors.member_addresses()
    if template.channel in TO_A_PHONE:
        if phones.normal(to) is None:
            sentence = f"“{to}” is not a phone number with its country code, such as +44 7700 900123."
            raise Invalid(sentence, details={"to": sentence})
        to = phones.normal(to) or ""
    elif template.channel in TO_THE_CONTACT and not is_colleague:
        sentence = f"{contact} is no colleague; a test goes to a contact with a colleague's e-mail address."
        raise Invalid(sentence, details={"contact": sentence})
    elif template.channel == MessageChannel.EMAIL and not is_colleague:
        sentence = f"{to} is no address of a colleague; tests go to members of your organisation only."
        raise Invalid(sentence, details={"to": sentence})
    with transaction.atomic():
        content = compile_draft(template)
        key = f"test:{template.pk}:{uuid.uuid4()}"
        delivery.queue(
            [delivery.Outgoing(contact.pk, key, composing.examples(_words(content), contact), address=to)],
            content_id=content.pk,
            source_type=SourceType.TEST,
            source_id=template.pk,
        )
        audit.record("test send", template, after={"to": to, "contact_id": contact.pk})
    return key


def _words(content: Content) -> str:
    return content.subject + content.preheader + content.html + content.text + json.dumps(content.fields)


def archive_template(template: EmailTemplate) -> EmailTemplate:
    """Take the template out of the lists; what was scheduled with it still goes out. Idempotent.

    It protects no segment any more; what still sends its words does (`selectors.segment_uses`).
    """
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        with audit.changing(held, "archive"):
            held.is_archived = True
            held.updated_at = clock.now()
            held.save(update_fields=["is_archived", "updated_at"])
            held.needs.filter(segment__isnull=False).delete()
    return held


def duplicate_template(template: EmailTemplate) -> EmailTemplate:
    """A new, unpublished draft with the same words."""
    values: dict[str, Any] = {name: getattr(template, name) for name in FIELDS}
    values["name"] = f"{template.name} (copy)"[:200]
    values["slug"] = _free_slug(template.slug)
    return create_template(values)


def delete_template(template: EmailTemplate) -> None:
    """Remove a template nobody has used; raises `Conflict` when it was published or a campaign names it."""
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        if held.versions.exists():
            raise Conflict(f"“{held}” was published, so mail may point at it; archive it instead.", code="in_use")
        audit.deleted(held)
        try:
            held.delete()
        except ProtectedError as error:
            raise Conflict(f"“{held}” is used by a campaign; archive it instead.", code="in_use") from error


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(values) - FIELDS)
    if unknown:
        raise Invalid(f"A template has no {', '.join(unknown)}.", details=dict.fromkeys(unknown, "Unknown field."))
    return dict(values)


def _save_new(template: EmailTemplate) -> None:
    with _slug_is_free(template.slug), transaction.atomic():
        template.save()


def _next_number(template: EmailTemplate) -> int:
    latest = template.versions.order_by("-number").values_list("number", flat=True).first()
    return (latest or 0) + 1


def _free_slug(slug: str) -> str:
    """`welcome` → `welcome-2`, or the next number nobody has."""
    taken = set(EmailTemplate.objects.filter(slug__startswith=slug[:90]).values_list("slug", flat=True))
    number = next(number for number in range(2, len(taken) + 3) if f"{slug[:90]}-{number}" not in taken)
    return f"{slug[:90]}-{number}"


@contextmanager
def _slug_is_free(slug: str) -> Iterator[None]:
    """Turns the database's refusal of a second slug into a `Conflict` beside the field."""
    try:
        yield
    except IntegrityError as error:
        if "one_template_per_slug" not in str(error):
            raise
        sentence = f'There is already a template with the slug "{slug}".'
        raise Conflict(sentence, code="slug_taken", details={"slug": sentence}) from error
