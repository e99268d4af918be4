"""Snippets in a browser: sound pages; written, published and brought to mails by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from campaigns import services
from campaigns.models import EmailTemplate, Snippet
from common import tenancy
from tests.browser import mails
from tests.browser.conftest import SIZES
from tests.browser.mails import card, key, saved, shown
from tests.browser.town import Town

SIGNATURE = [{"id": "sign", "type": "text", "text": "<p>Warmly, Ada</p>"}]
USE = {"id": "use", "type": "snippet", "snippet": "signature"}


@pytest.fixture
def snippet(town: Town, django_db_blocker: Any) -> Iterator[Snippet]:
    """A snippet that one published mail sends."""
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        made = services.create_snippet({"name": "Signature", "blocks": SIGNATURE})
        blocks = {"settings": {}, "blocks": [USE, mails.MAIL["blocks"][-1]]}
        mail = services.create_template(mails.VALUES | {"name": "Signed mail", "blocks": blocks})
        services.publish_template(mail)
        yield made
        EmailTemplate.objects.filter(pk=mail.pk).update(published=None)
        mail.versions.all().delete()
        EmailTemplate.objects.filter(pk=mail.pk).delete()
        Snippet.objects.filter(pk=made.pk).delete()


def address(snippet: Snippet, shown: str = "editor") -> str:
    return reverse(f"admin:campaigns_snippet_{shown}", args=[snippet.pk])


def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("GALLERY"):
        page.screenshot(path=Path(folder) / f"{name}-{page.viewport_size['width']}.png")  # type: ignore[index]


def test_its_pages_are_sound(visit: Any, snippet: Snippet, size: tuple[int, int]) -> None:
    for path in (reverse("admin:campaigns_snippet_changelist"), address(snippet, "change")):
        assert visit(path, size).everything() == []

    watched = visit(address(snippet), size)
    shown(watched.page, "Warmly, Ada")
    card(watched.page, "sign").locator(".mle-open").click()
    expect(watched.page.get_by_role("button", name="Used by 1 mail")).to_be_visible()
    assert watched.everything() == []
    picture(watched.page, "snippet-editor")
    for name in ("Used by 1 mail", "Publish"):
        watched.page.get_by_role("button", name=name, exact=True).click()
        expect(watched.page.locator("dialog[open]")).to_be_visible()
        watched.page.wait_for_timeout(200)
        assert watched.everything() == []
        picture(watched.page, f"snippet-{name.split()[0]}")
        watched.page.keyboard.press("Escape")


def test_by_keyboard_a_change_is_published_and_brought_to_the_mails_that_send_it(
    visit: Any, snippet: Snippet
) -> None:
    page = visit(address(snippet)).page
    page.locator(".mle-add").focus()
    page.keyboard.press("Enter")
    page.keyboard.type("heading")
    page.keyboard.press("Enter")
    page.keyboard.type("Yours")
    shown(page, "Yours")
    saved(page)
    page.get_by_role("button", name="Publish", exact=True).focus()
    page.keyboard.press("Enter")
    dialog = page.locator("dialog[open]")
    expect(dialog.get_by_text("Added")).to_be_visible()
    expect(dialog.get_by_label("Signed mail")).to_be_checked()
    picture(page, "snippet-publish-changes")
    dialog.get_by_role("button", name="Publish, also in 1 mail").focus()
    page.keyboard.press("Enter")

    expect(page.locator(".mle-bar__state .gs-badge--good")).to_have_text("Published v2")
    mail = EmailTemplate.objects.select_related("published__content").get(name="Signed mail")
    assert mail.published is not None
    assert mail.published.snippets == {"signature": 2}
    assert "Yours" in mail.published.content.html


def test_it_speaks_another_language_and_its_name_changes(visit: Any, snippet: Snippet) -> None:
    page = visit(address(snippet), SIZES["phone"]).page
    key(page, "name").fill("Farewell")
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Add a language").click()
    expect(page.get_by_text("The words so far are in")).to_have_count(0)
    page.get_by_label("New language").select_option("de")
    page.get_by_role("button", name="Add language").click()
    card(page, "sign").locator(".mle-open").click()
    words = page.locator("#properties-sign [contenteditable]")
    words.fill("Herzlich, Ada")
    shown(page, "Herzlich, Ada")
    saved(page)

    stored = Snippet.objects.get(pk=snippet.pk)
    assert stored.name == "Farewell"
    assert stored.blocks == SIGNATURE
    assert "Herzlich" in stored.variants["de"][0]["text"]
