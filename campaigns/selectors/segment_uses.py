"""Which campaigns a segment is in, as the audience or left out of it, and which mails decide by it what to show."""

from __future__ import annotations

from collections.abc import Iterator

from django.urls import reverse

from campaigns.models import CampaignAudience, TemplateNeed
from segments.models import Segment
from segments.uses import Use


def uses(segment: Segment) -> Iterator[Use]:
    """Finished campaigns too: their reports say whom they went to."""
    rows = CampaignAudience.objects.filter(segment=segment).order_by("campaign__name", "campaign_id")
    for pk, name, is_excluded in rows.values_list("campaign_id", "campaign__name", "is_excluded"):
        what = "campaign (leaves it out)" if is_excluded else "campaign"
        yield Use(what, name, reverse("admin:campaigns_campaign_change", args=[pk]))
    mails = TemplateNeed.objects.filter(segment=segment).order_by("template__name", "template_id")
    for pk, name in mails.values_list("template_id", "template__name"):
        yield Use("e-mail template", name, reverse("admin:campaigns_emailtemplate_change", args=[pk]))
