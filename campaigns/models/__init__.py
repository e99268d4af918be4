"""The tables of this room, by noun."""

from campaigns.models.auto import AnalysisCycle, ApprovalPolicy, AutoFinding, AutoPreset, Outcome, PresetKind
from campaigns.models.campaigns import (
    Campaign,
    CampaignAudience,
    CampaignOrigin,
    CampaignRun,
    CampaignStatus,
    PassedZones,
    RunArm,
    RunStatus,
    Timing,
)
from campaigns.models.copy import CopyKind, CopyLearning, CopyRequest, CopySettings, CopySpend, CopyTest
from campaigns.models.forecasts import CampaignForecast, CampaignOutcome
from campaigns.models.habits import ReadingHabit, ReadingHour
from campaigns.models.offers import CodeKind, Offer, OfferCode, OfferKind, Redemption, ScopeKind
from campaigns.models.pictures import MailPicture
from campaigns.models.snippets import Snippet, SnippetVersion, TemplateNeed
from campaigns.models.targets import Target, TargetStatus, TimedBy
from campaigns.models.templates import EmailTemplate, MessageTemplate, TemplateVersion

__all__ = [
    "AnalysisCycle",
    "ApprovalPolicy",
    "AutoFinding",
    "AutoPreset",
    "Campaign",
    "CampaignAudience",
    "CampaignForecast",
    "CampaignOrigin",
    "CampaignOutcome",
    "CampaignRun",
    "CampaignStatus",
    "CodeKind",
    "CopyKind",
    "CopyLearning",
    "CopyRequest",
    "CopySettings",
    "CopySpend",
    "CopyTest",
    "EmailTemplate",
    "MailPicture",
    "MessageTemplate",
    "Offer",
    "OfferCode",
    "OfferKind",
    "Outcome",
    "PassedZones",
    "PresetKind",
    "ReadingHabit",
    "ReadingHour",
    "Redemption",
    "RunArm",
    "RunStatus",
    "ScopeKind",
    "Snippet",
    "SnippetVersion",
    "Target",
    "TargetStatus",
    "TemplateNeed",
    "TemplateVersion",
    "TimedBy",
    "Timing",
]
