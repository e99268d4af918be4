"""What means what here, as a form: what is left empty is detected, and the form says what that is."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from accounts.admin_base import OneRowAdmin
from segments.models import PatternSettings
from segments.patterns import meaning, services


class PatternSettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    """Each field says in grey what is detected while it is empty."""

    class Meta:
        model = PatternSettings
        fields = ["purchase_event", "money_property", "lines_property", "product_property", "category_property",
                  "location_field", "goal_event", "window_days", "top_percent"]  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, value in meaning.detected().as_json().items():
            if name in self.fields and not isinstance(value, int):
                told = f"Detected: {value}" if value else "Nothing was detected"
                self.fields[name].widget.attrs["placeholder"] = told


@admin.register(PatternSettings)
class PatternSettingsAdmin(OneRowAdmin):
    form = PatternSettingsForm
    empty_hint = "Everything is detected from the events that come in. Add settings where that is wrong."
    list_display = ["__str__", "purchase_event", "money_property", "location_field", "window_days", "top_percent"]

    def save_model(self, request: HttpRequest, obj: PatternSettings, form: Any, change: bool) -> None:
        services.save_settings(obj)
