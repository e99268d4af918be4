"""Workflows are written on the canvas: with a mouse, by keyboard alone, and on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from automations import services
from automations.models import Automation
from common import tenancy
from tests.browser.conftest import SIZES
from tests.browser.town import Town

TAG, EXIT = {"tag": "met"}, "exit"


@pytest.fixture
def blank(town: Town) -> Iterator[Automation]:
    """A workflow of which only the name is known."""
    with tenancy.organization(town.organization_id):
        made = services.begin(name="Thank you")
        yield made
        services.delete_automation(made)


def _editor(automation: Automation) -> str:
    return reverse("admin:automations_automation_editor", args=[automation.pk])


def _kept(page: Page, automation: Automation) -> dict[str, Any]:
    """The draft as the server has it, once everything typed is there."""
    expect(page.locator(".wf-status")).to_contain_text("Draft saved")
    page.wait_for_function("!Object.keys(localStorage).some(key => key.startsWith('workflow-draft'))")
    draft: dict[str, Any] = Automation.objects.get(pk=automation.pk).draft
    return draft


def _add(page: Page, key: str, words: str) -> None:
    page.locator(f'[data-key="{key}"]').click()
    page.get_by_role("dialog").get_by_role("button", name=words).first.click()


def test_a_workflow_is_built_with_the_mouse(visit: Any, blank: Automation) -> None:
    watched = visit(_editor(blank))
    page = watched.page
    page.locator('[data-card="trigger"] button').click()
    page.select_option('[data-key="trigger_type"]', label="Event happened")
    page.fill('[data-key="trigger_configuration.name"]', "order_completed")
    _add(page, "actions#add", "If / otherwise")
    page.locator(".wf-panel").get_by_role("button", name="Condition", exact=True).click()
    page.locator('.wf-panel [data-key="rules[0].value"]').fill("Leeds")
    _add(page, "actions#add", "Add tag")
    page.fill('[data-key="actions[1].configuration.tag"]', "met")
    _add(page, "actions[0].branches.otherwise#add", "Exit")

    grip = page.locator('[data-key="actions[1]#grip"]')
    target = page.locator('[data-key="actions[0].branches.then#add"]')
    grip.hover()
    page.mouse.down()
    where = target.bounding_box()
    assert where
    page.mouse.move(where["x"] + 20, where["y"] + 60, steps=5)
    page.mouse.move(where["x"] + 20, where["y"] - 4, steps=8)
    page.mouse.up()

    expect(page.locator('[data-key="actions[0].branches.then[0]#grip"]')).to_be_visible()
    expect(page.locator('[data-words="branch_1"]')).to_have_text("If city is “Leeds”")
    expect(page.locator(".wf-found")).to_have_text("check_circleNothing to mend")
    draft = _kept(page, blank)
    assert (draft["trigger_type"], draft["trigger_configuration"]) == ("event", {"name": "order_completed"})
    assert len(draft["actions"]) == 1
    ways = draft["actions"][0]["branches"]
    assert (ways["then"][0]["configuration"], ways["otherwise"][0]["action_type"]) == (TAG, EXIT)
    assert watched.everything() == []


def test_a_workflow_is_built_by_keyboard_alone(visit: Any, blank: Automation) -> None:
    page = visit(_editor(blank)).page
    keys = page.keyboard
    page.locator('[data-key="actions#add"]').focus()
    keys.press("Enter")
    keys.type("add tag")
    keys.press("Enter")  # the first that fits; its settings have the focus
    keys.type("met")
    keys.press("Escape")
    expect(page.locator('[data-key="actions[0]#open"]')).to_be_focused()
    page.locator('[data-key="actions[0]#before"]').focus()
    keys.press("Enter")
    keys.type("if")
    keys.press("Enter")
    keys.press("Escape")
    page.locator('[data-key="actions[1]#grip"]').focus()
    keys.press("Alt+ArrowUp")  # into the branch that ends above it
    expect(page.locator('[data-key="actions[0].branches.otherwise[0]#grip"]')).to_be_focused()
    expect(page.get_by_role("status").filter(has_text="in the branch Otherwise")).to_have_count(1)
    keys.press("Alt+ArrowLeft")
    expect(page.locator('[data-key="actions[0].branches.then[0]#grip"]')).to_be_focused()
    keys.press("Delete")
    expect(page.locator(".wf-item")).to_have_count(1)
    keys.press("Control+z")
    expect(page.locator(".wf-item")).to_have_count(2)

    expect(page.locator(".wf-found")).to_contain_text("1 thing to mend")
    page.locator(".wf-publish").focus()
    keys.press("Enter")  # nothing is published yet: the list of what is to be mended opens
    expect(page.get_by_role("menuitem")).to_contain_text("Who goes the first way: ")
    keys.press("Enter")  # and leads to where it is mended
    expect(page.locator(".wf-panel h2")).to_have_text("If / otherwise")
    assert _kept(page, blank)["actions"][0]["branches"]["then"][0]["configuration"] == TAG


def test_a_workflow_is_built_on_a_phone(visit: Any, blank: Automation) -> None:
    watched = visit(_editor(blank), SIZES["phone"], has_touch=True)
    page = watched.page
    _add(page, "actions#add", "Wait Holds")
    page.fill('[data-key="actions[0].configuration#days"]', "2")
    assert watched.everything() == []
    page.get_by_role("button", name="Close the settings").click()
    expect(page.locator('[data-words="wait_1"]')).to_have_text("Wait 2 days")
    _add(page, "actions[0]#before", "If / otherwise")
    page.get_by_role("button", name="Close the settings").click()

    _add(page, "actions#add", "Create task")
    page.fill('[data-key="actions[2].configuration.due_date"]', "2027-01-31")
    page.fill('[data-key="actions[2].configuration.due_date"]', "3")

    assert watched.everything() == []
    draft = _kept(page, blank)
    assert [step["action_type"] for step in draft["actions"]] == ["branch", "wait", "create_task"]
    assert draft["actions"][1]["configuration"] == {"days": 2}
    assert draft["actions"][2]["configuration"] == {"due_date": 3}


def test_who_is_signed_out_goes_on_after_signing_in_elsewhere(
    visit: Any, blank: Automation, session_cookie: dict[str, Any]
) -> None:
    page = visit(_editor(blank)).page
    page.context.clear_cookies(name="sessionid")
    _add(page, "actions#add", "Exit")

    status = page.locator(".wf-status")
    expect(status).to_contain_text("You are signed out – kept on this device.")
    expect(status.get_by_role("link", name="Sign in again")).to_have_attribute("target", "_blank")
    page.context.add_cookies([session_cookie])  # type: ignore[list-item]

    assert _kept(page, blank)["actions"][0]["action_type"] == EXIT


def test_the_picture_shows_people_and_each_number_leads_to_its_rows(visit: Any, town: Town) -> None:
    with tenancy.organization(town.organization_id):
        welcome = Automation.objects.get(slug="welcome")
    watched = visit(reverse("admin:automations_automation_change", args=[welcome.pk]))
    page = watched.page
    picture = page.locator("workflow-canvas")

    here = picture.locator('[data-numbers="wait_1"] a', has_text="Here now")
    expect(here).to_have_text("person_pin_circleHere now: 12")
    expect(picture.locator('[data-way="branch_1/then"] a')).to_have_text("5")
    assert watched.everything() == []
    links = {link.get_attribute("href") for link in picture.locator("[data-numbers] a, [data-way] a").all()}
    assert [path for path in sorted(links) if page.request.get(f"{watched.server}{path}").status != 200] == []
    here.click()
    page.wait_for_url("**/automationrun/**")
    assert page.locator("#result_list tbody tr").count() == 12
