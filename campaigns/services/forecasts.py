"""A forecast is kept at launch, so that it can be held against what came."""

from __future__ import annotations

from campaigns import selectors
from campaigns.models import Campaign, CampaignForecast
from common import clock


def keep_forecast(campaign: Campaign) -> CampaignForecast:
    """Write down what is foreseen of a campaign that was just launched; a new moment makes it anew."""
    made = selectors.forecast(campaign, selectors.audience_preview(campaign))
    kept, _ = CampaignForecast.objects.update_or_create(
        campaign=campaign,
        defaults={
            "reach": made.reach,
            "figures": selectors.figures_json(made),
            "currency": made.currency,
            "basis_count": made.basis_count,
            "made_at": clock.now(),
        },
    )
    return kept
