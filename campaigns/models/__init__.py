"""The tables of this room, by noun."""

from campaigns.models.campaigns import (
    Campaign,
    CampaignAudience,
    CampaignRun,
    CampaignStatus,
    PassedZones,
    RunStatus,
    Timing,
)
from campaigns.models.forecasts import CampaignForecast, CampaignOutcome
from campaigns.models.habits import ReadingHabit, ReadingHour
from campaigns.models.offers import Offer, OfferKind
from campaigns.models.pictures import MailPicture
from campaigns.models.snippets import Snippet, SnippetVersion, TemplateNeed
from campaigns.models.targets import Target, TargetStatus, TimedBy
from campaigns.models.templates import EmailTemplate, MessageTemplate, TemplateVersion

__all__ = [
    "Campaign",
    "CampaignAudience",
    "CampaignForecast",
    "CampaignOutcome",
    "CampaignRun",
    "CampaignStatus",
    "EmailTemplate",
    "MailPicture",
    "MessageTemplate",
    "Offer",
    "OfferKind",
    "PassedZones",
    "ReadingHabit",
    "ReadingHour",
    "RunStatus",
    "Snippet",
    "SnippetVersion",
    "Target",
    "TargetStatus",
    "TemplateNeed",
    "TemplateVersion",
    "TimedBy",
    "Timing",
]
