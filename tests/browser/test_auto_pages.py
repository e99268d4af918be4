"""Automatic campaigns in a browser: the proposals, a cycle, a preset, at both widths."""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from campaigns.auto import cycles, presets
from campaigns.models import AnalysisCycle, AutoPreset, Campaign
from common import tenancy
from tests.browser.town import Town


def test_automatic_campaigns_are_sound(visit: Any, town: Town, django_db_blocker: Any) -> None:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        presets.presets()
        AutoPreset.objects.update(least_people=1)
        cycles.request()
        cycles.work(town.organization_id)
        cycle, preset = AnalysisCycle.objects.get(), AutoPreset.objects.get(kind="welcome_bonus")
        proposal = Campaign.objects.filter(preset=preset, status="proposed").get()

    pages = [
        reverse("automatic-campaigns"),
        reverse("automatic-campaigns-cycle", args=[cycle.pk]),
        reverse("admin:campaigns_autopreset_change", args=[preset.pk]),
        reverse("admin:campaigns_campaign_act", args=[proposal.pk, "approve"]),
        reverse("admin:campaigns_campaign_act", args=[proposal.pk, "decline"]),
    ]
    assert visit("/").walk(pages) == {}
