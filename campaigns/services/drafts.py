"""Drafts while somebody writes: kept as they come, compared with what was published, and brought back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from accounts import versions
from campaigns.domain.blocks import differences
from campaigns.domain.blocks.differences import Change
from campaigns.models import EmailTemplate, TemplateVersion
from campaigns.services import composing, sittings, templates, wording
from common.errors import Conflict, NotFound


def draft_of(template: EmailTemplate) -> dict[str, Any]:
    """The draft as an editor takes and gives it, with the number of its state and who changed it last."""
    words = wording.words_of(template)
    words["variants"] = {
        locale: {name: value for name, value in variant.items() if name != "text_basis"}
        | {"text_is_behind": composing.is_behind(composing.in_language(words, locale))}
        for locale, variant in template.variants.items()
    }
    last = sittings.last_entry(template)
    return words | {
        "name": template.name,
        "revision": template.version,
        "updated_at": template.updated_at,
        "changed_by": last.actor if last else "",
        "text_is_behind": composing.is_behind(wording.words_of(template) | {"text_basis": template.text_basis}),
        "has_unpublished_changes": template.published_id is None or template.published_edit != template.version,
    }


NOTHING = object()  # equal to no value


def save_draft(
    template: EmailTemplate, changes: Mapping[str, Any], *, expected_revision: int | None = None
) -> EmailTemplate:
    """Keep what was typed, finished or not. Raises `Conflict` with the other state when somebody was quicker.

    Whoever says what stands there already is at one with it: a tab that was closed may have said it a moment ago.
    """
    with transaction.atomic():
        held = versions.lock(EmailTemplate, template.pk)
        if expected_revision is not None and held.version != expected_revision:
            if all(getattr(held, name, NOTHING) == value for name, value in changes.items()):
                return held
            last = sittings.last_entry(held)
            raise Conflict(
                f"{last.actor if last else 'Somebody'} changed this mail since you opened it. Nothing was saved.",
                code="version_conflict",
                details={
                    "revision": f"It is {held.version} now; you sent {expected_revision}.",
                    "draft": _plain(draft_of(held)),
                },
            )
        with sittings.sitting(held):
            templates.change(held, changes)
    return held


def restore_version(template: EmailTemplate, number: int, *, expected_revision: int | None = None) -> EmailTemplate:
    """Make the words of a version the draft again; what is published stays. Raises `NotFound`, `Conflict`."""
    version = version_of(template, number)
    return templates.update_template(
        template, wording.changes_to(version.words), expected_version=expected_revision, action="restore"
    )


def compare(template: EmailTemplate, number: int, other: int | None = None) -> list[Change]:
    """What changed from a version to another one, or to the draft."""
    before = version_of(template, number).words
    after = wording.words_of(template) if other is None else version_of(template, other).words
    return differences.differences(before, after)


def version_of(template: EmailTemplate, number: int) -> TemplateVersion:
    """The version with this number; raises `NotFound`."""
    version = template.versions.filter(number=number).first()
    if version is None:
        raise NotFound(f"“{template}” has no version {number}.")
    return version


def _plain(draft: Mapping[str, Any]) -> dict[str, Any]:
    return {**draft, "updated_at": draft["updated_at"].isoformat().replace("+00:00", "Z")}
