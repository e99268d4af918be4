"""Conversions with their credits, touchpoints, goals and costs."""

from __future__ import annotations

import io
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin, TabularInline
from attribution import services
from attribution.models import CHANNELS, MODELS, Conversion, Cost, Credit, Goal, Touchpoint
from attribution.selectors.conversions import CREDITED_BY, narrow
from attribution.services import CostDraft
from attribution.services.conversions import currency as organization_currency
from common import money
from common.errors import AppError

MOST_FILE_BYTES = 10 * 1024 * 1024
SHOWN_ERRORS = 10


class Word(admin.SimpleListFilter):
    """A word of the address that `ConversionAdmin.get_queryset` reads together with the others."""

    choices_: list[tuple[str, str]] = []

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        said = request.GET.get(self.parameter_name or "")
        return self.choices_ or ([(said, said)] if said else [])

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset


class ModelWord(Word):
    title, parameter_name, choices_ = "credited in model", "model", MODELS


class ChannelWord(Word):
    title, parameter_name, choices_ = "credited to channel", "channel", CHANNELS


class CampaignWord(Word):
    title, parameter_name = "credited to campaign (number)", "campaign"


class CampaignNameWord(Word):
    title, parameter_name = "credited to campaign tag", "campaign_name"


class UnattributedWord(Word):
    title, parameter_name = "credit", "unattributed"
    choices_ = [("true", "Unattributed"), ("false", "Attributed")]


class CountedWord(Word):
    title, parameter_name = "totals", "counted"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        goals = [(str(pk), f"Counted for {name}") for pk, name in Goal.objects.values_list("pk", "name")[:50]]
        return [("revenue", "Counted as revenue"), *goals]


class CreditInline(ReadOnlyMixin, TabularInline):
    model = Credit
    fields = readonly_fields = ["model", "touchpoint", "amount", "part"]
    ordering = ["model", "touchpoint__happened_at"]
    verbose_name_plural = "Credits by model"
    tab = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Credit]:
        return super().get_queryset(request).select_related("touchpoint", "conversion")

    @admin.display(description="Amount")
    def amount(self, credit: Credit) -> str:
        return money.show(credit.amount_minor, credit.conversion.currency)

    @admin.display(description="Share")
    def part(self, credit: Credit) -> str:
        return f"{credit.share:.1%}"


@admin.register(Conversion)
class ConversionAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """What was achieved, and who is credited."""

    list_display = ["happened_at", "contact", "goal", "order_id", "value", "net", "credit_state"]
    list_filter = [
        "goal", "currency", ModelWord, ChannelWord, CampaignWord, CampaignNameWord, UnattributedWord, CountedWord,
    ]  # fmt: skip
    list_select_related = ["contact", "goal"]
    search_fields = ["=order_id", "=contact__email"]
    search_help_text = "Order number or e-mail address, in full"
    ordering = ["-happened_at", "-pk"]
    fields = ["goal", "contact", "order_id", "value", "refunded", "net", "happened_at", "credit_state", "credited_at"]
    inlines = [CreditInline]
    empty_hint = "Conversions appear when an event of a goal arrives, for example order_completed."

    def get_queryset(self, request: HttpRequest) -> QuerySet[Conversion]:
        words = {
            name: request.GET[name] for name in (*CREDITED_BY, "unattributed", "counted") if request.GET.get(name)
        }
        return narrow(super().get_queryset(request), words)

    @admin.display(description="Value", ordering="value_minor")
    def value(self, conversion: Conversion) -> str:
        return money.show(conversion.value_minor, conversion.currency)

    @admin.display(description="Refunded", ordering="refunded_minor")
    def refunded(self, conversion: Conversion) -> str:
        return money.show(conversion.refunded_minor, conversion.currency)

    @admin.display(description="After refunds")
    def net(self, conversion: Conversion) -> str:
        return money.show(conversion.net_minor, conversion.currency)

    @display(description="Credit", label={"Drawn": "success", "Being drawn": "warning"})
    def credit_state(self, conversion: Conversion) -> str:
        return "Drawn" if conversion.status == "done" else "Being drawn"


class OfflineForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Touchpoint
        fields = ["contact", "source", "campaign", "campaign_name", "happened_at"]


