"""The copy assistant's pages: what was asked of it, how often its lines win, how it writes here."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from accounts import audit
from accounts.admin_base import OrganizationModelAdmin
from campaigns.copy import endpoint, languages, own, spending, success
from campaigns.copy.writing import readable
from campaigns.models import CopyLearning, CopyRequest, CopySettings, CopyTest
from experiments.models import ExperimentStatus


class CopySettingsForm(forms.ModelForm):  # type: ignore[type-arg]
    avoided = forms.CharField(
        label="Words that are in no proposal", required=False, max_length=2_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text="Between commas.",
    )  # fmt: skip

    class Meta:
        model = CopySettings
        fields = ["uses_endpoint", "monthly_cap_minor", "is_formal", "greets_by_name"]
        widgets = {
            "uses_endpoint": UnfoldBooleanSwitchWidget,
            "is_formal": UnfoldBooleanSwitchWidget,
            "greets_by_name": UnfoldBooleanSwitchWidget,
            "monthly_cap_minor": UnfoldAdminIntegerFieldWidget,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["avoided"].initial = ", ".join(self.instance.avoided_words)
        self.fields["monthly_cap_minor"].help_text = f"In hundredths of {settings.COPY_LLM_CURRENCY}."
        if not endpoint.is_there():
            del self.fields["uses_endpoint"], self.fields["monthly_cap_minor"]

    def clean_avoided(self) -> list[str]:
        words = [" ".join(word.split()).lower() for word in self.cleaned_data["avoided"].split(",")]
        if any(len(word) > 40 for word in words):
            raise forms.ValidationError("A word has at most 40 letters; put commas between them.")
        return list(dict.fromkeys(filter(None, words)))

    def save(self, commit: bool = True) -> CopySettings:
        self.instance.avoided_words = self.cleaned_data["avoided"]
        saved: CopySettings = super().save(commit)
        return saved


@admin.register(CopyRequest)
class CopyRequestAdmin(OrganizationModelAdmin):
    """The log: who asked for what, what it cost, which line was taken."""

    list_display = ["asked_at", "asked_by", "kind", "about", "taken", "source", "cost", "duration_ms"]
    list_filter = ["kind", "source", "language", "asked_at"]
    list_select_related = ["template"]
    search_fields = ["asked_by", "own"]
    ordering = ["-pk"]
    empty_hint = "Open an e-mail template and press “Suggest” beside its subject."
    change_form_outer_before_template = "campaigns/copy_request.html"
    fields = [
        "asked_at", "asked_by", "kind", "language", "state", "own", "source", "reason", "model", "input_tokens",
        "output_tokens", "cost", "duration_ms", "chosen_by", "chosen_at",
    ]  # fmt: skip

    class Media:
        css = {"all": ["campaigns/campaigns.css"]}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CopyRequest | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: CopyRequest | None = None) -> bool:
        return False

    @admin.display(description="Template")
    def about(self, row: CopyRequest) -> SafeString | str:
        if row.template is None:
            return "–"
        page = "campaigns_emailtemplate_editor" if row.kind != "text" else "campaigns_messagetemplate_change"
        return format_html('<a href="{}">{}</a>', reverse(f"admin:{page}", args=[row.template.pk]), row.template)

    @admin.display(description="Taken")
    def taken(self, row: CopyRequest) -> str:
        return "–" if row.chosen is None else readable(row.variants[row.chosen]["text"])

    @admin.display(description="Cost", ordering="cost_micro")
    def cost(self, row: CopyRequest) -> str:
        return money(row.cost_micro)

    def page_context(self, request: HttpRequest, row: CopyRequest) -> dict[str, Any]:
        shown = [variant | {"shown": readable(variant["text"])} for variant in row.variants]
        return {"copy_request": row, "variants": shown}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("success/", view(self.success_view), name="campaigns_copyrequest_success"),
            path("settings/", view(self.settings_view), name="campaigns_copyrequest_settings"),
        ]
        return own + super().get_urls()

    def success_view(self, request: HttpRequest) -> HttpResponse:
        """How often its lines win against people's, test by test; and what was learnt from own tests."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = success.success()
        context = {
            **self.admin_site.each_context(request),
            "title": "Success of the copy assistant",
            "success": found,
            "rows": [(result, _experiment_page(result.test)) for result in found.results],
            "waiting": [(test, _experiment_page(test), readable(str(test))) for test in _waiting()],
            **_learnt(),
            "opts": self.opts,
        }
        return TemplateResponse(request, "campaigns/copy_success.html", context)

    def settings_view(self, request: HttpRequest) -> HttpResponse:
        """How it writes for this organisation, and whether it may ask the language model."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        may = super().has_change_permission(request)
        row = CopySettings.objects.first()
        form = CopySettingsForm(request.POST or None, instance=row or CopySettings())
        if request.method == "POST":
            if not may:
                raise PermissionDenied
            if form.is_valid():
                _save(form, row)
                messages.success(request, "Saved. The next lines are written that way.")
                return HttpResponseRedirect(reverse("admin:campaigns_copyrequest_settings"))
        context = {
            **self.admin_site.each_context(request),
            "title": "How the copy assistant writes",
            "form": form,
            "may": may,
            "endpoint": endpoint.model() if endpoint.is_there() else "",
            "spent": money(spending.spent_micro()),
            "opts": self.opts,
        }
        return TemplateResponse(request, "campaigns/copy_settings.html", context)


def money(micro: int) -> str:
    """Millionths of the endpoint's currency, to a hundredth of a cent."""
    return f"{settings.COPY_LLM_CURRENCY} {micro / 1_000_000:,.4f}" if micro else "–"


def _learnt() -> dict[str, Any]:
    """What own tests taught, by language."""
    row = CopyLearning.objects.first()
    weights = row.weights if row is not None else {}
    return {
        "learning": row,
        "taught": [(languages.NAMES.get(name, name), own.read(weights[name])) for name in sorted(weights)],
    }


def _save(form: CopySettingsForm, row: CopySettings | None) -> None:
    with transaction.atomic():
        if row is None:
            audit.created(form.save())
            return
        before = audit.snapshot(CopySettings.objects.get(pk=row.pk))
        saved = form.save()
        audit.record("change", saved, before=before, after=audit.snapshot(saved))


def _waiting() -> QuerySet[CopyTest]:
    """Tests that nobody has started."""
    drafts = CopyTest.objects.filter(experiment__status=ExperimentStatus.DRAFT)
    return drafts.select_related("experiment").order_by("-pk")[:50]


def _experiment_page(test: CopyTest) -> str:
    try:
        return reverse("admin:experiments_experiment_change", args=[test.experiment_id])
    except NoReverseMatch:
        return ""
