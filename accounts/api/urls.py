from django.urls import path

from accounts.api import tokens

urlpatterns = [
    path("token/", tokens.ObtainView.as_view(), name="token"),
    path("token/refresh/", tokens.RefreshView.as_view(), name="token-refresh"),
    path("token/revoke/", tokens.RevokeView.as_view(), name="token-revoke"),
]