@admin.register(Touchpoint)
class TouchpointAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Contacts' meetings with our marketing. Offline ones are added here, the others come with events."""

    form = OfflineForm
    list_display = ["happened_at", "contact", "kind_badge", "channel", "source", "campaign_name"]
    list_filter = ["kind", "channel"]
    list_select_related = ["contact"]
    search_fields = ["=contact__email", "=campaign_name"]
    search_help_text = "E-mail address or campaign tag, in full"
    ordering = ["-happened_at", "-pk"]
    raw_id_fields = ["contact", "campaign"]
    empty_hint = (
        "Touchpoints appear when contacts click in your mails or come by a tagged link, an ad or another site."
    )

    @display(
        description="Kind",
        ordering="kind",
        label={"Click in a message": "info", "Visit": "success", "Invitation": "warning", "Offline": "primary"},
    )
    def kind_badge(self, touchpoint: Touchpoint) -> str:
        return touchpoint.get_kind_display()

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return OrganizationModelAdmin.has_add_permission(self, request)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        own = ["contact", "source", "campaign", "campaign_name", "happened_at"]
        return ["kind", "channel", "medium", *own, "message"] if obj else own

    def save_model(self, request: HttpRequest, obj: Touchpoint, form: Any, change: bool) -> None:
        made = services.add_offline(
            obj.contact,
            happened_at=obj.happened_at,
            source=obj.source,
            campaign=obj.campaign,
            campaign_name=obj.campaign_name,
        )
        obj.pk = made.pk


@admin.register(Goal)
class GoalAdmin(OrganizationModelAdmin):
    """What counts as a conversion."""

    list_display = ["name", "event_name", "look_back_days", "counts_as_revenue", "is_active"]
    list_filter = ["is_active", "counts_as_revenue"]
    search_fields = ["name", "event_name"]
    fields = [
        "name", "event_name", "where", "refund_event_name", "look_back_days", "counts_as_revenue", "is_active",
    ]  # fmt: skip
    empty_hint = "Your first goal, Purchase, is made with the first event; add others for sign-ups or trials."

    def save_model(self, request: HttpRequest, obj: Goal, form: Any, change: bool) -> None:
        services.save_goal(obj)

    def delete_model(self, request: HttpRequest, obj: Goal) -> None:
        services.delete_goal(obj)


class CostForm(forms.ModelForm):  # type: ignore[type-arg]
    amount = forms.DecimalField(
        min_value=0,
        max_digits=15,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
        help_text="For example 12.50",
    )
    currency = forms.RegexField(
        "^[A-Za-z]{3}$", required=False, help_text="Empty: your organisation's. Others are left out of totals."
    )

    class Meta:
        model = Cost
        fields = ["day", "campaign", "channel", "currency", "note"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["amount"] = money.to_decimal(self.instance.amount_minor, self.instance.currency)


@admin.register(Cost)
class CostAdmin(OrganizationModelAdmin):
    """What campaigns and channels cost, by day; one by one or from a file."""

    form = CostForm
    list_display = ["day", "campaign", "channel", "amount_shown", "note"]
    list_filter = ["channel"]
    list_select_related = ["campaign"]
    search_fields = ["note", "campaign__name"]
    ordering = ["-day", "-pk"]
    fields = ["day", "campaign", "channel", "amount", "currency", "note"]
    raw_id_fields = ["campaign"]
    list_before_template = "attribution/import_costs.html"
    empty_hint = "Enter what ads and campaigns cost, or import a file: without costs there is no return to show."

    @admin.display(description="Amount", ordering="amount_minor")
    def amount_shown(self, cost: Cost) -> str:
        return money.show(cost.amount_minor, cost.currency)

    def save_model(self, request: HttpRequest, obj: Cost, form: Any, change: bool) -> None:
        currency = (form.cleaned_data["currency"] or organization_currency()).upper()
        draft = CostDraft(
            day=obj.day,
            amount_minor=money.to_minor(form.cleaned_data["amount"], currency),
            campaign_id=obj.campaign_id,
            channel=obj.channel,
            currency=currency,
            note=obj.note,
        )
        stored = services.change_cost(Cost.objects.get(pk=obj.pk), draft) if change else services.save_cost(draft)
        obj.pk = stored.pk

    def delete_model(self, request: HttpRequest, obj: Cost) -> None:
        services.delete_cost(obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(require_POST(self.import_file))
        return [path("import/", view, name="attribution_cost_import"), *super().get_urls()]

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Take an uploaded CSV: all of its rows or, when one is wrong, none."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            self._import(request)
        except AppError as error:
            messages.error(request, f"Nothing was imported: {error.message}")
        return HttpResponseRedirect(reverse("admin:attribution_cost_changelist"))

    def _import(self, request: HttpRequest) -> None:
        upload = request.FILES.get("file")
        if upload is None or upload.size > MOST_FILE_BYTES:
            messages.error(request, "Choose a CSV file of at most 10 MB.")
            return
        report = services.import_costs(io.TextIOWrapper(upload.file, encoding="utf-8-sig", newline=""))
        if not report.wrong:
            messages.success(request, f"{report.stored:,} costs are imported.")
            return
        lines = [f"line {line}: {sentence}" for line, sentence in list(report.wrong.items())[:SHOWN_ERRORS]]
        more = len(report.wrong) - SHOWN_ERRORS
        said = " · ".join([*lines, *([f"and {more:,} more"] if more > 0 else [])])
        messages.error(request, f"Nothing was imported. {said}")
