"""Limits, why (not) sent, and the pages a mail leads to: sound at two widths, usable without a script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from audience.models import ConsentRequest, Contact, Topic
from campaigns.models import Campaign
from common import clock, tenancy
from delivery import links
from delivery.models import Message
from tests.browser.town import Town

FORMS = [
    "/admin/delivery/deliverypolicy/add/",
    "/admin/delivery/caprule/add/",
    "/admin/delivery/quiethours/add/",
    "/admin/delivery/holdout/add/",
    "/admin/delivery/confirmationletter/add/",
    "/admin/audience/optinsettings/add/",
    "/admin/audience/topic/add/",
]


@pytest.mark.parametrize("path", FORMS)
def test_forms_of_limits_are_sound(visit: Any, path: str) -> None:
    watched = visit(path)
    if path in FORMS[:2]:
        watched.page.wait_for_function("!document.querySelector('#hindsight').innerText.startsWith('Looking')")

    assert watched.everywhere() == {}


@pytest.fixture
def message(town: Town) -> Iterator[Message]:
    with tenancy.organization(town.organization_id):
        Topic.objects.filter(slug="news").update(description="What is new in the shop, twice a month.")
        found = Message.objects.filter(contact_id=town.contact_id).first()
        assert found is not None
        yield found


def test_why_sent_is_sound_and_found_by_an_address(visit: Any, message: Message, size: tuple[int, int]) -> None:
    campaign = Campaign.objects.order_by("pk").first()
    contact = Contact.objects.get(pk=message.contact_id)
    assert campaign is not None
    watched = visit("/messages/why/", size)
    watched.page.fill("#q", contact.email)
    watched.page.select_option("#campaign", str(campaign.pk))
    watched.page.click("text=Explain")
    watched.page.wait_for_selector(".why-steps")

    assert watched.everything() == []
    watched.open(f"/messages/why/?message={message.pk}")
    assert watched.everything() == []


@pytest.mark.parametrize("purpose", [links.PREFERENCES, links.UNSUBSCRIBE])
def test_pages_of_a_mail_are_sound(visit: Any, message: Message, purpose: str) -> None:
    path = links.path(purpose, message.organization_id, message.pk)

    assert visit(path, signed_in=False).everywhere() == {}
    assert visit(path, signed_in=False, color_scheme="dark").everywhere() == {}


def test_preferences_are_saved_without_a_script(visit: Any, message: Message) -> None:
    path = links.path(links.PREFERENCES, message.organization_id, message.pk)
    watched = visit(path, (390, 844), signed_in=False, java_script_enabled=False)
    watched.page.check("input[value=weekly]")
    watched.page.click("text=Save")

    assert "Saved." in watched.page.text_content("main")
    assert watched.page.is_checked("input[value=weekly]")


def test_the_page_that_asks_for_the_click_is_sound(visit: Any, message: Message) -> None:
    contact = Contact.objects.get(pk=message.contact_id)
    asked, _ = ConsentRequest.objects.get_or_create(
        contact=contact, channel="email", confirmed_at=None,
        defaults={"how": "form", "address": contact.email, "expires_at": clock.now() + timedelta(days=1)},
    )  # fmt: skip
    watched = visit(links.path(links.CONFIRM, message.organization_id, asked.pk), signed_in=False)

    assert watched.everywhere() == {}
