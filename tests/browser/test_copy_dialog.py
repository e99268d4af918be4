"""The copy assistant beside the subject: read, take by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from campaigns import services
from campaigns.models import CopyRequest, EmailTemplate
from common import tenancy
from tests.browser import mails
from tests.browser.mails import state
from tests.browser.town import Town


@pytest.fixture
def mail(town: Town, django_db_blocker: Any) -> Iterator[EmailTemplate]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_template(mails.VALUES)
        yield made
        EmailTemplate.objects.filter(pk=made.pk).delete()


def test_a_line_is_taken_by_keyboard(
    visit: Any, mail: EmailTemplate, town: Town, size: tuple[int, int], django_db_blocker: Any
) -> None:
    watched = visit(reverse("admin:campaigns_emailtemplate_editor", args=[mail.pk]), size)
    page = watched.page
    page.get_by_role("button", name="Suggest").first.focus()
    page.keyboard.press("Enter")
    recommended = page.locator(".mle-line", has_text="Recommended")
    expect(recommended).to_be_visible()
    assert watched.everything() == []

    with page.expect_response("**/choose/"):
        recommended.get_by_role("button", name="Use it").press("Enter")

    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        row = CopyRequest.objects.get(template_id=mail.pk)
    assert row.chosen == 0
    assert state(page)["subject"] == row.variants[0]["text"]
    expect(page.get_by_role("button", name="Suggest").first).to_be_focused()


def test_a_text_is_taken_into_the_form(visit: Any, town: Town, django_db_blocker: Any) -> None:
    says = {"text": "The light knits are here. They keep you warm without being heavy. https://shop.example/k"}
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_template({"name": "Knits by SMS", "channel": "sms", "fields": says})
    watched = visit(reverse("admin:campaigns_messagetemplate_change", args=[made.pk]), (390, 844))
    page = watched.page
    page.get_by_role("button", name="Suggest").click()
    expect(page.locator(".mle-line").first).to_be_visible()
    assert watched.everything() == []

    taken = page.locator(".mle-line__text").first.text_content()
    page.get_by_role("button", name="Use it").first.click()

    expect(page.locator("#id_text")).to_have_value(taken)
