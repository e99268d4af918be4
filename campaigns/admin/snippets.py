"""The pages of snippets: what there is, which mails use it, and the block editor for what it says."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.admin_base import OrganizationModelAdmin
from campaigns import selectors, services
from campaigns.admin import editor
from campaigns.admin.forms import SnippetForm
from campaigns.models import Snippet


@admin.register(Snippet)
class SnippetAdmin(OrganizationModelAdmin):
    """Snippets."""

    form = SnippetForm
    list_display = ["titled", "state", "used_by", "slug", "updated_at"]
    list_display_links = None
    list_select_related = ["published"]
    search_fields = ["name", "slug"]
    ordering = ["name", "pk"]
    empty_hint = (
        "A footer, an offer, a signature: written once, used in many mails. Add one here, "
        "or save a block of a mail as a snippet."
    )
    change_form_outer_before_template = "campaigns/snippet_top.html"

    class Media:
        css = {"all": ["campaigns/campaigns.css"]}

    @admin.display(description="Name", ordering="name")
    def titled(self, snippet: Snippet) -> SafeString:
        return format_html('<a href="{}">{}</a>', _page_of(snippet, "editor"), snippet)

    @admin.display(description="State")
    def state(self, snippet: Snippet) -> SafeString:
        return badge(snippet)

    @admin.display(description="Used by", ordering="use_count")
    def used_by(self, snippet: Any) -> SafeString | str:
        if not snippet.use_count:
            return "No mail"
        words = f"{snippet.use_count:,} mail{'s' if snippet.use_count != 1 else ''}"
        return format_html('<a href="{}#used-by">{}</a>', _page_of(snippet, "change"), words)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Snippet]:
        rows = super().get_queryset(request).select_related("published")
        return rows.annotate(use_count=Count("template_needs"))

    # --- form -----------------------------------------------------------------------------------------

    def get_fields(self, request: HttpRequest, obj: Snippet | None = None) -> Any:
        """Mails name a published snippet by its slug, so that stays."""
        return ["name", "slug"] if obj is None or obj.published_id is None else ["name"]

    def save_model(self, request: HttpRequest, obj: Snippet, form: SnippetForm, change: bool) -> None:
        if change:
            services.update_snippet(obj, form.values())
        else:
            obj.pk = services.create_snippet(form.values(), is_published=False).pk

    def response_add(self, request: HttpRequest, obj: Snippet, post_url_continue: Any = None) -> HttpResponse:
        """A snippet begins with a name; what it says is written in the editor."""
        return HttpResponseRedirect(_page_of(obj, "editor"))

    def delete_model(self, request: HttpRequest, obj: Snippet) -> None:
        services.delete_snippet(obj)

    def has_delete_permission(self, request: HttpRequest, obj: Snippet | None = None) -> bool:
        """The list deletes nothing; a snippet's own page does, while no mail names it."""
        is_free = obj is not None and not obj.template_needs.exists()
        return is_free and super().has_delete_permission(request, obj)

    # --- editor ---------------------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = path("<int:pk>/editor/", self.admin_site.admin_view(self.editor_view), name="campaigns_snippet_editor")
        return [own, *super().get_urls()]

    def editor_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The block editor; who may not write sees where the snippet is used instead."""
        snippet = self.get_object(request, str(pk))
        if snippet is None:
            raise Http404
        if not self.has_view_permission(request, snippet):
            raise PermissionDenied
        if not self.has_change_permission(request, snippet):
            return HttpResponseRedirect(_page_of(snippet, "change"))
        context = {**self.admin_site.each_context(request), "badge": badge(snippet)}
        return editor.snippet_editor(request, snippet, context)

    def page_context(self, request: HttpRequest, snippet: Snippet) -> dict[str, Any]:
        return {
            "snippet": snippet,
            "badge": badge(snippet),
            "uses": selectors.snippet_uses(snippet),
            "may_change": self.has_change_permission(request, snippet),
        }


def badge(snippet: Snippet) -> SafeString:
    if snippet.published is None:
        return format_html('<span class="gs-badge gs-badge--warning">{}</span>', "Draft")
    return format_html('<span class="gs-badge gs-badge--good">Published v{}</span>', snippet.published.number)


def _page_of(snippet: Snippet, page: str) -> str:
    return reverse(f"admin:campaigns_snippet_{page}", args=[snippet.pk])
