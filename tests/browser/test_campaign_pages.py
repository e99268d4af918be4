"""Campaign and template pages in a browser: two widths, by keyboard, with progress that moves by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from campaigns import services
from campaigns.models import Campaign, EmailTemplate
from common import tenancy
from delivery.models import Message
from segments.models import Segment
from tests.browser.town import Town

HTML = '<html><body><h1>Hello {{ contact.name }}</h1><a href="https://shop.example">Shop</a></body></html>'


@pytest.fixture(scope="module")
def template(town: Town, django_db_blocker: Any) -> Iterator[EmailTemplate]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_template({"name": "Jumpers", "subject": "For {{ contact.name }}", "html": HTML})
        services.publish_template(made)
        yield made


@pytest.fixture
def campaign(town: Town, template: EmailTemplate, django_db_blocker: Any) -> Iterator[Campaign]:
    """A draft to the town's customers with an offer."""
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_campaign(
            {"name": "Jumpers for all", "template_id": template.pk, "messages_per_minute": 60, "cost_minor": 4200},
            audience=services.Audience([Segment.objects.get(slug="customers").pk]),
            offers=[services.OfferDraft("discount", "15.00", code="WARM15")],  # type: ignore[arg-type]
        )
        yield made
        connection.close()


def _at(name: str, *parts: object) -> str:
    return reverse(f"admin:campaigns_{name}", args=parts)


def test_campaign_pages_are_sound(visit: Any, campaign: Campaign) -> None:
    services.launch(campaign)
    services.work(campaign.organization_id)
    services.pause(campaign)
    draft = services.duplicate_campaign(campaign)

    pages = [
        _at("campaign_changelist"),
        _at("campaign_add"),
        _at("campaign_change", draft.pk),
        _at("campaign_change", campaign.pk),
        _at("campaign_act", draft.pk, "launch"),
        _at("campaign_act", campaign.pk, "cancel"),
        reverse("dashboards:campaign", args=[campaign.pk]),
        reverse("campaign-calendar"),
    ]
    assert visit("/").walk(pages) == {}


def test_template_pages_are_sound(visit: Any, template: EmailTemplate) -> None:
    pages = [
        _at("emailtemplate_changelist"),
        _at("emailtemplate_add"),
        _at("emailtemplate_change", template.pk),
        _at("emailtemplate_preview", template.pk),
    ]
    assert visit("/").walk(pages) == {}


def test_a_marketer_launches_by_keyboard_and_watches_it_go(visit: Any, campaign: Campaign) -> None:
    watched = visit(_at("campaign_change", campaign.pk))
    page = watched.page
    page.locator("#campaign-estimate").get_by_text("People addressed").wait_for()

    page.get_by_role("link", name="Launch", exact=True).focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Launch to 20 people").focus()
    page.keyboard.press("Enter")
    page.get_by_role("link", name="Pause").wait_for()
    services.work(campaign.organization_id)
    page.get_by_text("of 20 people").wait_for()
    assert page.locator("#campaign-progress").get_by_text("0 %").first.is_visible()

    Message.objects.filter(source_id=campaign.pk).update(status="sent")
    page.get_by_role("status").get_by_text("25 %").wait_for()

    page.get_by_role("link", name="Cancel campaign").click()
    page.get_by_role("button", name="Cancel campaign").click()
    page.get_by_role("link", name="Archive").wait_for()
    assert Campaign.objects.get(pk=campaign.pk).status == "cancelled"
    assert watched.faults == []
