"""The experiment's pages: list with verdicts, form, planner, read-out, start and stop."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin, TabularInline
from common.errors import AppError
from experiments import selectors, services
from experiments.admin import acts, figures, planner
from experiments.admin.forms import RULE, ConfirmForm, ExperimentForm, StopForm
from experiments.domain import states
from experiments.domain.states import State
from experiments.models import Arm, Experiment
from experiments.services import ArmDraft

BADGES = {"running": "good", "draft": "warning"}
TONES = {"good": "good", "bad": "critical", "alarm": "critical", "wait": "plain"}


class ArmInline(TabularInline):
    model = Arm
    fields: ClassVar[list[str]] = ["name", "key", "weight", "is_control"]
    ordering = ["position"]
    verbose_name_plural = "Arms"
    tab = False
    extra = 0

    def get_extra(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> int:
        return 2 if obj is None else 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_add_permission(request, obj) and _may_edit(obj, "arms")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_edit(obj, "arms")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_edit(obj, "arms")


@admin.register(Experiment)
class ExperimentAdmin(OrganizationModelAdmin):
    """Experiments."""

    form = ExperimentForm
    inlines = [ArmInline]
    list_display = ["name", "status_badge", "verdict", "people", "started_at"]
    list_filter = ["status", "source_type"]
    search_fields = ["name", "key", "hypothesis"]
    ordering = ["-pk"]
    list_per_page = 20  # a verdict is read for each
    empty_hint = "Say what you want to find out, give it two arms and a metric, and start it."
    change_form_outer_before_template = "experiments/experiment_top.html"
    change_form_after_template = "experiments/metrics.html"
    fieldsets = [
        (None, {"fields": ["name", "hypothesis", "opened_version"]}),
        ("Who takes part", {"fields": [
            "unit", "coverage", "allocation", "key", "seed", "namespace", ("namespace_start", "namespace_end"),
        ]}),
        ("The winner", {"fields": [*RULE]}),
    ]  # fmt: skip

    class Media:
        css = {"all": ["experiments/experiments.css"]}

    # --- list -----------------------------------------------------------------------------------------

    @admin.display(description="Status", ordering="status")
    def status_badge(self, experiment: Experiment) -> SafeString:
        return badge(experiment.status)

    @admin.display(description="Verdict")
    def verdict(self, experiment: Experiment) -> SafeString:
        return format_html(
            '<a href="{}">{}</a>',
            reverse("admin:experiments_experiment_read_out", args=[experiment.pk]),
            self._made(experiment).verdict.sentence,
        )

    @admin.display(description="People")
    def people(self, experiment: Experiment) -> str:
        return f"{sum(self._made(experiment).people):,}"

    def _made(self, experiment: Experiment) -> selectors.ReadOut:
        """Read once for both columns."""
        if not hasattr(experiment, "made"):
            experiment.made = selectors.read_out(experiment)  # type: ignore[attr-defined]
        found: selectors.ReadOut = experiment.made  # type: ignore[attr-defined]
        return found

    # --- form: one service call for everything on the page ----------------------------------------------

    def get_readonly_fields(self, request: HttpRequest, obj: Experiment | None = None) -> list[str]:
        if obj is None:
            return []
        settled = (
            states.EVERYTHING - states.EDITABLE[State(obj.status)] - {"arms", "metrics", "winner_rule", "coverage"}
        )
        return sorted(settled)

    def get_fieldsets(self, request: HttpRequest, obj: Experiment | None = None) -> Any:
        """The rule of the winner is shown while it can matter."""
        if obj is None or "winner_rule" in states.EDITABLE[State(obj.status)]:
            return self.fieldsets
        return [
            (title, {"fields": [name for name in part["fields"] if name != "coverage"]})
            for title, part in self.fieldsets
            if title != "The winner"
        ]

    def save_model(self, request: HttpRequest, obj: Experiment, form: ExperimentForm, change: bool) -> None:
        """Written by `save_related`, together with the arms."""

    def save_related(self, request: HttpRequest, form: ExperimentForm, formsets: list[Any], change: bool) -> None:
        arms = _arms(formsets[0]) if formsets else None
        if not change:
            form.instance.pk = services.create_experiment(form.values(), arms or ()).pk
            return
        stored = Experiment.objects.get(pk=form.instance.pk)
        services.update_experiment(
            stored,
            form.values(),
            arms=arms if _may_edit(stored, "arms") else None,
            expected_version=form.cleaned_data.get("opened_version"),
        )

    def response_add(
        self, request: HttpRequest, obj: Experiment, post_url_continue: str | None = None
    ) -> HttpResponse:
        """On to the experiment's own page, where it is planned and started."""
        if not {"_continue", "_addanother", "_popup"}.isdisjoint(request.POST):
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, f"“{obj}” is a draft: nobody is in it before you start it.")
        return HttpResponseRedirect(reverse("admin:experiments_experiment_change", args=[obj.pk]))

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        return []  # the audit log has it

    def delete_model(self, request: HttpRequest, obj: Experiment) -> None:
        services.delete_experiment(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Experiment | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == State.DRAFT)

    # --- acts, planner, read-out ------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/read-out/", view(self.read_out_view), name="experiments_experiment_read_out"),
            path("<int:pk>/plan/", view(self.plan_view), name="experiments_experiment_plan"),
            path("<int:pk>/act/<slug:name>/", view(self.act_view), name="experiments_experiment_act"),
        ]
        return own + super().get_urls()

    def read_out_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        experiment = self._visible(request, pk)
        made = selectors.read_out(experiment)
        context = {
            **self.admin_site.each_context(request),
            **self.page_context(request, experiment, made),
            **figures.context(made),
            "title": f"Read-out: {experiment}",
            "opts": self.opts,
        }
        return TemplateResponse(request, "experiments/read_out.html", context)

    def plan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The part of the page that htmx asks for when it loads, and when the questions change."""
        experiment = self._visible(request, pk)
        return TemplateResponse(request, "experiments/plan.html", planner.context(experiment, request.GET))

    def act_view(self, request: HttpRequest, pk: int, name: str) -> HttpResponse:
        """Says what will happen; a POST does it."""
        experiment = self._visible(request, pk)
        act = acts.ACTS.get(name)
        if act is None:
            raise Http404
        if not self.has_change_permission(request, experiment):
            raise PermissionDenied
        form = self._act_form(request, experiment, name)
        refusal: AppError | None = None
        if request.method == "POST" and form.is_valid():
            try:
                done = act.run(experiment, form.cleaned_data)
            except AppError as error:
                refusal = error
            else:
                messages.success(request, act.said.format(name=done))
                return HttpResponseRedirect(reverse("admin:experiments_experiment_read_out", args=[done.pk]))
        context = {
            **self.admin_site.each_context(request),
            **self.page_context(request, experiment),
            "title": f"{act.label}: {experiment}",
            "is_allowed": name in states.allowed(experiment.status),
            "form": form,
            "act": act,
            "refusal": refusal,
            "opts": self.opts,
        }
        status = 200 if refusal is None else refusal.http_status
        return TemplateResponse(request, "experiments/act.html", context, status=status)

    def _act_form(self, request: HttpRequest, experiment: Experiment, name: str) -> Any:
        data = request.POST if request.method == "POST" else None
        if name == "stop":
            return StopForm(data, initial={"version": experiment.version}, experiment=experiment)
        return ConfirmForm(data, initial={"version": experiment.version})

    def page_context(
        self, request: HttpRequest, experiment: Experiment, made: selectors.ReadOut | None = None
    ) -> dict[str, Any]:
        """What the top of the experiment's pages shows."""
        made = made or selectors.read_out(experiment)
        return {
            "experiment": experiment,
            "made": made,
            "badge": badge(experiment.status),
            "tone": TONES[made.verdict.tone],
            "people_count": sum(made.people),
            "acts": acts.offered(experiment) if self.has_change_permission(request, experiment) else [],
        }

    def _visible(self, request: HttpRequest, pk: int) -> Experiment:
        experiment = self.get_object(request, str(pk))
        if experiment is None:
            raise Http404
        if not self.has_view_permission(request, experiment):
            raise PermissionDenied
        return experiment


def badge(status: str) -> SafeString:
    return format_html('<span class="gs-badge gs-badge--{}">{}</span>', BADGES.get(status, "plain"), status.title())


def _may_edit(experiment: Experiment | None, part: str) -> bool:
    return experiment is None or part in states.EDITABLE[State(experiment.status)]


def _arms(formset: Any) -> list[ArmDraft]:
    """The rows of arms that are kept, with the payload that the page does not show."""
    payloads = dict(formset.instance.arms.values_list("pk", "payload")) if formset.instance.pk else {}
    rows = [row for row in formset.forms if row.cleaned_data and not row.cleaned_data.get("DELETE")]
    return [
        ArmDraft(
            row.cleaned_data["key"],
            row.cleaned_data["name"],
            row.cleaned_data["weight"],
            row.cleaned_data["is_control"],
            payloads.get(row.instance.pk, {}),
        )
        for row in rows
    ]
