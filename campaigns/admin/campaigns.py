"""The campaign's pages: list, form with audience and offers, launch and the other acts, live progress."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Max, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from accounts.models import Organization
from campaigns import selectors, services
from campaigns.admin import acts, estimating, forecasts, standing
from campaigns.admin import merging as merge_page
from campaigns.admin.forms import CampaignForm, ConfirmForm, DecisionForm, DeclineForm, LaunchForm
from campaigns.admin.inlines import AudienceInline, OfferInline, audience_of, kept, may_edit, offer_of
from campaigns.admin.timing import CONDITIONS, REPEATS
from campaigns.domain import recurrence, states
from campaigns.models import Campaign, CampaignAudience, Offer
from campaigns.selectors import waves
from campaigns.services import merging
from campaigns.services.merging import Edit
from common import clock
from common.errors import AppError

FIRST_YEAR, LAST_YEAR = 2000, 2200  # a day beyond these is no plan


@admin.register(Campaign)
class CampaignAdmin(OrganizationModelAdmin):
    """Broadcasts and offers."""

    form = CampaignForm
    inlines = [AudienceInline, OfferInline]
    list_display = ["name", "status_badge", "people", "starts_at", "updated_at"]
    list_filter = ["status"]
    search_fields = ["name", "description"]
    ordering = ["-pk"]
    empty_hint = "Publish an e-mail template, choose a segment, and launch your first campaign from here."
    change_form_outer_before_template = "campaigns/campaign_top.html"
    change_form_template = "campaigns/campaign_form.html"
    conditional_fields = CONDITIONS
    fieldsets = [
        (None, {"fields": ["name", "description", "opened_version"]}),
        ("What goes out", {"fields": ["template", "sender", "topic", "utm_campaign"]}),
        ("When", {"fields": ["starts_at", "timing", "local_time", "passed_zones", *REPEATS, "ends_at"]}),
        ("How fast, and at what cost", {"fields": ["messages_per_minute", "cost", "message_cost", "budget"]}),
        ("Test", {"fields": ["experiment", "test_percent", "test_hours"]}),
        ("When limits collide", {"fields": ["weight", "shelf_hours", "holdout_percent"]}),
    ]

    class Media:
        css = {"all": ["campaigns/campaigns.css"]}

    # --- list -----------------------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[Campaign]:
        return super().get_queryset(request).annotate(target_count=Max("runs__target_count"))

    @admin.display(description="Status", ordering="status")
    def status_badge(self, campaign: Campaign) -> SafeString:
        return standing.badge(campaign.status)

    @admin.display(description="People", ordering="target_count")
    def people(self, campaign: Campaign) -> str:
        count = getattr(campaign, "target_count", None)
        rows = (
            f"{reverse('admin:campaigns_target_changelist')}?campaign__id__exact={campaign.pk}&is_held_out__exact=0"
        )
        return "–" if count is None else format_html('<a href="{}">{}</a>', rows, f"{count:,}")

    # --- form: one service call for everything on the page ----------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Campaign | None = None) -> list[str]:
        if obj is None:
            return []
        form_name = {
            "template_id": "template", "sender_id": "sender", "topic_id": "topic", "cost_minor": "cost",
            "message_cost_minor": "message_cost", "budget_minor": "budget", "recurrence": "repeats",
            "experiment_id": "experiment",
        }  # fmt: skip
        settled = states.EVERYTHING - states.EDITABLE[states.State(obj.status)] - {"audience", "offers", "arms"}
        # `cost` is the form's own field: it is left out rather than shown twice.
        return sorted(form_name.get(name, name) for name in settled)

    def get_fieldsets(self, request: HttpRequest, obj: Campaign | None = None) -> Any:
        """What is settled is said in a sentence instead of a row of inputs."""
        if obj is None or may_edit(obj, "recurrence"):
            return self.fieldsets
        shown = {"fields": ["starts_at", "timing", "local_time", "passed_zones", "repeats", "ends_at"]}
        return [(title, shown if title == "When" else part) for title, part in self.fieldsets]

    @admin.display(description="Repeats")
    def repeats(self, campaign: Campaign) -> str:
        return recurrence.parse(campaign.recurrence).sentence() if campaign.recurrence else "No."

    @admin.display(description="Cost per message")
    def message_cost(self, campaign: Campaign) -> str:
        return selectors.message_cost_shown(campaign)

    @admin.display(description="Budget")
    def budget(self, campaign: Campaign) -> str:
        return selectors.budget_shown(campaign)

    @admin.display(description="Cost")
    def cost(self, campaign: Campaign) -> str:
        return selectors.cost_shown(campaign)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """`?day=2026-11-25`, from the calendar: planned for nine o'clock of that day."""
        initial: dict[str, Any] = {**super().get_changeform_initial_data(request)}
        try:
            day = date.fromisoformat(str(initial.pop("day", "")))
        except ValueError:
            return initial
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            return initial
        return initial | {"starts_at": datetime.combine(day, time(9), timezone.get_current_timezone())}

    def save_model(self, request: HttpRequest, obj: Campaign, form: CampaignForm, change: bool) -> None:
        """Written by `save_related`, together with audience and offers."""

    def save_related(self, request: HttpRequest, form: CampaignForm, formsets: list[Any], change: bool) -> None:
        rows = {formset.model: kept(formset) for formset in formsets}
        audience = audience_of(rows[CampaignAudience]) if CampaignAudience in rows else None
        offers = [offer_of(row) for row in rows[Offer]] if Offer in rows else None
        edit = Edit(form.values(), audience, offers, form.arm_drafts())
        if not change:
            made = services.create_campaign(
                edit.changes, audience=audience, offers=offers or (), arms=edit.arms or ()
            )
            form.instance.pk = made.pk
            return
        stored = Campaign.objects.get(pk=form.instance.pk)
        open_parts = {part for part in ("audience", "offers", "arms") if may_edit(stored, part)}
        edit = replace(edit, **dict.fromkeys({"audience", "offers", "arms"} - open_parts, None))
        self._write(request, stored, edit, form.cleaned_data.get("opened_version"))

    def _write(self, request: HttpRequest, stored: Campaign, edit: Edit, opened: int | None) -> None:
        """Save an edit; one of an older version is merged, and asks where both changed the same."""
        expected = opened
        found = merging.merged(stored, edit, opened) if opened not in (None, stored.version) else None
        if found is not None:
            chosen = merge_page.choices(request, stored.version)
            if found.merge.open(chosen):
                raise merge_page.MergeNeeded(stored, found, chosen)
            edit, expected = edit.only(found.merge.mine(chosen)), stored.version
            messages.info(request, f"{' and '.join(found.who)} changed it meanwhile; what you both wrote is kept.")
        services.update_campaign(
            stored,
            edit.changes,
            audience=edit.audience,
            offers=edit.offers,
            arms=edit.arms,
            expected_version=expected,
        )

    def response_add(self, request: HttpRequest, obj: Campaign, post_url_continue: str | None = None) -> HttpResponse:
        """On to the campaign's own page, where it is tried and launched."""
        if not {"_continue", "_addanother", "_popup"}.isdisjoint(request.POST):
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"“{obj}” is a draft: nobody gets anything before you launch it.")
        return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[obj.pk]))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []  # the audit log has it

    def delete_model(self, request: HttpRequest, obj: Campaign) -> None:
        services.delete_campaign(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == states.State.DRAFT)

    # --- acts, progress -------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("estimate/", view(self.estimate_view), name="campaigns_campaign_new_estimate"),
            path("<int:pk>/estimate/", view(self.estimate_view), name="campaigns_campaign_estimate"),
            path("<int:pk>/progress/", view(self.progress_view), name="campaigns_campaign_progress"),
            path("<int:pk>/act/<slug:name>/", view(self.act_view), name="campaigns_campaign_act"),
        ]
        return own + super().get_urls()

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        above = {"estimate_address": self._estimate_address(request, object_id)}
        try:
            return super().changeform_view(request, object_id, form_url, {**above, **(extra_context or {})})
        except merge_page.MergeNeeded as needed:
            context = {
                **self.admin_site.each_context(request),
                **merge_page.page_context(request, needed),
                "title": f"Two edits of {needed.campaign}",
                "opts": self.opts,
            }
            return TemplateResponse(request, "campaigns/merge.html", context, status=409)

    def _estimate_address(self, request: HttpRequest, object_id: str | None) -> str:
        """Where the form asks for its estimate; nowhere once its people are settled."""
        if object_id is None:
            return reverse("admin:campaigns_campaign_new_estimate")
        campaign = self.get_object(request, object_id)
        if campaign is None or not may_edit(campaign, "audience") or not self.has_change_permission(request):
            return ""
        return reverse("admin:campaigns_campaign_estimate", args=[campaign.pk])

    def estimate_view(self, request: HttpRequest, pk: int | None = None) -> HttpResponse:
        """Whom the form, as it is now, would reach, and what will come of it. Only reads."""
        campaign = None if pk is None else self._visible(request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not (self.has_change_permission(request, campaign) or self.has_add_permission(request)):
            raise PermissionDenied
        draft = estimating.read(request.POST, campaign)
        return TemplateResponse(request, "campaigns/estimate.html", estimating.context(draft))

    def progress_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that htmx asks for every two seconds."""
        campaign = self._visible(request, pk)
        return TemplateResponse(request, "campaigns/progress.html", standing.context(campaign))

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Says what will happen and to how many people; a POST does it."""
        campaign = self._visible(request, pk)
        act = acts.ACTS.get(name)
        if act is None:
            raise Http404
        if not self.has_change_permission(request, campaign):
            raise PermissionDenied
        form = self._act_form(request, campaign, name)
        refusal: AppError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                done = act.run(campaign, form.cleaned_data)
            except AppError as error:
                refusal = error
            else:
                messages.success(request, act.said.format(name=done))
                return HttpResponseRedirect(reverse("admin:campaigns_campaign_change", args=[done.pk]))
        status = 200 if refusal is None else refusal.http_status
        context = self._act_context(request, campaign, name) | {"form": form, "act": act, "refusal": refusal}
        return TemplateResponse(request, "campaigns/act.html", context, status=status)

    def _act_form(self, request: HttpRequest, campaign: Campaign, name: str) -> Any:
        data = request.POST if request.method == "POST" else None
        initial: dict[str, Any] = {"version": campaign.version}
        if name == "launch":
            zone = Organization.objects.get().timezone
            if campaign.starts_at is not None and campaign.starts_at > clock.now():
                initial["at"] = f"{campaign.starts_at.astimezone(ZoneInfo(zone)):%Y-%m-%dT%H:%M}"
            return LaunchForm(data, initial=initial, zone=zone)
        if name == "decide":
            return DecisionForm(data, initial=initial, campaign=campaign)
        return (DeclineForm if name == "decline" else ConfirmForm)(data, initial=initial)

    def _act_context(self, request: HttpRequest, campaign: Campaign, name: str) -> dict[str, Any]:
        return {
            **self.page_context(request, campaign),
            **self.admin_site.each_context(request),
            "title": f"{acts.ACTS[name].label}: {campaign}",
            **(forecasts.before_launch(campaign) if name in ("launch", "approve") else {}),
            "is_allowed": name == "duplicate" or acts.is_allowed(campaign, name),
            "opts": self.opts,
        }

    def page_context(self, request: HttpRequest, campaign: Campaign) -> dict[str, Any]:
        """What the top of the campaign's page shows."""
        began = campaign.status not in (states.State.DRAFT, states.State.PROPOSED)
        return standing.context(campaign) | {
            "spread": waves.spread(campaign) if began else None,
            "acts": acts.offered(campaign) if self.has_change_permission(request, campaign) else [],
        }

    def _visible(self, request: HttpRequest, pk: int) -> Campaign:
        campaign = self.get_object(request, str(pk))
        if campaign is None:
            raise Http404
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return campaign
