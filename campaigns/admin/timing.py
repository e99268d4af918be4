"""The part of the campaign's form that says when it goes out and what a message costs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from campaigns.domain import recurrence
from campaigns.models import Timing
from common import money

# What stands for `recurrence` on the page.
REPEATS = ("repeat_every", "repeat_interval", "repeat_weekdays", "repeat_month_day", "repeat_zone", "repeat_runs")
# A field is shown while its sentence is true; where the timing is settled, no sentence is asked.
_REPEATS = "typeof timing === 'undefined' || timing === 'recurring'"
CONDITIONS = {
    "local_time": "typeof timing === 'undefined' || timing !== 'at'",
    "passed_zones": "typeof timing === 'undefined' || timing === 'local'",
    "repeat_every": _REPEATS,
    "repeat_interval": _REPEATS,
    "repeat_weekdays": f"({_REPEATS}) && repeat_every === 'week'",
    "repeat_month_day": f"({_REPEATS}) && repeat_every === 'month'",
    "repeat_zone": _REPEATS,
    "repeat_runs": _REPEATS,
}
EVERY = [("", "–"), ("day", "day"), ("week", "week"), ("month", "month")]
WEEKDAYS = [(number, name) for number, name in enumerate(recurrence.WEEKDAYS, start=1)]
ZONES = [("organization", "Your organisation's"), ("contact", "Each contact's own")]


class TimingForm(forms.ModelForm):  # type: ignore[type-arg]
    """Fields of a form whose `currency` the subclass knows before `fill`."""

    currency: str

    repeat_every = forms.ChoiceField(
        choices=EVERY, required=False, label="Repeat every", widget=UnfoldAdminSelectWidget
    )
    repeat_interval = forms.IntegerField(
        required=False, min_value=1, max_value=365, label="… so many of them", widget=UnfoldAdminIntegerFieldWidget,
        help_text="2 and “week”: every other week.",
    )  # fmt: skip
    repeat_weekdays = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS, coerce=int, required=False, label="On", widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="For weeks.",
    )  # fmt: skip
    repeat_month_day = forms.IntegerField(
        required=False, min_value=1, max_value=31, label="On day", widget=UnfoldAdminIntegerFieldWidget,
        help_text="For months; 31 is the last day of each.",
    )  # fmt: skip
    repeat_zone = forms.ChoiceField(
        choices=ZONES, required=False, label="By whose clock", widget=UnfoldAdminSelectWidget
    )
    repeat_runs = forms.IntegerField(
        required=False, min_value=1, max_value=recurrence.MOST_RUNS, label="How many times",
        widget=UnfoldAdminIntegerFieldWidget, help_text="Empty: until the campaign's end.",
    )  # fmt: skip
    message_cost = forms.DecimalField(
        required=False, min_value=0, max_digits=14, decimal_places=8, label="Cost per message",
        widget=UnfoldAdminDecimalFieldWidget,
    )  # fmt: skip
    budget = forms.DecimalField(
        required=False,
        min_value=Decimal("0.01"),
        max_digits=15,
        decimal_places=3,
        widget=UnfoldAdminDecimalFieldWidget,
    )

    def fill(self) -> None:
        """Show what the campaign has."""
        for name, value in self._stored().items():
            if name in self.fields:
                self.fields[name].initial = value
        for name in ("timing", "passed_zones"):
            if name in self.fields:
                self.fields[name].required = False
        if "message_cost" in self.fields:
            self.fields["message_cost"].help_text = (
                f"In {self.currency}; {Decimal('0.0004'):f} is possible. Of a text message (SMS) each segment costs"
                " it. Nothing: what the channel costs at launch (Message prices)."
            )
        if "budget" in self.fields:
            self.fields["budget"].help_text = f"In {self.currency}. Sending stops before it is passed. Empty: none."

    def clean(self) -> dict[str, Any]:
        """Read the repetition as the service will, so that a mistake stands beside its field."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("timing") == Timing.RECURRING and not data.get("local_time"):
            self.add_error("local_time", "Say at what time it goes out, such as 09:00.")
        if data.get("timing") == Timing.RECURRING and not data.get("repeat_every"):
            self.add_error("repeat_every", "Choose how often it goes out.")
        return data

    def timing_values(self) -> dict[str, Any]:
        """These fields, as the service takes them; only those that are on the page."""
        data = self.cleaned_data
        values = {name: data[name] for name in ("timing", "passed_zones") if data.get(name)}
        values |= {name: data[name] for name in ("local_time",) if name in data}
        if "repeat_every" in data:
            values["recurrence"] = self._recurrence(data)
        scale = money.exponent(self.currency)
        if "message_cost" in data:
            values["message_cost_minor"] = (data["message_cost"] or Decimal(0)).scaleb(scale)
        if "budget" in data:
            values["budget_minor"] = money.to_minor(data["budget"], self.currency) if data["budget"] else None
        return values

    def _recurrence(self, data: dict[str, Any]) -> dict[str, Any]:
        if data.get("timing") != Timing.RECURRING:
            return {}
        return {
            "every": data["repeat_every"],
            "interval": data["repeat_interval"],
            "weekdays": data["repeat_weekdays"],
            "month_day": data["repeat_month_day"],
            "zone": data["repeat_zone"],
            "most_runs": data["repeat_runs"],
            "time": data["local_time"],
        }

    def _stored(self) -> dict[str, Any]:
        campaign = self.instance
        stored: dict[str, Any] = {
            "message_cost": _plain(campaign.message_cost_minor.scaleb(-money.exponent(self.currency))),
            "budget": money.to_decimal(campaign.budget_minor, self.currency) if campaign.budget_minor else None,
        }
        if campaign.recurrence:
            again = recurrence.parse(campaign.recurrence)
            stored |= {
                "repeat_every": again.every, "repeat_interval": again.interval,
                "repeat_weekdays": list(again.weekdays), "repeat_month_day": again.month_day,
                "repeat_zone": again.zone, "repeat_runs": again.most_runs, "local_time": again.at,
            }  # fmt: skip
        return stored


def _plain(value: Decimal) -> str:
    """Without the zeros behind it: 0.04000000 → 0.04."""
    return f"{value.normalize():f}" if value else "0"
