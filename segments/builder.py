"""The rule builder as a form widget: a textarea of JSON with what static/segments/rule-builder.js needs around it."""

from __future__ import annotations

from typing import Any

from django.forms.widgets import Media, Script
from django.urls import reverse
from django.utils.html import format_html, json_script
from django.utils.safestring import SafeString, mark_safe
from unfold.widgets import UnfoldAdminTextareaWidget

from segments import estimates, starters
from segments.rules import catalogue, language


class RuleWidget(UnfoldAdminTextareaWidget):
    """`segment_id` is the segment whose rule it is: those that lead back to it are not offered as conditions.

    A brief one is a field among others: it does not spread the ready rules out.
    """

    segment_id: int | None = None

    def __init__(self, attrs: dict[str, Any] | None = None, *, is_brief: bool = False) -> None:
        super().__init__(attrs)
        self.is_brief = is_brief

    @property
    def media(self) -> Media:
        return Media(
            css={"all": ["blocks/blocks.css", "segments/rule-builder.css"]},
            js=[Script("segments/rule-builder.js", type="module")],  # type: ignore[list-item]
        )

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        return format_html(
            '<rule-builder class="rb"{}>{}{}</rule-builder>',
            mark_safe(" data-brief") if self.is_brief else "",
            json_script(page(self.segment_id), f"{name}-language"),
            super().render(name, value, attrs, renderer),
        )


def page(segment_id: int | None = None) -> dict[str, Any]:
    """What the element reads of the page: the language with the segments one may refer to, addresses, ready rules."""
    known = catalogue.load(segment_id)
    others = [{"name": row.id, "label": row.name} for row in known.segments.values() if not row.circle]
    others.sort(key=lambda row: str(row["label"]).lower())
    return {
        "language": language.describe(known) | {"segments": others},
        "starters": starters.offered(known),
        "exact_up_to": estimates.EXACT_UP_TO,
        "addresses": {
            "preview": reverse("segment-preview"),
            "values": reverse("segment-suggest-values"),
            # The page of a contact belongs to a room above; its number is put in the place of 0.
            "people": reverse("dashboards:contact", args=[0]),
        },
    }
