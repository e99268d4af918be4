"""Every address of the site, by room."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from marketing_site import views

api_v1 = [
    path("", include("accounts.api.urls")),
    path("", include("audience.api.urls")),
    path("", include("campaigns.api.urls")),
    path("", include("automations.api.urls")),
    path("", include("segments.api.urls")),
    path("", include("experiments.api.urls")),
    path("", include("attribution.api.urls")),
    path("", include("viral.api.urls")),
    path("", include("delivery.api.urls")),
    path("", include("integrations.api.urls")),
    path("schema/", SpectacularAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="schema"), name="api-docs"),
]

handler404 = "marketing_site.views.not_found"

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("api/v1/", include(api_v1)),
    # The admin's own front page is our home.
    path("admin/", RedirectView.as_view(pattern_name="dashboards:home")),
    path("admin/", admin.site.urls),
    path("", include("audience.urls")),
    path("", include("viral.urls")),
    path("", include("accounts.urls")),
    path("", include("delivery.urls")),
    path("", include("campaigns.urls")),
    path("", include("automations.urls")),
    path("segments/", include("segments.urls")),
    path("", include("experiments.urls")),
    path("", include("dashboards.urls")),
]
