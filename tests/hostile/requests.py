"""Every request of the API that writes, with a body it accepts: what the hostile tests then spoil."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.hostile.town import RULE, Town, automation_body

Body = dict[str, Any]
Make = Callable[[Town], tuple[str, Body]]

# name → (method, town → (path under /api/v1/, body))
REQUESTS: dict[str, tuple[str, Make]] = {
    "create segment": (
        "post",
        lambda town: ("segments/", {"name": "New", "slug": "new", "description": "", "rule": RULE, "tags": ["a"]}),
    ),
    "change segment": (
        "patch",
        lambda town: (f"segments/{town.segment}/", {"name": "Other", "rule": RULE, "is_active": True}),
    ),
    "evaluate segment": (
        "post",
        lambda town: (f"segments/{town.segment}/evaluate/", {"lead_ids": [town.contact], "rule": RULE}),
    ),
    "add leads": ("post", lambda town: (f"segments/{town.static_segment}/leads/", {"lead_ids": [town.contact]})),
    "remove leads": (
        "post",
        lambda town: (f"segments/{town.static_segment}/leads/remove/", {"lead_ids": [town.contact]}),
    ),
    "create template": (
        "post",
        lambda town: (
            "email-templates/",
            {
                "name": "New",
                "slug": "new",
                "kind": "marketing",
                "subject": "Hello",
                "preheader": "",
                "html": "<p>Hello</p>",
                "text": "",
                "defaults": {"name": "there"},
            },
        ),
    ),
    "change template": (
        "patch",
        lambda town: (f"email-templates/{town.template}/", {"subject": "Other", "version": 1}),
    ),
    "publish template": ("post", lambda town: (f"email-templates/{town.template}/publish/", {"version": 1})),
    "preview template": (
        "post",
        lambda town: (f"email-templates/{town.template}/preview/", {"contact_id": town.contact}),
    ),
    "create campaign": (
        "post",
        lambda town: (
            "campaigns/",
            {
                "name": "New",
                "description": "",
                "template_id": town.template,
                "sender_id": town.sender,
                "topic_id": town.topic,
                "ends_at": "2090-01-01T00:00:00Z",
                "messages_per_minute": 10,
                "cost_minor": 100,
                "utm_campaign": "new",
                "audience": {"include": [town.segment], "exclude": [town.static_segment]},
                "offers": [{"kind": "discount", "value": "10.00", "unit": "percent", "code": "TEN"}],
            },
        ),
    ),
    "change campaign": (
        "patch",
        lambda town: (f"campaigns/{town.campaign}/", {"name": "Other", "version": 1, "template_id": town.template}),
    ),
    "launch campaign": (
        "post",
        lambda town: (f"campaigns/{town.campaign}/launch/", {"at": "2090-01-01T00:00:00Z", "version": 1}),
    ),
    "create automation": (
        "post",
        lambda town: (
            "automations/",
            {
                **automation_body(town.template, town.member),
                "slug": "new",
                "description": "",
                "entry_rule": "once",
                "is_active": True,
                "run_immediately": True,
            },
        ),
    ),
    "change automation": ("patch", lambda town: (f"automations/{town.automation}/", {"is_active": False})),
    "trigger automation": (
        "post",
        lambda town: (f"automations/{town.automation}/trigger/", {"contact_ids": [town.contact], "user_ids": []}),
    ),
    "schedule": (
        "post",
        lambda town: (
            "automations/scheduled-tasks/",
            {
                "name": "Later",
                "task_type": "send_template",
                "payload": {"template_id": town.template, "contact_ids": [town.contact]},
                "schedule_type": "recurring",
                "cron": "0 9 * * mon",
                "timezone": "Europe/London",
                "priority": 1,
                "most_retries": 3,
                "is_active": True,
            },
        ),
    ),
    "delay": (
        "post",
        lambda town: (
            "automations/scheduled-tasks/",
            {
                "name": "Later",
                "task_type": "update_contact",
                "payload": {"contact_ids": [town.contact], "changes": {"attributes.plan": "pro"}},
                "schedule_type": "delayed",
                "delay_seconds": 60,
            },
        ),
    ),
    "reschedule": (
        "patch",
        lambda town: (
            f"automations/scheduled-tasks/{town.scheduled_task}/",
            {"run_at": "2090-01-01T00:00:00Z", "priority": 2},
        ),
    ),
    "create task": (
        "post",
        lambda town: (
            "tasks/",
            {
                "title": "Call",
                "description": "",
                "task_type": "follow_up",
                "priority": "high",
                "due_date": "2090-01-01",
                "status": "open",
                "contact_id": town.contact,
                "assignee_id": town.member,
            },
        ),
    ),
    "change task": ("patch", lambda town: (f"tasks/{town.task}/", {"status": "done", "assignee_id": town.member})),
    "create contact": (
        "post",
        lambda town: (
            "contacts/",
            {
                "name": "New",
                "email": "new@example.com",
                "phone": "+441632960001",
                "user_id": "new",
                "status": "new",
                "priority": "high",
                "source": "fair",
                "value_minor": 100,
                "currency": "GBP",
                "city": "Leeds",
                "region": "",
                "country": "GB",
                "timezone": "Europe/London",
                "locale": "en",
                "assignee": town.member,
                "tags": ["vip"],
                "attributes": {"plan": "pro"},
            },
        ),
    ),
    "change contact": (
        "patch",
        lambda town: (f"contacts/{town.contact}/", {"status": "won", "attributes": {"plan": None}}),
    ),
    "create programme": (
        "post",
        lambda town: (
            "viral/programs/",
            {
                "name": "New",
                "slug": "new",
                "landing_url": "https://shop.example/friends",
                "link_base_url": "",
                "inviter_reward_kind": "points",
                "inviter_reward_amount": 10,
                "currency": "GBP",
                "goal_event_name": "order_completed",
            },
        ),
    ),
    "change programme": ("patch", lambda town: (f"viral/programs/{town.program}/", {"name": "Other"})),
    "make code": (
        "post",
        lambda town: ("viral/codes/", {"program_id": town.program, "contact_id": town.contact}),
    ),
    "note invitations": (
        "post",
        lambda town: ("viral/referrals/", {"code": town.code, "emails": ["friend@elsewhere.example"]}),
    ),
    "record cost": (
        "post",
        lambda town: (
            "attribution/costs/",
            {
                "day": "2026-01-31",
                "amount_minor": 100,
                "campaign_id": town.campaign,
                "channel": "email",
                "currency": "GBP",
                "note": "",
            },
        ),
    ),
}

FIELDS = [(name, field) for name, (_, make) in REQUESTS.items() for field in make(Town(*[1] * 14))[1]]


def spoiled(body: Body, field: str, value: Any) -> Body:
    return {**body, field: value}
