"""Every read of this room that others may use."""

from attribution.selectors.campaigns import CampaignReport, CampaignReturn, campaign_roi
from attribution.selectors.comparison import Comparison, Line, revenue_by_model
from attribution.selectors.drilldown import Rows
from attribution.selectors.journeys import CreditOf, Journey, Stop, journey
from attribution.selectors.messages import Earned, earned_by_messages
from attribution.selectors.sums import LeftOut, Totals, totals

__all__ = [
    "CampaignReport",
    "CampaignReturn",
    "Comparison",
    "CreditOf",
    "Earned",
    "Journey",
    "LeftOut",
    "Line",
    "Rows",
    "Stop",
    "Totals",
    "campaign_roi",
    "earned_by_messages",
    "journey",
    "revenue_by_model",
    "totals",
]
