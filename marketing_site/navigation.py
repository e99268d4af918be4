"""The sidebar, by role, and what the shell knows about the person who looks at it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from accounts.backends import allowed
from accounts.selectors import seats
from common import tenancy
from delivery import standing

SUPERUSERS = "superusers"


@dataclass(frozen=True)
class Link:
    """One line of the sidebar. `resource` is the room whose read capability shows it; "" shows it to everybody.
    `beside` fits pages that belong to it and have an address of their own."""

    title: str
    icon: str
    address: str
    resource: str
    beside: str = ""


# Section → lines. A line appears when its address exists and the role may read its resource.
NAVIGATION: list[tuple[str, list[Link]]] = [
    ("", [Link("Home", "home", "dashboards:home", "dashboards")]),
    (
        "Audience",
        [
            Link("Contacts", "group", "admin:audience_contact_changelist", "audience", r"/contacts/\d+/"),
            Link("Events", "bolt", "admin:audience_eventdefinition_changelist", "audience"),
            Link("Attributes", "label", "admin:audience_attributedefinition_changelist", "audience"),
            Link("Predictions", "query_stats", "admin:audience_predictiondefinition_changelist", "audience"),
            Link("Topics", "topic", "admin:audience_topic_changelist", "audience"),
            Link("Consent", "verified_user", "admin:audience_consent_changelist", "audience"),
            Link("Opt-in", "mark_email_read", "admin:audience_optinsettings_changelist", "audience"),
            Link("Waiting for the click", "hourglass", "admin:audience_consentrequest_changelist", "audience"),
            Link("Confirmation mails", "drafts", "admin:delivery_confirmationletter_changelist", "delivery"),
            Link("Suppressions", "block", "admin:audience_suppression_changelist", "audience"),
            Link("Imports", "upload_file", "admin:audience_import_changelist", "audience"),
        ],
    ),
    (
        "Segments",
        [
            Link("Segments", "donut_small", "admin:segments_segment_changelist", "segments"),
            Link("Ready patterns", "grid_view", "segments:patterns", "segments"),
            Link("Suggestions", "lightbulb", "segments:suggestions", "segments"),
            Link("Syncs", "sync", "admin:integrations_audiencesync_changelist", "integrations"),
            Link("Destinations", "hub", "admin:integrations_destination_changelist", "integrations"),
            Link("Pattern settings", "tune", "admin:segments_patternsettings_changelist", "segments"),
        ],
    ),
    (
        "Messages & campaigns",
        [
            Link("Campaigns", "campaign", "admin:campaigns_campaign_changelist", "campaigns", r"/campaigns/\d+/"),
            Link("Calendar", "calendar_month", "campaign-calendar", "campaigns"),
            Link("Automatic campaigns", "auto_awesome", "automatic-campaigns", "campaigns"),
            Link("Experiments", "science", "admin:experiments_experiment_changelist", "experiments"),
            Link("People in experiments", "groups", "admin:experiments_assignment_changelist", "experiments"),
            Link("Kept out of experiments", "person_off", "admin:experiments_reserve_changelist", "experiments"),
            Link("E-mail templates", "draft", "admin:campaigns_emailtemplate_changelist", "campaigns"),
            Link("Message templates", "sms", "admin:campaigns_messagetemplate_changelist", "campaigns"),
            Link("Snippets", "bookmark", "admin:campaigns_snippet_changelist", "campaigns"),
            Link("Copy assistant", "ink_pen", "admin:campaigns_copyrequest_success", "campaigns"),
            Link("Messages", "outgoing_mail", "admin:delivery_message_changelist", "delivery"),
            Link("Mailbox", "inbox", "delivery:mailbox", "delivery"),
            Link("Deliverability", "mark_email_read", "delivery:deliverability", "delivery"),
            Link("By mailbox provider", "stacked_email", "dashboards:deliverability", "delivery"),
            Link("Senders", "alternate_email", "admin:delivery_sender_changelist", "delivery"),
            Link("Providers", "hub", "admin:delivery_provider_changelist", "delivery"),
            Link("Message prices", "payments", "admin:delivery_messageprice_changelist", "delivery"),
            Link("Provider reports", "mark_email_unread", "admin:delivery_providerreport_changelist", "delivery"),
            Link("Sending limits", "speed", "admin:delivery_deliverypolicy_changelist", "delivery"),
            Link("Caps", "vertical_align_top", "admin:delivery_caprule_changelist", "delivery"),
            Link("Quiet hours", "bedtime", "admin:delivery_quiethours_changelist", "delivery"),
            Link("Holdouts", "science", "admin:delivery_holdout_changelist", "delivery"),
            Link("Why (not) sent", "help_center", "why-sent", "delivery"),
            Link("Why people left", "waving_hand", "admin:delivery_farewell_changelist", "delivery"),
        ],
    ),
    (
        "Automations",
        [
            Link(
                "Automations",
                "account_tree",
                "admin:automations_automation_changelist",
                "automations",
                r"/automations/\d+/",
            ),
            Link("Recipes", "menu_book", "recipes", "automations"),
            Link("Runs", "play_circle", "admin:automations_automationrun_changelist", "automations"),
            Link("What went wrong", "report", "automation-troubles", "automations"),
            Link("My desk", "inbox_customize", "desk", "tasks"),
            Link("Tasks", "task_alt", "admin:automations_task_changelist", "tasks"),
            Link("Notifications", "notifications", "admin:automations_notification_changelist", "automations"),
            Link("Scheduled tasks", "schedule", "admin:automations_scheduledtask_changelist", "automations"),
        ],
    ),
    (
        "Attribution",
        [
            Link("Campaign ROI", "paid", "dashboards:campaigns", "attribution"),
            Link("Workflows", "account_tree", "dashboards:workflows", "attribution"),
            Link("Models compared", "balance", "dashboards:attribution", "attribution"),
            Link("Conversions", "shopping_bag", "admin:attribution_conversion_changelist", "attribution"),
            Link("Goals", "flag", "admin:attribution_goal_changelist", "attribution"),
            Link("Costs", "receipt_long", "admin:attribution_cost_changelist", "attribution"),
        ],
    ),
    (
        "Viral",
        [
            Link("Viral growth", "share", "dashboards:viral", "viral"),
            Link("Programmes", "redeem", "admin:viral_program_changelist", "viral"),
            Link("Referrals", "diversity_3", "admin:viral_referral_changelist", "viral"),
            Link("Rewards", "card_giftcard", "admin:viral_reward_changelist", "viral"),
        ],
    ),
    (
        "Settings",
        [
            Link("Organisation", "apartment", "admin:accounts_organization_changelist", "organization"),
            Link("Members", "badge", "admin:accounts_member_changelist", "members"),
            Link("API keys", "key", "admin:accounts_apikey_changelist", "keys"),
            Link("Audit log", "history", "admin:accounts_auditentry_changelist", "audit"),
            Link("Accounts", "manage_accounts", "admin:accounts_user_changelist", SUPERUSERS),
        ],
    ),
    (
        "Operations",
        [
            Link("Health", "ecg_heart", "dashboards:health", "dashboards"),
            Link("Rejected events", "report", "admin:audience_rejectedevent_changelist", "audience"),
            Link("Ingest batches", "move_to_inbox", "admin:audience_ingestbatch_changelist", "audience"),
            Link("Announcements", "forum", "admin:common_noticedelivery_changelist", "organization"),
            Link("API documents", "api", "api-docs", "dashboards"),
            Link("Schedule", "event_repeat", "admin:django_celery_beat_periodictask_changelist", SUPERUSERS),
            Link("Sign-in tokens", "token", "admin:token_blacklist_outstandingtoken_changelist", SUPERUSERS),
        ],
    ),
]


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar as django-unfold takes it, for this person's role."""
    groups = []
    for title, links in NAVIGATION:
        items = [item for link in links if (item := _item(request, link)) is not None]
        if items:
            groups.append({"title": title, "items": items})
    return groups


def _item(request: HttpRequest, link: Link) -> dict[str, Any] | None:
    try:
        address = reverse(link.address)
    except NoReverseMatch:
        return None
    user: Any = request.user
    if not (user.is_superuser if link.resource == SUPERUSERS else allowed(user, link.resource)):
        return None
    here = request.path == address or (address != "/" and request.path.startswith(address))
    here = here or bool(link.beside and re.match(link.beside, request.path))
    return {"title": link.title, "icon": link.icon, "link": address, "active": lambda request: here}


def context(request: HttpRequest) -> dict[str, Any]:
    """What the shell's own templates need on every page: where one works, and where else one may."""
    user: Any = request.user
    reads_delivery = tenancy.current() is not None and allowed(user, "delivery")
    return {
        "warnings": standing.warnings() if reads_delivery else [],
        "seat": getattr(request, "seat", None),
        "seats": seats(user) if user.is_authenticated else [],
    }
