from django.urls import path

from accounts import views

urlpatterns = [
    path("organization/switch/", views.switch_organization, name="switch-organization"),
    path("password/forgotten/", views.ForgottenView.as_view(), name="admin_password_reset"),
    path("password/sent/", views.MailSentView.as_view(), name="password-mail-sent"),
    path("password/<uidb64>/<token>/", views.ChoosePasswordView.as_view(), name="choose-password"),
]
