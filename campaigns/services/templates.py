"""E-mail templates: a draft that is edited, and published versions that never change."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError
from django.utils.text import slugify

from accounts import actor, audit
from audience.models import Contact
from campaigns import selectors
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.services import versions
from common import clock
from common.errors import Conflict, Invalid
from delivery import services as delivery
from delivery.models import Content, SourceType

FIELDS = frozenset({"name", "slug", "kind", "subject", "preheader", "html", "text", "defaults"})


def create_template(values: Mapping[str, Any]) -> EmailTemplate:
    """A new draft. Raises `Invalid` by field, `Conflict` when the slug is taken."""
    template = EmailTemplate(**_known(values))
    template.slug = template.slug or slugify(template.name)[:100]
    _check_defaults(template)
    versions.clean(template)
    _save_new(template)
    audit.created(template)
    return template


def update_template(
    template: EmailTemplate, changes: Mapping[str, Any], *, expected_version: int | None = None
) -> EmailTemplate:
    """Edit the draft; what is published stays. Raises `Conflict` when somebody else was quicker."""
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        versions.check(held, expected_version)
        if held.is_archived:
            raise Conflict(f"“{held}” is archived; duplicate it to go on from there.", code="state_forbids")
        with audit.changing(held), _slug_is_free(str(changes.get("slug", held.slug))):
            versions.write(held, _known(changes))
            _check_defaults(held)
    return held


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
        content = compile_draft(held)
        with audit.changing(held, "publish"):
            if held.published is None or held.published.content_id != content.pk:
                held.published = TemplateVersion.objects.create(
                    template=held, number=_next_number(held), content=content, author=actor.current().name
                )
            held.published_edit = held.version
            held.updated_at = clock.now()
            held.save(update_fields=["published", "published_edit", "updated_at"])
        return held.published


def compile_draft(template: EmailTemplate, *, kind: str = "") -> Content:
    """The draft as immutable content, without publishing the template. Raises `Invalid` with places."""
    return delivery.publish_content(
        template.name,
        kind or template.kind,
        template.subject,
        template.html,
        template.text,
        template.defaults,
        preheader=template.preheader,
    )


def preview_template(template: EmailTemplate, contact: Contact) -> delivery.Rendered:
    """The draft as this contact would get it. Raises `Invalid` with the place of each mistake."""
    parts = delivery.Parts(
        template.subject,
        template.html,
        template.text,
        template.defaults,
        preheader=template.preheader,
        kind=template.kind,
    )
    delivery.check(parts)
    return delivery.render_preview(parts, contact)


def send_test(template: EmailTemplate, contact: Contact, to: str) -> str:
    """Queue the draft, written for `contact`, to a colleague's address; returns the message's key.

    Raises `Invalid` when the draft has mistakes or `to` is nobody of the organisation.
    """
    if to not in selectors.member_addresses():
        sentence = f"{to} is no address of a colleague; tests go to members of your organisation only."
        raise Invalid(sentence, details={"to": sentence})
    with transaction.atomic():
        content = compile_draft(template)
        key = f"test:{template.pk}:{uuid.uuid4()}"
        delivery.queue(
            [delivery.Outgoing(contact.pk, key, address=to)],
            content_id=content.pk,
            source_type=SourceType.TEST,
            source_id=template.pk,
        )
        audit.record("test send", template, after={"to": to, "contact_id": contact.pk})
    return key


def archive_template(template: EmailTemplate) -> EmailTemplate:
    """Take the template out of the lists; what was scheduled with it still goes out. Idempotent."""
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        with audit.changing(held, "archive"):
            held.is_archived = True
            held.updated_at = clock.now()
            held.save(update_fields=["is_archived", "updated_at"])
    return held


def duplicate_template(template: EmailTemplate) -> EmailTemplate:
    """A new, unpublished draft with the same words."""
    values = {name: getattr(template, name) for name in FIELDS}
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


def _check_defaults(template: EmailTemplate) -> None:
    if not isinstance(template.defaults, dict):
        sentence = 'Defaults are an object of names and values, such as {"name": "there"}.'
        raise Invalid(sentence, details={"defaults": sentence})


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
