"""An organisation with one of everything that requests can name."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from accounts import services as accounts
from accounts.domain.roles import Role
from audience.models import Contact, Identity, Topic
from automations import services as automations
from campaigns import services as campaigns
from common import tenancy
from delivery.models import Sender
from segments import services as segments
from viral import services as viral

RULE = {"field": "city", "operator": "equals", "value": "Leeds"}


@dataclass(frozen=True)
class Town:
    """Ids of what stands in one organisation."""

    organization: int
    contact: int
    member: int
    template: int
    segment: int
    static_segment: int
    campaign: int
    automation: int
    scheduled_task: int
    task: int
    sender: int
    topic: int
    program: int
    code: str


def build(organization_id: int, name: str) -> Town:
    with tenancy.organization(organization_id):
        contact = Contact.objects.create(name=name, email=f"{name}@example.com", user_id=name)
        Identity.objects.create(contact=contact, kind="user_id", value=name)
        member = accounts.add_member(accounts.ensure_user(f"{name}-colleague@example.com"), Role.OWNER)
        template = campaigns.create_template({"name": name, "subject": "Hello", "html": "<p>Hello</p>"})
        campaigns.publish_template(template)
        segment = segments.create_segment(name=name, rule=RULE)
        static = segments.create_segment(name=f"{name} by hand")
        audience = campaigns.Audience([static.pk])
        campaign = campaigns.create_campaign({"name": name, "template_id": template.pk}, audience=audience)
        automation = automations.create_automation(automation_body(template.pk, member.pk) | {"is_active": True})
        payload = {"contact_ids": [contact.pk], "changes": {"status": "won"}}
        scheduled = automations.schedule(
            {
                "name": name,
                "task_type": "update_contact",
                "payload": payload,
                "run_at": datetime(2090, 1, 1, tzinfo=UTC),
            }
        )
        program = viral.create_program({"name": name, "slug": name, "landing_url": "https://shop.example/friends"})
        task = automations.create_task({"title": name, "contact_id": contact.pk})
        return Town(
            organization=organization_id,
            contact=contact.pk,
            member=member.pk,
            template=template.pk,
            segment=segment.pk,
            static_segment=static.pk,
            campaign=campaign.pk,
            automation=automation.pk,
            scheduled_task=scheduled.pk,
            task=task.pk,
            sender=Sender.objects.create(name=name, address=f"{name}@acme.example").pk,
            topic=Topic.objects.create(name=name, slug=name).pk,
            program=program.pk,
            code=viral.code_of(program, contact).code,
        )


def automation_body(template_id: int, member_id: int) -> dict[str, Any]:
    return {
        "name": "Welcome",
        "trigger_type": "lead_created",
        "trigger_configuration": {},
        "actions": [
            {"action_type": "send_email", "action_order": 0, "configuration": {"template_id": template_id}},
            {
                "action_type": "create_task",
                "action_order": 1,
                "configuration": {"title": "Call", "assignee_id": member_id},
            },
        ],
    }
