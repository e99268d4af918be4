"""Forms of this room's admin pages."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import Organization
from campaigns.admin import arms as arm_rows
from campaigns.admin.timing import TimingForm
from campaigns.models import Campaign, EmailTemplate, Snippet
from campaigns.services import arms as arm_services
from common import money
from experiments.models import Arm
from experiments.services import ArmDraft

# form field → the field of the service
CAMPAIGN_FIELDS = {
    "name": "name",
    "description": "description",
    "template": "template_id",
    "sender": "sender_id",
    "topic": "topic_id",
    "messages_per_minute": "messages_per_minute",
    "weight": "weight",
    "shelf_hours": "shelf_hours",
    "holdout_percent": "holdout_percent",
    "starts_at": "starts_at",
    "ends_at": "ends_at",
    "timing": "timing",
    "local_time": "local_time",
    "passed_zones": "passed_zones",
    "experiment": "experiment_id",
    "test_percent": "test_percent",
    "test_hours": "test_hours",
    "utm_campaign": "utm_campaign",
}
TIMING = ("timing", "local_time", "passed_zones")


class CampaignForm(TimingForm):
    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)
    cost = forms.DecimalField(
        required=False, min_value=0, max_digits=15, decimal_places=3, widget=UnfoldAdminDecimalFieldWidget
    )

    class Meta:
        model = Campaign
        fields = [*CAMPAIGN_FIELDS]
        widgets = {"description": UnfoldAdminTextareaWidget(attrs={"rows": 3})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.currency = Organization.objects.get().currency
        if "cost" in self.fields:
            self.fields["cost"].help_text = f"What the campaign costs, in {self.currency}."
            self.fields["cost"].initial = money.to_decimal(self.instance.cost_minor or 0, self.currency)
        self.fill()
        self.arms = self._arms(kwargs.get("data") or (args[0] if args else None))
        if "starts_at" in self.fields:
            self.fields["starts_at"].label = "Planned for"
            self.fields["starts_at"].help_text = "A note for the calendar; nothing goes out before you launch."
        if "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version
        if "template" in self.fields:
            shown = EmailTemplate.objects.exclude(is_archived=True) | EmailTemplate.objects.filter(
                pk=self.instance.template_id
            )
            self.fields["template"].queryset = shown.order_by("name")  # type: ignore[attr-defined]

    def _arms(self, data: Any) -> Any:
        """Rows of the test, where it may still change."""
        if "test_percent" not in self.fields:
            return None
        stored = arm_services.arms_of(self.instance) if self.instance.pk else []
        return arm_rows.formset(data, self.instance, stored)

    def clean(self) -> dict[str, Any]:
        """The rows of the test are part of the form."""
        data = super().clean()
        if self.arms is not None and self.arms.is_bound and not self.arms.is_valid():
            self.add_error(None, "Something is wrong in the arms of the test; it stands beside its field.")
        return data

    def arm_drafts(self) -> list[ArmDraft] | None:
        """The arms of the page; None when it has none."""
        return None if self.arms is None else arm_rows.drafts(self.arms)

    def values(self) -> dict[str, Any]:
        """The fields that are on the page, as the service takes them."""
        data = self.cleaned_data
        values: dict[str, Any] = {}
        for name, field in CAMPAIGN_FIELDS.items():
            if name in data and name not in TIMING:
                values[field] = (data[name].pk if data[name] else None) if field.endswith("_id") else data[name]
        if "cost" in data:
            values["cost_minor"] = money.to_minor(data["cost"] or 0, self.currency)
        return values | self.timing_values()


class TemplateForm(forms.ModelForm):  # type: ignore[type-arg]
    opened_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = EmailTemplate
        fields = ["name", "slug", "kind", "subject", "preheader", "html", "text", "defaults"]
        widgets = {
            "html": UnfoldAdminTextareaWidget(attrs={"rows": 18, "class": "gs-code", "spellcheck": "false"}),
            "text": UnfoldAdminTextareaWidget(attrs={"rows": 8, "class": "gs-code"}),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "opened_version" in self.fields:
            self.fields["opened_version"].initial = self.instance.version
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = "The template's name in the API; empty: made from the name."

    def values(self) -> dict[str, Any]:
        """The fields that are on the page, as the service takes them."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "opened_version"}
        if self.instance.pk and not values.get("slug"):
            values.pop("slug", None)
        return values


class LaunchForm(forms.Form):
    """When to start: now, or at a moment in the organisation's zone."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    at = forms.DateTimeField(
        required=False,
        label="Start at",
        input_formats=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"],
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )

    def __init__(self, *args: Any, zone: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = ZoneInfo(zone)
        self.fields["at"].help_text = f"Empty: now. Your organisation's time, {zone}."

    def clean_at(self) -> datetime | None:
        moment: datetime | None = self.cleaned_data["at"]
        return moment.replace(tzinfo=self.zone) if moment else None


class DeclineForm(forms.Form):
    """Why a proposal is put away."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=2000, label="Why", help_text="Shown beside what was found.",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )  # fmt: skip


class DecisionForm(forms.Form):
    """Which arm the rest gets."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    arm = forms.ModelChoiceField(
        queryset=Arm.objects.none(), label="The rest gets", empty_label=None, widget=UnfoldAdminSelectWidget,
    )  # fmt: skip

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        arms = Arm.objects.filter(experiment=campaign.experiment_id).order_by("position")
        self.fields["arm"].queryset = arms  # type: ignore[attr-defined]


class ConfirmForm(forms.Form):
    version = forms.IntegerField(widget=forms.HiddenInput)


class PreviewForm(forms.Form):
    """For whom to show the template."""

    contact = forms.CharField(
        required=False,
        label="Show as",
        help_text="E-mail, user id or name of a contact; empty: the contact seen last.",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "search", "autocomplete": "off"}),
    )


class TestSendForm(forms.Form):
    """To which colleague the test goes."""

    to = forms.ChoiceField(label="Send a test to", widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, addresses: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["to"].choices = [(address, address) for address in addresses]  # type: ignore[attr-defined]


class SnippetForm(forms.ModelForm):  # type: ignore[type-arg]
    slug = forms.SlugField(
        max_length=100, required=False, widget=UnfoldAdminTextInputWidget, help_text="Empty: made from the name."
    )

    class Meta:
        model = Snippet
        fields = ["name", "slug"]

    def values(self) -> dict[str, Any]:
        """What the services take; an empty slug is made from the name."""
        return {name: value for name, value in self.cleaned_data.items() if value}
