"""What keeps messages from going: limits, caps, quiet hours, holdouts, the words of the confirmation mail."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextareaWidget

from accounts.admin_base import OneRowAdmin, OrganizationModelAdmin, ReadOnlyMixin
from delivery import services
from delivery.domain.caps import Cap
from delivery.models import (
    CapRule,
    ConfirmationLetter,
    DeliveryPolicy,
    Farewell,
    HeldOut,
    Holdout,
    MessageKind,
    QuietHours,
    Weekday,
)
from delivery.services import confirming, policy
from delivery.services.policy import hindsight, limits


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _hindsight(model_admin: OrganizationModelAdmin, request: HttpRequest, caps: list[Cap] | None) -> HttpResponse:
    """The sentence under the form: what these caps would have done."""
    found = hindsight.look_back(caps) if caps is not None else None
    return TemplateResponse(request, "delivery/hindsight.html", {"found": found, "days": hindsight.DAYS})


@admin.register(DeliveryPolicy)
class DeliveryPolicyAdmin(OneRowAdmin):
    empty_hint = "Without limits of your own: 2 marketing messages a day, 8 hours apart, quiet from 21:00 to 8:00."
    list_display = ["__str__", "most_per_day", "hours_between", "quiet_from", "quiet_until", "requires_consent"]
    change_form_outer_before_template = "delivery/limits_top.html"

    class Media:
        css = {"all": ["delivery.css"]}

    fieldsets = [
        ("Caps for marketing", {"fields": ["most_per_day", "hours_between"]}),
        ("Quiet hours", {"fields": ["quiet_from", "quiet_until"]}),
        ("Consent", {"fields": ["requires_consent"]}),
    ]

    def save_model(self, request: HttpRequest, obj: DeliveryPolicy, form: Any, change: bool) -> None:
        services.save_policy(obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("preview/", view(self.preview_view), name="delivery_deliverypolicy_preview"),
            *super().get_urls(),
        ]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the caps in the form, with the rules beside them, would have refused."""
        most, between = _number(request, "most_per_day"), _number(request, "hours_between")
        if most is None or between is None:
            return _hindsight(self, request, None)
        others = [limits.rule_cap(rule) for rule in CapRule.objects.all()]
        return _hindsight(self, request, [Cap(MessageKind.MARKETING, most=most, hours_between=between), *others])


@admin.register(CapRule)
class CapRuleAdmin(OrganizationModelAdmin):
    """Caps by kind, channel and topic."""

    empty_hint = "Add a cap for one channel or topic, such as 1 text message a week; the strictest decides."
    list_display = ["__str__", "kind", "channel", "topic", "most", "per_hours", "hours_between"]
    list_select_related = ["topic"]
    list_filter = ["kind", "channel"]
    search_fields = ["topic__name"]
    change_form_outer_before_template = "delivery/limits_top.html"

    class Media:
        css = {"all": ["delivery.css"]}

    fieldsets = [
        ("Which messages", {"fields": ["kind", "channel", "topic"]}),
        ("How many", {"fields": ["most", "per_hours", "hours_between"]}),
    ]

    def save_model(self, request: HttpRequest, obj: CapRule, form: Any, change: bool) -> None:
        services.save_cap(obj)

    def delete_model(self, request: HttpRequest, obj: CapRule) -> None:
        services.delete_limit(obj)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [path("preview/", view(self.preview_view), name="delivery_caprule_preview"), *super().get_urls()]

    def preview_view(self, request: HttpRequest) -> HttpResponse:
        """What the cap in the form, with all others, would have refused."""
        kind, channel = request.GET.get("kind", ""), request.GET.get("channel", "")
        per_hours = _number(request, "per_hours")
        if kind not in MessageKind.values or not per_hours:
            return _hindsight(self, request, None)
        mine = Cap(
            kind, channel, _number(request, "topic"), _number(request, "most"), per_hours,
            _number(request, "hours_between") or 0,
        )  # fmt: skip
        same = (mine.kind, mine.channel, mine.topic_id, mine.per_hours)
        others = [
            cap
            for cap in policy.caps(policy.current())[1:]
            if (cap.kind, cap.channel, cap.topic_id, cap.per_hours) != same
        ]
        return _hindsight(self, request, [policy.caps(policy.current())[0], *others, mine])


class QuietHoursForm(forms.ModelForm):  # type: ignore[type-arg]
    weekdays = forms.TypedMultipleChoiceField(
        choices=Weekday.choices,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="On which it begins; none: every day.",
    )

    class Meta:
        model = QuietHours
        fields = ["channel", "quiet_from", "quiet_until", "weekdays"]


