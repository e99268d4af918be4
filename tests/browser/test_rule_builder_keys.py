"""The rule builder by keyboard alone, and by finger."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from segments.models import Segment
from tests.browser.builder import (
    ADD,
    LEEDS,
    PORTO,
    card,
    focused,
    key,
    listen,
    rule,
    wait_to_hear,
    write,
)


def test_a_rule_is_built_by_keyboard_alone(visit: Any) -> None:
    page = visit(ADD).page
    page.focus("#id_kind")
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == "rules#add":
            break
    page.keyboard.press("Enter")
    assert focused(page) == "rules[0]#subject"
    page.keyboard.type("country")
    assert focused(page) == "rules[0]#subject"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.type("France")
    page.keyboard.press("Enter")  # done with the box, not with the page

    assert page.url.endswith(ADD)
    assert rule(page) == {"match": "all", "rules": [{"field": "country", "operator": "equals", "value": "France"}]}


def test_alt_and_arrows_walk_through_groups(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS, {"match": "any", "rules": [PORTO]}]})
    key(page, "rules[0]#grip").focus()
    listen(page)

    page.keyboard.press("Alt+ArrowDown")
    assert rule(page)["rules"] == [{"match": "any", "rules": [LEEDS, PORTO]}]
    assert focused(page) == "rules[0].rules[0]#grip"
    wait_to_hear(page, "Moved “city is Leeds”: now 1 of 2 in the group “Any of these”.")
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    assert rule(page)["rules"] == [{"match": "any", "rules": [PORTO]}, LEEDS]
    page.keyboard.press("Alt+ArrowRight")
    page.keyboard.press("Alt+ArrowLeft")
    assert rule(page)["rules"] == [{"match": "any", "rules": [PORTO]}, LEEDS]
    page.keyboard.press("Alt+ArrowDown")
    wait_to_hear(page, "It cannot go further.")
    page.keyboard.press("Delete")
    assert rule(page)["rules"] == [{"match": "any", "rules": [PORTO]}]
    assert focused(page) == "rules[0]#grip"


def test_a_menu_is_walked_by_arrows(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS, PORTO]})
    key(page, "rules[1]#more").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.textContent").endswith("Move upAlt ↑")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    assert rule(page)["rules"] == [PORTO, LEEDS]

    key(page, "rules[0]#more").press("Enter")
    page.keyboard.press("Escape")
    assert focused(page) == "rules[0]#more"
    expect(page.locator("[role=menu]")).to_have_count(0)


def test_undo_and_redo_step_through_changes(visit: Any) -> None:
    page = visit(ADD).page
    write(page, {"match": "all", "rules": [LEEDS]})
    box = key(page, "rules[0].value")
    box.fill("")
    box.press_sequentially("Bergen")
    key(page, "rules[0]#delete").click()
    assert rule(page) is None

    page.keyboard.press("Control+z")
    assert rule(page)["rules"][0]["value"] == "Bergen"
    page.keyboard.press("Control+z")
    assert rule(page)["rules"] == [LEEDS]
    page.keyboard.press("Control+Shift+Z")
    assert rule(page)["rules"][0]["value"] == "Bergen"
    page.keyboard.press("Control+y")
    assert rule(page) is None
    assert page.get_by_role("button", name="Redo").is_disabled()


def _centre(locator: Locator) -> tuple[float, float]:
    box = locator.bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def _swipe(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
    """A finger as the browser feels it: down, along the way with the pauses of a hand, up."""
    finger = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        told = [{"x": x, "y": y, "id": 1, "radiusX": 8, "radiusY": 8, "force": 1} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": told})

    touch("touchStart", start)
    for step in range(1, steps + 1):
        share = step / steps
        touch("touchMove", (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share))
        page.wait_for_timeout(20)
    page.wait_for_timeout(250)
    touch("touchMove", (end[0] + 1, end[1] + 2))
    page.wait_for_timeout(250)
    touch("touchEnd")
    finger.detach()


def test_a_finger_drags_a_condition_into_another_group(visit: Any, clean: None) -> None:
    page = visit(ADD, (390, 844), has_touch=True, is_mobile=True).page
    page.fill("#id_name", "By finger")
    write(page, {"match": "all", "rules": [LEEDS, {"match": "any", "rules": [PORTO]}]})
    target = card(page, "rules[1].rules[0]")
    target.scroll_into_view_if_needed()
    grip = key(page, "rules[0]#grip")
    grip.scroll_into_view_if_needed()
    assert target.bounding_box()["y"] < 844, "both stand in sight"

    box = target.bounding_box()
    _swipe(page, _centre(grip), (_centre(target)[0], box["y"] + box["height"] * 0.85))

    moved = {"match": "all", "rules": [{"match": "any", "rules": [PORTO, LEEDS]}]}
    assert rule(page) == moved
    page.click("[name=_continue]")
    page.wait_for_url("**/change/")
    assert Segment.objects.get(name="By finger").rule == moved


def test_a_finger_that_only_passes_over_a_card_scrolls_the_page(visit: Any) -> None:
    page = visit(ADD, (390, 844), has_touch=True, is_mobile=True).page
    tree = {"match": "all", "rules": [LEEDS, {"match": "any", "rules": [PORTO, LEEDS, PORTO]}]}
    write(page, tree)
    place = key(page, "rules[0]#grip")
    place.scroll_into_view_if_needed()
    box = card(page, "rules[0]").bounding_box()
    assert box

    _swipe(page, (box["x"] + box["width"] - 20, box["y"] + 6), (box["x"] + box["width"] - 20, box["y"] - 150))

    assert rule(page) == tree
