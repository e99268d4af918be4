"""What every admin page of the house shares: rights by role, the audit log, refusals as sentences, quick lists."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import models, transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.views.generic import RedirectView
from unfold import admin as unfold

from accounts import audit
from accounts.models import AuditEntry
from common.errors import AppError

COUNTED_ROWS = 10_000
SHOWN_HISTORY = 200


class BoundedPaginator(Paginator):  # type: ignore[type-arg]
    """Counts no further than COUNTED_ROWS, so that a list of millions opens as quickly as one of ten.

    It also bounds the deepest OFFSET; beyond that people search or filter.
    """

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if not isinstance(rows, models.QuerySet):
            return len(rows)
        return rows.order_by()[:COUNTED_ROWS].count()

    @property
    def is_cut(self) -> bool:
        """Whether there may be more rows than the count says."""
        return self.count >= COUNTED_ROWS


class OrganizationModelAdmin(unfold.ModelAdmin):
    """Base of our admins. Rights come from `accounts.backends`, rows from row security, history from the audit log.

    `save_model` and `delete_model` record the change themselves; where the room has a service for the write,
    override them and call it (the service records). A service may raise an AppError: the form comes back with
    everything typed still in it and the sentence beside the field that `details` names.
    """

    empty_hint = ""  # what to do next, shown where the list is empty
    list_per_page = 50
    list_max_show_all = 200
    paginator = BoundedPaginator
    show_full_result_count = False
    warn_unsaved_form = True

    # --- writes -------------------------------------------------------------------------------------

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        _save(obj)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        _delete(obj)

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            for obj in queryset:
                self.delete_model(request, obj)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        rows = formset.save(commit=False)
        for row in formset.deleted_objects:
            _delete(row)
        for row in rows:
            _save(row)
        formset.save_m2m()

    # --- the audit log in the place of Django's own ---------------------------------------------------

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Recorded by the write itself."""

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Recorded by the write itself."""

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None:
        """Recorded by the write itself."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        obj = self._require(request, object_id)
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        entries = AuditEntry.objects.filter(
            object_type=self.opts.concrete_model._meta.label_lower, object_id=str(obj.pk)
        )
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "subtitle": None,
            "entries": entries.order_by("-pk")[:SHOWN_HISTORY],
            "object": obj,
            "opts": self.opts,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "accounts/history.html", context)

    # --- refusals -----------------------------------------------------------------------------------

    def get_urls(self) -> list[Any]:
        # Django's catch-all sends `<id>/` on to the form, also where there is no such row.
        return [entry for entry in super().get_urls() if not _redirects(entry)]

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> Any:
        raise Http404(f"There is no {opts.verbose_name} {object_id} here.")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        named = {"title": capfirst(self.opts.verbose_name_plural)}
        return super().changelist_view(request, named | (extra_context or {}))

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self._require(request, object_id)
        return super().delete_view(request, object_id, extra_context)

    def _require(self, request: HttpRequest, object_id: str) -> Any:
        # Before any question of rights: what is not here answers 404, never 403.
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        return obj

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        above = self.page_context(request, self._require(request, object_id)) if object_id is not None else {}
        context = {**above, **(extra_context or {})}
        try:
            return super().changeform_view(request, object_id, form_url, context)
        except AppError as error:
            if request.method != "POST":
                raise
            # The transaction is rolled back; show the same form again, now refused with the sentence.
            request.refusal = error  # type: ignore[attr-defined]
            return super().changeform_view(request, object_id, form_url, context)

    def page_context(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """What a row's own page shows besides its form."""
        return {}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form_class = super().get_form(request, obj, change=change, **kwargs)
        refusal: AppError | None = getattr(request, "refusal", None)
        return form_class if refusal is None else _refused(form_class, refusal)


class OneRowAdmin(OrganizationModelAdmin):
    """Settings that an organisation has once: added where there are none, then only changed."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and not (
            self._is_own_page(request) and self.model.objects.exists()
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def _is_own_page(self, request: HttpRequest) -> bool:
        # Django asks on every page, for its menu; whether the row is there matters only here.
        here = request.resolver_match
        return here is not None and (here.url_name or "").startswith(f"{self.opts.app_label}_{self.opts.model_name}_")


class ReadOnlyMixin:
    """Rows that people look at and only the machine writes."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class NamedCells(forms.BaseInlineFormSet):  # type: ignore[type-arg]
    """A table names its columns once, far from the inputs; so each input says its own name to a screen reader."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            widget = getattr(field.widget, "widget", field.widget)  # a relation's select stands in a wrapper
            if not widget.is_hidden:
                widget.attrs.setdefault("aria-label", str(field.label or name.replace("_", " ").capitalize()))


class TabularInline(unfold.TabularInline):
    """Rows of a related model in a table; saved and audited by the page they stand on."""

    formset = NamedCells
    extra = 0
    tab = True


class StackedInline(unfold.StackedInline):
    """Rows of a related model one under the other; saved and audited by the page they stand on."""

    extra = 0
    tab = True


def _redirects(entry: Any) -> bool:
    view = getattr(entry.callback, "__wrapped__", entry.callback)
    return getattr(view, "view_class", None) is RedirectView


def _save(obj: models.Model) -> None:
    if obj._state.adding:
        obj.save()
        audit.created(obj)
        return
    with audit.changing(obj):
        obj.save()


def _delete(obj: models.Model) -> None:
    with transaction.atomic():
        audit.deleted(obj)
        obj.delete()


def _refused(form_class: type[forms.BaseForm], refusal: AppError) -> type[forms.BaseForm]:
    """The same form, which finds itself refused: each sentence at its field, the rest on top."""

    def clean(self: Any) -> Any:
        cleaned = super(refused, self).clean()  # type: ignore[misc]
        placed = {place: text for place, text in refusal.details.items() if place in self.fields}
        for place, text in placed.items():
            self.add_error(place, str(text))
        others = [f"{place}: {text}" for place, text in refusal.details.items() if place not in placed]
        if not placed or others:
            self.add_error(None, [refusal.message, *others])
        return cleaned

    refused: type[forms.BaseForm] = type(form_class.__name__, (form_class,), {"clean": clean})
    return refused
