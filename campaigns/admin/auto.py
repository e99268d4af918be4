"""The form of an automatic campaign."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin_base import OrganizationModelAdmin
from accounts.models import Organization
from campaigns.auto import presets
from campaigns.models import AutoPreset, EmailTemplate
from common import money

PLAIN = ["name", "policy", "least_transactions", "fewer_than_transactions", "most_locations", "inactive_days",
         "growth_percent", "least_people", "offer_kind", "offer_value", "offer_unit", "is_for_favourite",
         "duration_days", "holdout_percent", "template", "cooldown_days"]  # fmt: skip


class PresetForm(forms.ModelForm):  # type: ignore[type-arg]
    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    least_spent = forms.DecimalField(
        required=False, min_value=0, max_digits=15, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget
    )

    class Meta:
        model = AutoPreset
        fields = PLAIN

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = Organization.objects.get().currency
        if "least_spent" in self.fields:
            self.fields["least_spent"].help_text = f"Spent this much or more in the window, in {self.currency}."
            least = self.instance.least_spent_minor
            self.fields["least_spent"].initial = None if least is None else money.to_decimal(least, self.currency)
        if "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version
        if "template" in self.fields:
            shown = EmailTemplate.objects.exclude(is_archived=True).order_by("name")
            self.fields["template"].queryset = shown  # type: ignore[attr-defined]

    def values(self) -> dict[str, Any]:
        """The fields as the service takes them."""
        data = self.cleaned_data
        least, template = data["least_spent"], data["template"]
        return {name: data[name] for name in PLAIN if name != "template"} | {
            "template_id": template.pk if template else None,
            "least_spent_minor": money.to_minor(least, self.currency) if least else None,
        }


@admin.register(AutoPreset)
class AutoPresetAdmin(OrganizationModelAdmin):
    """Seven rows, made by themselves; people change them."""

    form = PresetForm
    empty_hint = "Open “Automatic campaigns” in the sidebar: the seven are made there."
    list_display = ["name", "policy", "offered", "duration_days", "holdout_percent", "updated_at"]
    ordering = ["pk"]
    fieldsets = [
        (None, {"fields": ["name", "policy", "opened_version"]}),
        (
            "Whom it looks for among recent customers (all that is set must hold)",
            {"fields": ["least_spent", "least_transactions", "fewer_than_transactions", "most_locations",
                        "inactive_days", "growth_percent", "is_for_favourite", "least_people"]},
        ),
        ("What it offers", {"fields": ["offer_kind", "offer_value", "offer_unit", "duration_days", "template"]}),
        ("Fairness", {"fields": ["holdout_percent", "cooldown_days"]}),
    ]  # fmt: skip

    @admin.display(description="Offer")
    def offered(self, preset: AutoPreset) -> str:
        return presets.offer(preset)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: AutoPreset | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: AutoPreset, form: PresetForm, change: bool) -> None:
        stored = AutoPreset.objects.get(pk=obj.pk)
        presets.save_preset(stored, form.values(), expected_version=form.cleaned_data.get("opened_version"))
