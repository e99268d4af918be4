"""Every page of the house at two widths: nothing serious for axe, no error, nothing from elsewhere."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.urls import reverse
from playwright.sync_api import expect

from accounts import services as accounts
from dashboards.boards import BOARDS
from tests.browser.town import EMAIL, PASSWORD, Town

OWN = ["/", "/health/", *(f"/dashboards/{name}/" for name in BOARDS)]
SETTINGS = [
    "/admin/accounts/member/",
    "/admin/accounts/member/add/",
    "/admin/accounts/apikey/",
    "/admin/accounts/apikey/add/",
    "/admin/accounts/auditentry/",
    "/admin/experiments/experiment/add/",
]
CAMPAIGNS = re.compile("Campaigns")  # with the word of its icon; not “Automatic campaigns”
ANONYMOUS = ["/admin/login/", "/password/forgotten/", "/password/x/y/"]


def lists() -> list[str]:
    """The list of every model a marketer meets."""
    rooms = {
        "audience",
        "segments",
        "experiments",
        "delivery",
        "campaigns",
        "automations",
        "attribution",
        "viral",
        "integrations",
    }
    return [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.app_label in rooms
    ]


@pytest.mark.parametrize("path", [*OWN, *SETTINGS])
def test_own_pages_are_sound(visit: Any, path: str) -> None:
    assert visit(path).everywhere() == {}


@pytest.mark.parametrize("path", ANONYMOUS)
def test_pages_before_sign_in_are_sound(visit: Any, path: str) -> None:
    assert visit(path, signed_in=False).everywhere() == {}


@pytest.mark.parametrize("path", OWN)
def test_own_pages_are_sound_in_the_dark(visit: Any, path: str) -> None:
    assert visit(path, color_scheme="dark").everything() == []


def test_the_page_of_a_contact_is_sound(visit: Any, town: Town) -> None:
    watched = visit(f"/contacts/{town.contact_id}/")

    assert watched.everywhere() == {}
    assert "Autumn" in watched.page.text_content("#content") or "Warm things" in watched.page.text_content("#content")


def test_lists_of_every_room_are_sound(visit: Any) -> None:
    assert visit("/").walk(lists()) == {}


def test_by_keyboard_from_sign_in_to_the_segments(visit: Any, town: Town) -> None:
    accounts.ensure_user(EMAIL)
    watched = visit("/admin/login/", signed_in=False)
    page = watched.page
    page.wait_for_function("document.activeElement.name === 'username'")
    page.keyboard.type(EMAIL)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{watched.server}/")
    reached = []
    while len(reached) < 60 and "Segments" not in reached:
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.lastElementChild?.textContent.trim() ?? ''"))
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/segments/segment/")

    assert "Segments" in reached
    assert outline != "none"
    assert "Customers" in page.text_content("#result_list")


def test_the_menu_opens_by_keyboard_on_a_phone(visit: Any) -> None:
    page = visit("/", (390, 844)).page
    page.get_by_role("button", name="Open the menu").focus()
    page.keyboard.press("Enter")

    assert page.get_by_role("link", name=CAMPAIGNS).is_visible()
    page.get_by_role("button", name="Close the menu").press("Enter")
    assert not page.get_by_role("link", name=CAMPAIGNS).is_visible()


def test_live_numbers_move_by_themselves(visit: Any) -> None:
    page = visit("/").page
    with page.expect_response("**/live/") as answer:
        pass

    assert answer.value.status == 200
    expect(page.locator("#live")).to_contain_text("people we know")
