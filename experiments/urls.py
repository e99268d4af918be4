"""The address that GrowthBook's SDKs know."""

from __future__ import annotations

from django.urls import re_path

from experiments import views

urlpatterns = [re_path(r"^api/features/(?P<key>[\w.-]{1,200})/?$", views.features)]
