"""When an organisation wants to be alerted, and how long it keeps step records."""

from __future__ import annotations

from django.contrib import admin

from accounts.admin_base import OneRowAdmin
from automations.models import WatchSettings


@admin.register(WatchSettings)
class WatchSettingsAdmin(OneRowAdmin):
    """One row."""

    list_display = ["__str__", "failing_percent", "stuck_seconds", "silent_days", "keep_days"]
    empty_hint = "Without a row of your own: 5 %, 300 seconds, 7 days, and step records are kept for ever."
    fieldsets = [
        ("Alert me when", {"fields": ["failing_percent", "stuck_seconds", "silent_days"]}),
        ("Step records", {"fields": ["keep_days"]}),
    ]
