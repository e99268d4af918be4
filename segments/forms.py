"""The form of a segment: plain fields, and the rule as checked JSON behind the rule builder."""

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


class SegmentForm(forms.ModelForm):  # type: ignore[type-arg]
    rule = forms.CharField(required=False, strip=True, widget=RuleWidget(attrs={"rows": 18}))

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
        if "rule" in self.fields:
            self.fields["rule"].widget.segment_id = self.instance.pk
            if self.instance.rule is not None:
                self.initial["rule"] = json.dumps(self.instance.rule, indent=2, ensure_ascii=False)

    def clean_rule(self) -> Any:
        """The rule as JSON; each problem with its place in the tree."""
        text = self.cleaned_data["rule"]
        if not text:
            return None
        try:
            raw = parsers.decode(text.encode())
            rules.parse(raw, catalogue.load(self.instance.pk))
        except AppError as error:
            told = [f"{place}: {sentence}" for place, sentence in error.details.items()]
            raise forms.ValidationError(told or error.message) from error
        return raw

    def values(self) -> dict[str, Any]:
        """The fields on the page, as the services take them."""
        return {name: self.cleaned_data[name] for name in [*FIELDS, "kind", "rule"] if name in self.cleaned_data}
