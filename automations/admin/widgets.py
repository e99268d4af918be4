"""The steps as a form widget: a textarea of JSON, and a rule builder for each rule in it."""

from __future__ import annotations

import json
from typing import Any

from django.forms.widgets import Media, Script
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget

from automations.steps import STEPS


class StepsWidget(UnfoldAdminTextareaWidget):
    """`rule_field` is the field of the same form whose rule builder brings the language to the page."""

    def __init__(self, rule_field: str, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.rule_field = rule_field

    @property
    def media(self) -> Media:
        return Media(js=[Script("automations/step-rules.js", type="module")])  # type: ignore[list-item]

    def render(self, name: str, value: Any, attrs: dict[str, Any] | None = None, renderer: Any = None) -> SafeString:
        kinds = {
            key: {"label": kind.label, "rules": kind.rules, "branches": kind.branches}
            for key, kind in STEPS.items()
            if kind.rules and "[]" not in "".join(kind.rules)
        }
        return format_html(
            '<step-rules data-kinds="{}" data-page="{}-language">{}</step-rules>',
            json.dumps(kinds),
            self.rule_field,
            super().render(name, value, attrs, renderer),
        )
