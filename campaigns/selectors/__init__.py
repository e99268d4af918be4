"""Every read of this room, by question."""

from campaigns.selectors.audience import AudiencePreview, audience_preview
from campaigns.selectors.offers import offered_to
from campaigns.selectors.progress import Progress, Refusal, progress
from campaigns.selectors.report import Report, budget_shown, cost_shown, message_cost_shown, report
from campaigns.selectors.snippets import uses as snippet_uses
from campaigns.selectors.templates import has_unpublished_changes, member_addresses, preview_contact
from campaigns.selectors.variables import Variable, latest_properties, variables

__all__ = [
    "AudiencePreview",
    "Progress",
    "Refusal",
    "Report",
    "Variable",
    "audience_preview",
    "budget_shown",
    "cost_shown",
    "has_unpublished_changes",
    "latest_properties",
    "member_addresses",
    "message_cost_shown",
    "offered_to",
    "preview_contact",
    "progress",
    "report",
    "snippet_uses",
    "variables",
]
