"""Every write of this room, by noun."""

from campaigns.services.campaigns import (
    Audience,
    OfferDraft,
    create_campaign,
    delete_campaign,
    duplicate_campaign,
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
    publish_template,
    update_template,
)

__all__ = [
    "Audience",
    "OfferDraft",
    "Who",
    "archive",
    "archive_template",
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
    "organizations_due",
    "pause",
    "publish_template",
    "record_conversion",
    "record_view",
    "resume",
    "settled",
    "unschedule",
    "update_campaign",
    "update_template",
    "work",
]
