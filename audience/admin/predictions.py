"""What models expect of contacts: how each prediction is read, and what stands for whom."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from audience import selectors, services
from audience.models import ContactPrediction, PredictionDefinition
from audience.services.predictions import CHANGEABLE
from common import clock


@admin.register(PredictionDefinition)
class PredictionDefinitionAdmin(OrganizationModelAdmin):
    """Predictions by name."""

    list_display = ["label", "name", "unit", "medium_from", "high_from", "valid_days", "people"]
    search_fields = ["name", "label"]
    ordering = ["label"]
    fields = ["name", "label", "unit", "medium_from", "high_from", "valid_days", "description"]
    empty_hint = (
        "Define a prediction such as churn_14d; then send scores with POST /api/v1/predictions/ or "
        "manage.py import_predictions scores.csv, and use their bands in segments."
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["name", "unit"] if obj else []

    @admin.display(description="Rows")
    def people(self, definition: PredictionDefinition) -> SafeString:
        address = f"{reverse('admin:audience_contactprediction_changelist')}?name={definition.name}"
        return format_html('<a href="{}">Show</a>', address)

    def save_model(self, request: HttpRequest, obj: PredictionDefinition, form: Any, change: bool) -> None:
        said = {name: form.cleaned_data[name] for name in form.cleaned_data if change is False or name in CHANGEABLE}
        if change:
            services.change_definition(obj, **said)
        else:
            obj.pk = services.define_prediction(**said).pk

    def delete_model(self, request: HttpRequest, obj: PredictionDefinition) -> None:
        services.delete_definition(obj)


class StaleFilter(admin.SimpleListFilter):
    """Those that hold, and those that lapsed."""

    title = "still holds"
    parameter_name = "holds"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Yes"), ("no", "No, stale")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        now = clock.now()
        if self.value() == "yes":
            return queryset.filter(valid_until__gt=now)
        return queryset.filter(valid_until__lte=now) if self.value() == "no" else queryset


@admin.register(ContactPrediction)
class ContactPredictionAdmin(OrganizationModelAdmin):
    """The prediction that counts for each contact and name; models write them."""

    list_display = ["who", "name", "value", "band", "made_at", "model_version", "state"]
    list_display_links = None
    list_filter = ["name", "band", StaleFilter]
    list_select_related = ["contact"]
    search_fields = ["name"]  # shows the box; get_search_results answers it
    search_help_text = "Begins with: a name, an e-mail address, a phone number or any id of the contact."
    ordering = ["-pk"]
    empty_hint = "Nothing is predicted yet. Define a prediction first, then send scores through the API or a file."

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[ContactPrediction], search_term: str
    ) -> tuple[QuerySet[ContactPrediction], bool]:
        if not search_term.strip():
            return queryset, False
        return queryset.filter(contact__in=selectors.search(selectors.living(), search_term)), False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="Contact", ordering="contact_id")
    def who(self, row: ContactPrediction) -> SafeString:
        return format_html('<a href="{}">{}</a>', reverse("dashboards:contact", args=[row.contact_id]), row.contact)

    @admin.display(description="Still holds")
    def state(self, row: ContactPrediction) -> str:
        return f"Stale since {row.valid_until:%-d %b %Y}" if row.is_stale else f"Until {row.valid_until:%-d %b %Y}"
