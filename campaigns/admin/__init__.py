"""Pages for marketers: campaigns and e-mail templates."""

from campaigns.admin.auto import AutoPresetAdmin
from campaigns.admin.campaigns import CampaignAdmin
from campaigns.admin.copy import CopyRequestAdmin
from campaigns.admin.messages import MessageTemplateAdmin
from campaigns.admin.snippets import SnippetAdmin
from campaigns.admin.targets import TargetAdmin
from campaigns.admin.templates import EmailTemplateAdmin

__all__ = [
    "AutoPresetAdmin",
    "CampaignAdmin",
    "CopyRequestAdmin",
    "EmailTemplateAdmin",
    "MessageTemplateAdmin",
    "SnippetAdmin",
    "TargetAdmin",
]
