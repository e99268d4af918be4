"""The people in experiments, and those who are kept out of all of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin_base import OneRowAdmin, OrganizationModelAdmin, ReadOnlyMixin
from experiments import selectors, services
from experiments.models import Assignment, Reserve

# What links from a read-out ask for: lists of arms in a sidebar would be those of all experiments.
LOOKUPS = {"experiment__id__exact", "arm__id__exact", "exposed_at__isnull"}


@admin.register(Assignment)
class AssignmentAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Who got which arm, and when they met it."""

    list_display = ["person", "experiment", "arm", "exposed_at", "assigned_at", "chance", "problem"]
    list_display_links = None
    list_filter = ["problem"]
    list_select_related = ["contact", "experiment", "arm"]
    search_fields = ["=contact__email", "=contact__user_id"]
    search_help_text = "E-mail address or user ID, in full"
    ordering = ["-pk"]
    fields = ["contact", "experiment", "arm", "propensity", "assigned_at", "exposed_at", "problem", "reported"]
    empty_hint = "People appear when an experiment runs and they are drawn: by a campaign, a journey, or your app."

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        return lookup in LOOKUPS or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Contact")
    def person(self, row: Assignment) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>', reverse("admin:audience_contact_change", args=[row.contact_id]), row.contact
        )

    @admin.display(description="Chance", ordering="propensity")
    def chance(self, row: Assignment) -> str:
        return f"{row.propensity:.1%}"


class ReserveForm(forms.ModelForm):  # type: ignore[type-arg]
    percent = forms.DecimalField(
        label="Kept out, percent", min_value=0, max_value=50, max_digits=5, decimal_places=2,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="The same people for all experiments. Who has an arm already keeps it.",
    )  # fmt: skip

    class Meta:
        model = Reserve
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["percent"] = round(Decimal(str(self.instance.share)) * 100, 2)


@admin.register(Reserve)
class ReserveAdmin(OneRowAdmin):
    """The share of everybody who takes part in no experiment."""

    form = ReserveForm
    fields = ["percent"]
    list_display = ["__str__", "people", "since"]
    empty_hint = "Everybody may be in experiments. Keep a share out of all of them, to see what they bring together."

    @admin.display(description="People")
    def people(self, reserve: Reserve) -> str:
        return selectors.reserved_people(reserve)

    def save_model(self, request: HttpRequest, obj: Reserve, form: ReserveForm, change: bool) -> None:
        obj.pk = services.set_reserve(float(form.cleaned_data["percent"]) / 100).pk