@admin.register(QuietHours)
class QuietHoursAdmin(OrganizationModelAdmin):
    """Quiet hours of single channels."""

    form = QuietHoursForm
    empty_hint = "Every channel goes by the sending limits; add quiet hours for one that should be quiet otherwise."
    list_display = ["__str__", "channel", "quiet_from", "quiet_until", "days"]
    list_filter = ["channel"]

    @display(description="Days")
    def days(self, row: QuietHours) -> str:
        return ", ".join(Weekday(day).label for day in sorted(row.weekdays)) or "Every day"

    def save_model(self, request: HttpRequest, obj: QuietHours, form: Any, change: bool) -> None:
        services.save_quiet_hours(obj)

    def delete_model(self, request: HttpRequest, obj: QuietHours) -> None:
        services.delete_limit(obj)


@admin.register(Holdout)
class HoldoutAdmin(OrganizationModelAdmin):
    """Who gets nothing, so that the effect can be measured. Those of campaigns are set at the campaign."""

    empty_hint = "Hold a few percent out of everything for some months, and learn what all your messages are worth."
    list_display = ["name", "what", "percent", "starts_at", "ends_at", "renew_days", "held_out_count"]
    search_fields = ["name"]
    ordering = ["-pk"]
    fields = ["name", "percent", "starts_at", "ends_at", "renew_days"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Holdout]:
        return super().get_queryset(request).annotate(held_count=Count("held_out"))

    @display(description="Of what")
    def what(self, holdout: Holdout) -> str:
        return f"{holdout.get_source_type_display()} {holdout.source_id}" if holdout.source_type else "Everything"

    @display(description="Held out", ordering="held_count")
    def held_out_count(self, holdout: Holdout) -> SafeString:
        address = f"{reverse('admin:delivery_heldout_changelist')}?holdout__id__exact={holdout.pk}"
        return format_html('<a href="{}">{}</a>', address, f"{holdout.held_count:,}")  # type: ignore[attr-defined]

    def has_change_permission(self, request: HttpRequest, obj: Holdout | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or not obj.source_type)

    def has_delete_permission(self, request: HttpRequest, obj: Holdout | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or not obj.source_type)

    def save_model(self, request: HttpRequest, obj: Holdout, form: Any, change: bool) -> None:
        services.save_holdout(obj)

    def delete_model(self, request: HttpRequest, obj: Holdout) -> None:
        services.delete_holdout(obj)


@admin.register(HeldOut)
class HeldOutAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Who was held out of what, and when."""

    empty_hint = "Messages that a holdout kept from going are listed here."
    list_display = ["happened_at", "contact_link", "source_type", "source_id", "holdout", "period"]
    list_filter = ["holdout", "source_type"]
    list_select_related = ["holdout", "contact"]
    search_fields = ["contact__email"]
    ordering = ["-pk"]

    @display(description="Contact")
    def contact_link(self, row: HeldOut) -> SafeString:
        return format_html('<a href="/contacts/{}/">{}</a>', row.contact_id, str(row.contact))


class LetterForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = ConfirmationLetter
        fields = ["locale", "subject", "html"]
        widgets = {"html": UnfoldAdminTextareaWidget(attrs={"rows": 14, "class": "gs-code", "spellcheck": "false"})}


@admin.register(ConfirmationLetter)
class ConfirmationLetterAdmin(OrganizationModelAdmin):
    """The words of the mail that asks for the click."""

    form = LetterForm
    empty_hint = "A built-in mail asks for the click of a double opt-in; write your own, one for each language."
    list_display = ["__str__", "locale", "subject"]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        words = confirming.built_in()
        return {"subject": words.subject, "html": words.html}

    def save_model(self, request: HttpRequest, obj: ConfirmationLetter, form: Any, change: bool) -> None:
        confirming.save_letter(obj)

    def delete_model(self, request: HttpRequest, obj: ConfirmationLetter) -> None:
        confirming.delete_letter(obj)


@admin.register(Farewell)
class FarewellAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Why people left."""

    empty_hint = "What people say on the page after unsubscribing appears here."
    list_display = ["told_at", "reason", "words", "to"]
    list_filter = ["reason"]
    search_fields = ["words"]
    list_select_related = ["message"]
    ordering = ["-pk"]

    @display(description="Message")
    def to(self, row: Farewell) -> SafeString:
        address = reverse("admin:delivery_message_change", args=[row.message_id])
        return format_html('<a href="{}">{}</a>', address, row.message.address or row.message_id)
