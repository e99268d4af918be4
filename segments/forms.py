"""The form of a segment, and the field that any form takes for a rule: checked JSON behind the rule builder."""

from __future__ import annotations

import json
from typing import Any

from django import forms

from common.api import parsers
from common.errors import AppError
from segments import rules
from segments.builder import RuleWidget
from segments.models import Segment
from segments.rules import catalogue

FIELDS = ["name", "slug", "description", "tags", "is_active"]


class RuleField(forms.CharField):
    """A rule of the language behind the rule builder: JSON in, checked JSON out, nothing where it is left empty.

    `segment_id` is the segment whose rule it is; it must not lead back to itself.
    """

    segment_id: int | None = None

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"required": False, "strip": True, "widget": RuleWidget(attrs={"rows": 18}), **options})

    def belongs_to(self, segment_id: int | None) -> None:
        self.segment_id = self.widget.segment_id = segment_id

    def prepare_value(self, value: Any) -> Any:
        return value if value is None or isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)

    def clean(self, value: Any) -> Any:
        """The rule as JSON; each problem with its place in the tree."""
        text = super().clean(value)
        if not text:
            return None
        try:
            raw = parsers.decode(text.encode())
            rules.parse(raw, catalogue.load(self.segment_id))
        except AppError as error:
            told = [f"{place}: {sentence}" for place, sentence in error.details.items()]
            raise forms.ValidationError(told or error.message) from error
        return raw


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    rule = RuleField()

    class Meta:
        model = Segment
        fields = [*FIELDS, "kind"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("slug", "tags"):
            if name in self.fields:
                self.fields[name].required = False
        for name in ("description", "tags"):
            if name in self.fields:
                self.fields[name].widget.attrs["rows"] = 2
        rule = self.fields.get("rule")
        if isinstance(rule, RuleField):
            rule.belongs_to(self.instance.pk)
            self.initial["rule"] = self.instance.rule

    def values(self) -> dict[str, Any]:
        """The fields on the page, as the services take them."""
        return {name: self.cleaned_data[name] for name in [*FIELDS, "kind", "rule"] if name in self.cleaned_data}
