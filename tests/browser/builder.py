"""The rule builder as a hand finds it: its rule, its cards, its keys."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Locator, Page, expect

ADD = "/admin/segments/segment/add/"
LEEDS = {"field": "city", "operator": "equals", "value": "Leeds"}
PORTO = {"field": "city", "operator": "equals", "value": "Porto"}
BOUGHT = {
    "event": "order_completed", "operator": "did", "count": 1, "within": {"days": 30},
    "where": [{"property": "total", "operator": "greater", "value": 50}],
}  # fmt: skip
NESTED = {
    "match": "all",
    "rules": [
        LEEDS,
        BOUGHT,
        {"match": "any", "rules": [PORTO, {"field": "tags", "operator": "contains", "value": "vip"}]},
        {"match": "none", "rules": [{"field": "first_seen_at", "operator": "weekday", "value": ["sunday"]}]},
    ],
}


def rule(page: Page) -> Any:
    """What the form would post."""
    text = page.input_value("#id_rule")
    return json.loads(text) if text else None


def write(page: Page, tree: Any) -> None:
    """Put a rule into the builder through its JSON view."""
    page.get_by_role("button", name="JSON", exact=True).click()
    page.fill("#id_rule", json.dumps(tree))
    page.get_by_role("button", name="Build", exact=True).click()


def card(page: Page, path: str) -> Locator:
    return page.locator(f'[data-block="{path}"]')


def key(page: Page, name: str) -> Locator:
    return page.locator(f'[data-key="{name}"]')


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.dataset.key ?? ''"))


def settled(page: Page) -> None:
    expect(page.locator(".rb-side")).not_to_have_class("rb-side rb-side--busy")


def drag(page: Page, grip: Locator, target: Locator) -> None:
    """With the pauses of a hand: the list animates what makes room."""
    from_box, to_box = grip.bounding_box(), target.bounding_box()
    assert from_box and to_box
    page.mouse.move(from_box["x"] + 12, from_box["y"] + 14)
    page.mouse.down()
    page.mouse.move(from_box["x"] + 18, from_box["y"] + 24, steps=4)
    page.mouse.move(to_box["x"] + 40, to_box["y"] + to_box["height"] * 0.8, steps=12)
    page.wait_for_timeout(250)
    page.mouse.move(to_box["x"] + 42, to_box["y"] + to_box["height"] * 0.85, steps=3)
    page.wait_for_timeout(250)
    page.mouse.up()


def listen(page: Page) -> None:
    """Keep all that a screen reader is told from now on: the next word may come before one looks."""
    page.evaluate(
        """() => {
            const region = document.querySelector("rule-builder [role=status]");
            window.heard = [];
            new MutationObserver(() => window.heard.push(region.textContent)).observe(region, { childList: true });
        }"""
    )


def wait_to_hear(page: Page, words: str) -> None:
    page.wait_for_function("words => window.heard.some((told) => told.includes(words))", arg=words)
