"""What the tests of the e-mail editor share: a mail, and what stands in the editor and on the server."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

MAIL = {
    "settings": {},
    "blocks": [
        {"id": "title", "type": "heading", "text": "Autumn is here", "level": "1"},
        {"id": "words", "type": "text", "text": "<p>Hello {{ contact.name }}</p>"},
        {
            "id": "row",
            "type": "columns",
            "columns": [
                {"width": 0, "blocks": [{"id": "left", "type": "text", "text": "<p>Left</p>"}]},
                {"width": 0, "blocks": [{"id": "right", "type": "text", "text": "<p>Right</p>"}]},
            ],
        },
        {"id": "shop", "type": "button", "label": "Shop now", "href": "https://harbour.example/shop"},
        {"id": "foot", "type": "footer", "address": "Harbour & Co, 1 Quay Street"},
    ],
}
VALUES = {
    "name": "Harbour mail",
    "subject": "Warm things",
    "preheader": "Soft ones",
    "defaults": {"name": "you"},
    "blocks": MAIL,
}


def state(page: Page) -> dict[str, Any]:
    """What the editor holds."""
    held: dict[str, Any] = page.evaluate("document.querySelector('email-editor').state")
    return held


def shape(page: Page) -> list[Any]:
    """The ids of the blocks; a row of columns as a list of lists behind its id."""
    shown: list[Any] = []
    for block in state(page)["blocks"]:
        shown.append(block["id"])
        if "columns" in block:
            shown.append([[inner["id"] for inner in column["blocks"]] for column in block["columns"]])
    return shown


def types(page: Page) -> list[str]:
    return [block["type"] for block in state(page)["blocks"]]


def card(page: Page, block_id: str) -> Locator:
    return page.locator(f'[data-id="{block_id}"]')


def key(page: Page, name: str) -> Locator:
    return page.locator(f"[data-key={json.dumps(name)}]")


def picture(page: Page) -> str:
    """The words of the preview."""
    return str(page.evaluate("document.querySelector('.mle-frame').contentDocument?.body?.innerText ?? ''"))


def shown(page: Page, words: str) -> None:
    page.wait_for_function(
        "words => document.querySelector('.mle-frame')?.contentDocument?.body?.innerText.includes(words)", arg=words
    )


def saved(page: Page) -> None:
    expect(page.locator(".mle-status")).to_have_attribute("data-kind", "saved")


def drag(page: Page, grip: Locator, target: Locator, part: float = 0.8) -> None:
    """With the pauses of a hand: the list animates what makes room."""
    start, end = grip.bounding_box(), target.bounding_box()
    assert start and end
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 6, y + 10, steps=4)
    goal = (end["x"] + end["width"] / 2, end["y"] + end["height"] * part)
    page.mouse.move(*goal, steps=12)
    page.wait_for_timeout(250)
    page.mouse.move(goal[0] + 2, goal[1] + 2, steps=3)
    page.wait_for_timeout(250)
    page.mouse.up()
