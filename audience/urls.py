"""The addresses stock SDKs know, with and without the trailing slash. They live at the root of the site."""

from __future__ import annotations

from django.urls import re_path

from audience import views

urlpatterns = [
    re_path(r"^v1/(?P<call>batch|identify|track|page|screen|group|alias|[bitpsga])/?$", views.segment),
    re_path(r"^v1/projects/(?P<key>[\w.-]{1,200})/settings/?$", views.segment_settings),
    re_path(r"^(?:i/v0/)?(?P<call>batch|capture|e|track|engage)/?$", views.posthog),
    re_path(r"^array/(?P<key>[\w.-]{1,200})/config/?$", views.posthog_config),
    re_path(r"^array/(?P<key>[\w.-]{1,200})/config\.js$", views.posthog_config_script),
    re_path(r"^(?:flags|decide)/?$", views.posthog_flags),
]
