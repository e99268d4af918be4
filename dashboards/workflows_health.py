"""Do workflows do their work? One line of the health page: the alerts that stand open."""

from __future__ import annotations

from django.urls import reverse

from automations.models import Alert, AlertKind
from dashboards.checks import CRITICAL, HEALTHY, WARNING, Check

MOST_NAMED = 3


def workflows() -> Check:
    """Workflows that fail often, are stuck, loop, or that nobody enters any more."""
    title, target, link = "Workflows", "none in trouble", reverse("automation-troubles")
    alerts = list(Alert.objects.filter(closed_at=None).select_related("automation").order_by("opened_at"))
    if not alerts:
        return Check(title, HEALTHY, "none in trouble", target, link=link)
    named = "; ".join(f"“{alert.automation}”: {alert.sentence}" for alert in alerts[:MOST_NAMED])
    more = f" (and {len(alerts) - MOST_NAMED} more)" if len(alerts) > MOST_NAMED else ""
    status = WARNING if all(alert.kind == AlertKind.SILENT for alert in alerts) else CRITICAL
    return Check(title, status, f"{named}{more}", target, "Open the list: it names causes and tries again.", link)
