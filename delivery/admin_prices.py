"""What messages cost, by channel."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminDecimalFieldWidget

from accounts.admin_base import OrganizationModelAdmin
from accounts.models import Organization
from common import money
from delivery import services
from delivery.models import MessagePrice


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    price = forms.DecimalField(
        min_value=0, max_digits=14, decimal_places=8, label="Price", widget=UnfoldAdminDecimalFieldWidget
    )

    class Meta:
        model = MessagePrice
        fields = ["channel"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        currency = Organization.objects.get().currency
        self.scale = money.exponent(currency)
        self.fields["price"].help_text = (
            f"In {currency}, of one message; of a text message (SMS) each segment of its text: 160 letters, or 153"
            " where there are several. Campaigns without a price of their own take it when they are launched."
        )
        if self.instance.pk:
            self.initial["price"] = f"{self.instance.price_minor.scaleb(-self.scale).normalize():f}"

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        self.instance.price_minor = (data.get("price") or Decimal(0)).scaleb(self.scale)
        return data


@admin.register(MessagePrice)
class MessagePriceAdmin(OrganizationModelAdmin):
    """One price for each channel."""

    form = PriceForm
    fields = ["channel", "price"]
    list_display = ["channel", "shown"]
    ordering = ["channel"]
    empty_hint = "Say what a message costs on a channel, and campaigns count what they spend."

    @admin.display(description="Price", ordering="price_minor")
    def shown(self, row: MessagePrice) -> str:
        return money.show_part(row.price_minor, Organization.objects.get().currency)

    def save_model(self, request: HttpRequest, obj: MessagePrice, form: Any, change: bool) -> None:
        services.save_price(obj)

    def delete_model(self, request: HttpRequest, obj: MessagePrice) -> None:
        services.delete_limit(obj)
