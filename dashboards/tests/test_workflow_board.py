"""The board of workflows: money of their messages by version; and alerts on the health page."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from attribution.models import Conversion, Credit, Goal, Touchpoint
from audience.models import Contact
from automations import services as automations
from automations.models import Alert, Automation, AutomationRun
from automations.services import engine
from campaigns.models import EmailTemplate
from common import clock, tenancy
from dashboards import workflows_health
from delivery.models import Message

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_kept():
    cache.clear()


def _mailing() -> Automation:
    """Two people were sent a mail by a workflow; one of them bought for 40."""
    template = EmailTemplate.objects.create(
        name="Hello", slug="hello", subject="Hello", html="<p>Welcome</p>", kind="transactional"
    )
    automation = automations.create_automation(
        {
            "name": "Welcome",
            "is_active": True,
            "trigger_type": "manual",
            "actions": [{"action_type": "send_email", "configuration": {"template_id": template.pk}}],
        }
    )
    people = Contact.objects.bulk_create([Contact(email=f"{n}@example.org") for n in range(2)])
    automations.start(automation, [one.pk for one in people])
    engine.run(tenancy.required())
    goal = Goal.objects.filter(counts_as_revenue=True).first() or Goal.objects.create(
        name="Order", event_name="order_completed", counts_as_revenue=True
    )
    bought = Conversion.objects.create(
        contact=people[0], goal=goal, value_minor=4000, currency="GBP", status="done", event_id=1,
        happened_at=clock.now(),
    )  # fmt: skip
    touch = Touchpoint.objects.create(
        contact=people[0], kind="click", channel="email", message=Message.objects.get(contact=people[0])
    )
    Credit.objects.create(conversion=bought, touchpoint=touch, model="linear", amount_minor=4000, share=1.0)
    return automation


def test_a_version_earns_what_its_messages_are_credited_with(admin, organization) -> None:
    automation = _mailing()

    page = admin.get("/dashboards/workflows/").content.decode()

    assert "Welcome, version 1, earned most: £40.00." in page
    version = automation.current_version_id
    assert f"version__id__exact={version}&amp;status__in=completed%2Cexited" in page
    lines = admin.get("/dashboards/workflows/", {"csv": "workflows"}).content.decode().splitlines()
    assert lines[1].startswith("Welcome v1,2,0,2,0,")
    assert lines[1].endswith(",1.0,40.00")


def test_the_board_says_what_to_do_while_nobody_entered(admin, organization) -> None:
    assert "Nobody entered a workflow in this period." in admin.get("/dashboards/workflows/").content.decode()


def test_open_alerts_are_on_the_health_page(admin, organization) -> None:
    assert workflows_health.workflows().status == "healthy"
    automation = _mailing()
    Alert.objects.create(automation=automation, kind="silent", sentence="Nobody entered for 7 days")
    assert workflows_health.workflows().status == "warning"
    Alert.objects.create(automation=automation, kind="stuck", sentence="2 people due and not moved")

    page = admin.get("/health/").content.decode()

    assert workflows_health.workflows().status == "critical"
    assert "2 people due and not moved" in page
    assert AutomationRun.objects.count() == 2
