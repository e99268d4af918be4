"""Where snippets are used, and which mails still carry an older version."""

from __future__ import annotations

from dataclasses import dataclass

from campaigns.models import EmailTemplate, Snippet


@dataclass(frozen=True)
class Use:
    """A template that names a snippet. `published_number` is the snippet's version in what is sent, if any."""

    template: EmailTemplate
    published_number: int | None
    is_behind: bool


def uses(snippet: Snippet) -> list[Use]:
    """Templates whose draft or published version names the snippet, by name."""
    templates = (
        EmailTemplate.objects.filter(needs__snippet=snippet).select_related("published").order_by("name", "pk")
    )
    current = snippet.published.number if snippet.published else 0
    found = []
    for template in templates:
        number = template.published.snippets.get(snippet.slug) if template.published else None
        found.append(Use(template, number, number is not None and number < current and not template.is_archived))
    return found
