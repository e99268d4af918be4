"""Settings people touch: the organisation, its members and keys, the audit log; accounts for superusers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_POST
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from accounts import invitations, services
from accounts.admin_base import OrganizationModelAdmin, ReadOnlyMixin
from accounts.domain.roles import EVERYTHING, Role
from accounts.models import ApiKey, ApiKeyKind, AuditEntry, Member, Organization, User
from common import clock

admin.site.unregister(Group)  # roles take its place


@admin.register(Organization)
class OrganizationAdmin(OrganizationModelAdmin):
    """The organisation one works in; superusers open new ones here."""

    list_display = ["name", "slug", "timezone", "currency", "created_at"]
    readonly_fields = ["created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [*self.readonly_fields, "slug"] if obj else list(self.readonly_fields)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)  # type: ignore[union-attr]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Organization, form: Any, change: bool) -> None:
        if change:
            services.change_organization(obj)
            return
        made = services.create_organization(obj.name, obj.slug, timezone=obj.timezone, currency=obj.currency)
        obj.pk = made.pk

    def response_add(
        self, request: HttpRequest, obj: Organization, post_url_continue: str | None = None
    ) -> HttpResponse:
        messages.success(request, f"{obj} is open. Switch between organisations at the top of the menu.")
        return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)


class InvitationForm(forms.ModelForm):  # type: ignore[type-arg]
    email = forms.EmailField(widget=UnfoldAdminEmailInputWidget, help_text="We mail them a link to come in.")
    name = forms.CharField(required=False, max_length=200, widget=UnfoldAdminTextInputWidget)

    class Meta:
        model = Member
        fields = ["role"]
        widgets = {"role": UnfoldAdminSelectWidget}


@admin.register(Member)
class MemberAdmin(OrganizationModelAdmin):
    """Colleagues: invited by e-mail, given a role, taken out."""

    list_display = ["user", "email", "role", "is_active", "created_at"]
    list_filter = ["role", "is_active"]
    list_select_related = ["user"]
    search_fields = ["user__name", "user__email"]
    empty_hint = "Invite the first colleague by e-mail."

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, member: Member) -> str:
        return member.user.email

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user", "role", "is_active", "created_at"] if obj else ["email", "name", "role"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return ["user", "created_at"] if obj else []

    def save_model(self, request: HttpRequest, obj: Member, form: Any, change: bool) -> None:
        if change:
            stored = Member.objects.get(pk=obj.pk)
            services.change_member(stored, role=Role(obj.role), is_active=obj.is_active)
            return
        data = form.cleaned_data
        invitation = invitations.invite(data["email"], Role(data["role"]), name=data["name"])
        obj.pk, obj.user = invitation.member.pk, invitation.member.user
        obj._state.adding = False
        if invitation.mail_problem:
            link = invitation.link or "the sign-in page"
            messages.warning(
                request,
                f"The invitation could not be mailed ({invitation.mail_problem}). Pass this link on yourself: {link}",
            )
        else:
            messages.success(request, f"The invitation is on its way to {obj.user.email}.")

    def delete_model(self, request: HttpRequest, obj: Member) -> None:
        services.remove_member(obj)


class KeyForm(forms.ModelForm):  # type: ignore[type-arg]
    scopes = forms.MultipleChoiceField(
        required=False,
        choices=[(scope, scope) for scope in sorted(EVERYTHING)],
        widget=forms.CheckboxSelectMultiple,
        help_text="What a secret key may do; none ticked means everything. Write keys only take events in.",
    )

    class Meta:
        model = ApiKey
        fields = ["name", "kind", "scopes", "expires_at"]


@admin.register(ApiKey)
class ApiKeyAdmin(OrganizationModelAdmin):
    """Keys of programs. A key is shown once, when it is made or rotated."""

    list_display = ["name", "kind", "prefix", "state", "last_used_at", "created_at"]
    list_filter = ["kind"]
    search_fields = ["name", "prefix"]
    ordering = ["-pk"]
    change_form_outer_after_template = "accounts/key_actions.html"
    empty_hint = "Make a write key for your site or app, then send it events with any Segment or PostHog SDK."

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        if key.revoked_at:
            return "Revoked"
        if key.expires_at and key.expires_at <= clock.now():
            return "Expired"
        return "Live"

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        if obj is None:
            kwargs["form"] = KeyForm
        return super().get_form(request, obj, change=change, **kwargs)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        if obj is None:
            return ["name", "kind", "scopes", "expires_at"]
        shown = ["public_key"] if obj.kind == ApiKeyKind.WRITE else ["prefix", "scopes"]
        return ["name", "kind", *shown, "state", "created_at", "expires_at", "revoked_at", "last_used_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field for field in self.get_fields(request, obj) if field != "name"] if obj else []

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # revoked keys stay, so that the audit log can be read

    def save_model(self, request: HttpRequest, obj: ApiKey, form: Any, change: bool) -> None:
        if change:
            super().save_model(request, obj, form, change)
            return
        data = form.cleaned_data
        key, request.issued_key = services.issue_key(  # type: ignore[attr-defined]
            data["name"], ApiKeyKind(data["kind"]), scopes=data["scopes"], expires_at=data["expires_at"]
        )
        obj.pk = key.pk

    def response_add(self, request: HttpRequest, obj: ApiKey, post_url_continue: str | None = None) -> HttpResponse:
        return self._show_once(request, obj, request.issued_key)  # type: ignore[attr-defined]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        own = [
            path("<int:pk>/revoke/", view(require_POST(self.revoke)), name="accounts_apikey_revoke"),
            path("<int:pk>/rotate/", view(require_POST(self.rotate)), name="accounts_apikey_rotate"),
        ]
        return own + super().get_urls()

    def revoke(self, request: HttpRequest, pk: int) -> HttpResponse:
        key = self._changeable(request, pk)
        services.revoke_key(key)
        messages.success(request, f"{key} opens nothing from now on.")
        return HttpResponseRedirect(reverse("admin:accounts_apikey_change", args=[pk]))

    def rotate(self, request: HttpRequest, pk: int) -> HttpResponse:
        fresh, text = services.rotate_key(self._changeable(request, pk))
        messages.success(request, "The old key goes on for 24 hours.")
        return self._show_once(request, fresh, text)

    def _changeable(self, request: HttpRequest, pk: int) -> ApiKey:
        key: ApiKey = self._require(request, str(pk))
        if not self.has_change_permission(request, key):
            raise PermissionDenied
        return key

    def _show_once(self, request: HttpRequest, key: ApiKey, text: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"Key of {key.name}",
            "key": key,
            "text": text,
            "opts": self.opts,
        }
        return TemplateResponse(request, "accounts/key_issued.html", context)


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyMixin, OrganizationModelAdmin):
    """Who changed what, when, from where."""

    list_display = ["happened_at", "actor", "action", "object_type", "object_name", "address"]
    list_filter = ["action", "object_type"]
    search_fields = ["actor", "object_name", "object_id"]
    ordering = ["-pk"]
    empty_hint = "Every change to a segment, campaign, key … will be listed here."
    fields = ["happened_at", "actor", "address", "action", "object_type", "object_id", "object_name"]
    change_form_outer_after_template = "accounts/audit_changes.html"


class NewUserForm(UserCreationForm):
    class Meta:
        model = User
        fields = ["email", "name"]


class ChangedUserForm(UserChangeForm):
    class Meta:
        model = User
        fields = ["email", "name", "password", "is_active", "is_superuser"]
        field_classes: dict[str, Any] = {}


@admin.register(User)
class UserAdmin(OrganizationModelAdmin, auth_admin.UserAdmin):
    """Accounts across organisations; superusers only (accounts.backends)."""

    form = ChangedUserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ["email", "name", "is_active", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]
    filter_horizontal = []
    readonly_fields = ["last_login", "created_at"]
    fieldsets = [
        (None, {"fields": ["email", "name", "password"]}),
        ("Access", {"fields": ["is_active", "is_superuser", "last_login", "created_at"]}),
    ]
    add_fieldsets = [(None, {"fields": ["email", "name", "usable_password", "password1", "password2"]})]
