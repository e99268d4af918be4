"""What one contact would read, without sending anything."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from accounts.models import Organization
from audience.models import Contact
from common import tenancy
from common.errors import Invalid
from delivery.models import Content
from delivery.services import content as contents
from delivery.services import rendering
from delivery.services.content import Parts
from delivery.services.rendering import Rendered


def render_preview(words: Content | Parts, contact: Contact, variables: Mapping[str, Any] | None = None) -> Rendered:
    """The message as this contact would get it, links untracked.

    Raises `Invalid` with the sentence that the ledger would show, e.g. for a value the contact lacks.
    """
    whole = contents.completed(words) if isinstance(words, Parts) else words
    compiled = rendering.compile_words(whole, is_tracked=False)
    fields = {field.attname: getattr(contact, field.attname) for field in contact._meta.concrete_fields}
    person = rendering.contact_values(fields, contact.attributes, whole.defaults)
    name = Organization.objects.get(pk=tenancy.required()).name
    values = rendering.values_for(person, variables or {}, whole.defaults, name)
    rendering.preview_links(values)
    try:
        return compiled.render(values)
    except Exception as error:
        sentence = rendering.sentence(error)
        raise Invalid(f"The message cannot be written for {contact}: {sentence}.", code="cannot_render") from error
