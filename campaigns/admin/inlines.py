"""The rows of the campaign's form: who gets it, and what is offered; read as the services take them."""

from __future__ import annotations

from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from accounts.admin_base import StackedInline, TabularInline
from accounts.models import Organization
from campaigns import services
from campaigns.domain import states
from campaigns.models import Campaign, CampaignAudience, CodeKind, Offer
from campaigns.services.offer_drafts import NAMES
from common import money


class OfferForm(forms.ModelForm):  # type: ignore[type-arg]
    """An offer; what is left empty has its usual value."""

    minimum_spend = forms.DecimalField(
        required=False, min_value=0, max_digits=15, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget
    )

    class Meta:
        model = Offer
        fields = [name for name in NAMES if name != "minimum_spend_minor"]
        widgets = {"terms": UnfoldAdminTextareaWidget(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = Organization.objects.get().currency
        for name in ("codes", "limit_per_contact"):
            self.fields[name].required = False
        self.fields["minimum_spend"].help_text = f"The least an order must be worth, in {self.currency}; empty: any."
        self.fields["scope"].help_text = "Names of the categories or products it is good for, with commas between."
        if self.instance.minimum_spend_minor:
            self.fields["minimum_spend"].initial = money.to_decimal(self.instance.minimum_spend_minor, self.currency)

    def clean(self) -> dict[str, Any]:
        """Fill in what was left empty, and say money in minor units."""
        data: dict[str, Any] = super().clean() or {}
        data["codes"] = data.get("codes") or CodeKind.SHARED
        data["limit_per_contact"] = data.get("limit_per_contact") or 1
        least = data.get("minimum_spend")
        data["minimum_spend_minor"] = money.to_minor(least, self.currency) if least else None
        return data


class Part:
    """Rows that may change only while the campaign's state leaves their part open."""

    part = ""
    after: str | None = None  # the fieldset that it follows

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_add_permission(request, obj)) and may_edit(obj, self.part)  # type: ignore[misc]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_change_permission(request, obj)) and may_edit(obj, self.part)  # type: ignore[misc]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(super().has_delete_permission(request, obj)) and may_edit(obj, self.part)  # type: ignore[misc]


class AudienceInline(Part, TabularInline):
    model = CampaignAudience
    fields = ["segment", "is_excluded"]
    autocomplete_fields: ClassVar[list[str]] = ["segment"]
    verbose_name = "segment"
    verbose_name_plural = "Who gets it"
    tab = False
    part = "audience"


class OfferInline(Part, StackedInline):
    model = Offer
    form = OfferForm
    fields = [
        ("kind", "value", "unit"), ("codes", "code"), ("starts_at", "expires_at"),
        ("valid_days", "limit_per_contact", "limit_total"), ("minimum_spend", "scope_kind", "scope"), "terms",
    ]  # fmt: skip
    verbose_name = "offer"
    verbose_name_plural = "Offers shown in apps"
    tab = False
    part = "offers"
    after = "What goes out"


def may_edit(campaign: Campaign | None, part: str) -> bool:
    """Whether the campaign's state leaves this part open; a new campaign leaves all."""
    return campaign is None or part in states.EDITABLE[states.State(campaign.status)]


def kept(formset: Any) -> list[dict[str, Any]]:
    """Rows that are filled in and not taken away."""
    return [row for row in formset.cleaned_data if row and not row.get("DELETE")]


def audience_of(rows: list[dict[str, Any]]) -> services.Audience:
    return services.Audience(
        sorted(row["segment"].pk for row in rows if not row["is_excluded"]),
        sorted(row["segment"].pk for row in rows if row["is_excluded"]),
    )


def offer_of(row: dict[str, Any]) -> services.OfferDraft:
    values = {name: row[name] for name in NAMES if name in row}
    return services.OfferDraft(**values | {"scope": tuple(row.get("scope") or ())})
