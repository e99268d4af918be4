"""Moving between organisations, and choosing a password."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse_lazy
from django.views.decorators.http import require_POST
from unfold.widgets import BASE_INPUT_CLASSES

from accounts import selectors
from accounts.middleware import SESSION_KEY, allow_shell


@require_POST
@login_required
def switch_organization(request: HttpRequest) -> HttpResponse:
    """Work for another organisation from now on; 404 for one in which the person has no seat."""
    wanted = request.POST.get("organization", "")
    user: Any = request.user
    seat = selectors.seat(user, int(wanted)) if wanted.isdigit() and len(wanted) < 19 else None
    if seat is None:
        raise Http404
    request.session[SESSION_KEY] = seat.organization_id
    messages.success(request, f"You work in {seat.organization_name} now.")
    return HttpResponseRedirect(settings.LOGIN_REDIRECT_URL)


class _Shell:
    """Pages around the sign-in, dressed like it."""

    request: HttpRequest

    def dispatch(self, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(*args, **kwargs)  # type: ignore[misc]
        allow_shell(response)
        return response

    def get_form(self, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(*args, **kwargs)  # type: ignore[misc]
        for field in form.fields.values():
            field.widget.attrs["class"] = " ".join(BASE_INPUT_CLASSES)
        return form

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return admin.site.each_context(self.request) | super().get_context_data(**kwargs)  # type: ignore[misc]


class ForgottenView(_Shell, auth_views.PasswordResetView):
    template_name = "accounts/forgotten.html"
    email_template_name = "accounts/forgotten_mail.txt"
    subject_template_name = "accounts/forgotten_subject.txt"
    success_url = reverse_lazy("password-mail-sent")
    title = "Choose a new password"


class MailSentView(_Shell, auth_views.PasswordResetDoneView):
    template_name = "accounts/mail_sent.html"
    title = "Look into your inbox"


class ChoosePasswordView(_Shell, auth_views.PasswordResetConfirmView):
    template_name = "accounts/choose_password.html"
    title = "Choose your password"
    post_reset_login = True

    def get_success_url(self) -> str:
        messages.success(self.request, "Your password is set. Welcome.")
        return str(settings.LOGIN_REDIRECT_URL)
