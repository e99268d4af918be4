"""Every write of this room, by noun."""

from campaigns.services.arms import arms_of
from campaigns.services.campaigns import (
    Audience,
    audience_of,
    create_campaign,
    delete_campaign,
    duplicate_campaign,
    update_campaign,
)
from campaigns.services.control import archive, cancel, complete, launch, pause, resume, unschedule
from campaigns.services.deciding import decide, waits_for_winner
from campaigns.services.drafts import compare, draft_of, restore_version, save_draft, version_of
from campaigns.services.forecasts import keep_forecast
from campaigns.services.giving import give_offer
from campaigns.services.offer_drafts import OfferDraft, offers_of
from campaigns.services.offers import Taken, Who, find_contact, record_conversion, record_view
from campaigns.services.outcomes import count_outcomes
from campaigns.services.runs import organizations_due, settled, work
from campaigns.services.snippets import (
    create_snippet,
    delete_snippet,
    publish_snippet,
    save_snippet_draft,
    snippet_draft_of,
    unpublished_changes,
    update_snippet,
)
from campaigns.services.templates import (
    archive_template,
    create_template,
    delete_template,
    duplicate_template,
    preview_message,
    preview_template,
    publish_template,
    republish_template,
    send_test,
    update_template,
)

__all__ = [
    "Audience",
    "OfferDraft",
    "Taken",
    "Who",
    "archive",
    "archive_template",
    "arms_of",
    "audience_of",
    "cancel",
    "compare",
    "complete",
    "count_outcomes",
    "create_campaign",
    "create_snippet",
    "create_template",
    "decide",
    "delete_campaign",
    "delete_snippet",
    "delete_template",
    "draft_of",
    "duplicate_campaign",
    "duplicate_template",
    "find_contact",
    "give_offer",
    "keep_forecast",
    "launch",
    "offers_of",
    "organizations_due",
    "pause",
    "preview_message",
    "preview_template",
    "publish_snippet",
    "publish_template",
    "record_conversion",
    "record_view",
    "republish_template",
    "restore_version",
    "resume",
    "save_draft",
    "save_snippet_draft",
    "send_test",
    "settled",
    "snippet_draft_of",
    "unpublished_changes",
    "unschedule",
    "update_campaign",
    "update_snippet",
    "update_template",
    "version_of",
    "waits_for_winner",
    "work",
]
