"""Every read of this room, by question."""

from campaigns.selectors.audience import AudiencePreview, Chosen, audience_preview, segment_ids
from campaigns.selectors.clicks import LinkClicks, link_clicks
from campaigns.selectors.contents import contents_of
from campaigns.selectors.forecast import Forecast, Told, TrackRecord, figures_json, forecast, told, track_record
from campaigns.selectors.launching import expected_parts
from campaigns.selectors.lift import Lift, lift
from campaigns.selectors.offers import offered_to
from campaigns.selectors.offers import personal as personal_offers
from campaigns.selectors.people import HEADER as PEOPLE_HEADER
from campaigns.selectors.people import people_lines
from campaigns.selectors.progress import Progress, Refusal, progress
from campaigns.selectors.report import Report, budget_shown, cost_shown, message_cost_shown, report
from campaigns.selectors.snippets import uses as snippet_uses
from campaigns.selectors.templates import has_unpublished_changes, member_addresses, preview_contact
from campaigns.selectors.variables import Variable, example_offer, latest_properties, variables

__all__ = [
    "PEOPLE_HEADER",
    "AudiencePreview",
    "Chosen",
    "Forecast",
    "Lift",
    "LinkClicks",
    "Progress",
    "Refusal",
    "Report",
    "Told",
    "TrackRecord",
    "Variable",
    "audience_preview",
    "budget_shown",
    "contents_of",
    "cost_shown",
    "example_offer",
    "expected_parts",
    "figures_json",
    "forecast",
    "has_unpublished_changes",
    "latest_properties",
    "lift",
    "link_clicks",
    "member_addresses",
    "message_cost_shown",
    "offered_to",
    "people_lines",
    "personal_offers",
    "preview_contact",
    "progress",
    "report",
    "segment_ids",
    "snippet_uses",
    "told",
    "track_record",
    "variables",
]
