"""Which campaigns a segment is in, as the audience or left out of it, and which mails decide by it what to show."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet
from django.urls import reverse

from campaigns.models import Campaign, CampaignAudience, CampaignStatus, EmailTemplate, TemplateNeed
from segments.models import Segment
from segments.uses import Use

OVER = (CampaignStatus.COMPLETED, CampaignStatus.CANCELLED, CampaignStatus.ARCHIVED)


def archived_askers(segment: Segment) -> QuerySet[EmailTemplate]:
    """Templates that were archived, and whose published mail decides by this segment what to show."""
    return EmailTemplate.objects.filter(is_archived=True, published__content__segments__contains=[segment.pk])


def uses(segment: Segment) -> Iterator[Use]:
    """Finished campaigns too: their reports say whom they went to."""
    rows = CampaignAudience.objects.filter(segment=segment).order_by("campaign__name", "campaign_id")
    for pk, name, is_excluded in rows.values_list("campaign_id", "campaign__name", "is_excluded"):
        what = "campaign (leaves it out)" if is_excluded else "campaign"
        yield Use(what, name, reverse("admin:campaigns_campaign_change", args=[pk]))
    senders = Campaign.objects.filter(template__in=archived_askers(segment)).exclude(status__in=OVER)
    for pk, name in senders.order_by("name", "pk").values_list("pk", "name"):
        yield Use("campaign (its mail asks for it)", name, reverse("admin:campaigns_campaign_change", args=[pk]))
    mails = TemplateNeed.objects.filter(segment=segment).order_by("template__name", "template_id")
    for pk, name in mails.values_list("template_id", "template__name"):
        yield Use("e-mail template", name, reverse("admin:campaigns_emailtemplate_change", args=[pk]))
