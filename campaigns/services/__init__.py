"""Every write of this room, by noun."""

from campaigns.services.campaigns import (
    Audience,
    OfferDraft,
    audience_of,
    create_campaign,
    delete_campaign,
    duplicate_campaign,
    offers_of,
    update_campaign,
)
from campaigns.services.control import archive, cancel, complete, launch, pause, resume, unschedule
from campaigns.services.offers import Who, find_contact, record_conversion, record_view
from campaigns.services.runs import organizations_due, settled, work
from campaigns.services.templates import (
    archive_template,
    create_template,
    delete_template,
    duplicate_template,
    preview_template,
    publish_template,
    send_test,
    update_template,
)

__all__ = [
    "Audience",
    "OfferDraft",
    "Who",
    "archive",
    "archive_template",
    "audience_of",
    "cancel",
    "complete",
    "create_campaign",
    "create_template",
    "delete_campaign",
    "delete_template",
    "duplicate_campaign",
    "duplicate_template",
    "find_contact",
    "launch",
    "offers_of",
    "organizations_due",
    "pause",
    "preview_template",
    "publish_template",
    "record_conversion",
    "record_view",
    "resume",
    "send_test",
    "settled",
    "unschedule",
    "update_campaign",
    "update_template",
    "work",
]
