"""A page under observation: console errors, requests that leave the house, accessibility, width."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, Request, TimeoutError

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
# What would only make it slower: fetching every style sheet once more, and spelling out where each node stands.
OPTIONS = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]},
    "resultTypes": ["violations"],
    "preload": False,
    "selectors": False,
    "elementRef": False,
}
MENU = "#nav-sidebar"
PATIENCE_MS = 5_000
LOOK = """async ([options, menu, isKnown]) => {
    const found = await axe.run(isKnown ? {exclude: [[menu]]} : document, options)
    return [found.violations, Boolean(document.querySelector(menu)?.checkVisibility())]
}"""
# Where the menu was looked at: it is the same on every page, and half of what stands there.
_known_menus: set[tuple[int, bool]] = set()


@dataclass
class Watched:
    """`faults` are sentences; an empty list is a good page."""

    page: Page
    server: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", lambda said: said.type == "error" and self.faults.append(f"console: {said.text}"))
        self.page.on("pageerror", lambda error: self.faults.append(f"script: {error}"))
        self.page.on("request", self._guard)

    def _guard(self, request: Request) -> None:
        """Only notes it: Chromium's flags let nothing out, and a route would switch its cache off."""
        if not request.url.startswith((self.server, "data:", "blob:", "about:")):
            self.faults.append(f"leaves the house: {request.url}")

    def open(self, path: str) -> None:
        answer = self.page.goto(self.server + path, wait_until="load")
        if answer is None or answer.status >= 400:
            self.faults.append(f"{path} answers {answer.status if answer else 'nothing'}")
        self.page.wait_for_function(
            "!document.querySelector('[data-figure]') || document.documentElement.dataset.charts"
        )
        self._picture(path)

    def _picture(self, path: str) -> None:
        # GALLERY=folder keeps a picture of every page, for people to look at.
        if folder := os.environ.get("GALLERY"):
            name = path.strip("/").replace("/", "_").split("?")[0] or "home"
            Path(folder).mkdir(parents=True, exist_ok=True)
            shot = Path(folder) / f"{name}-{self._width()}{'-dark' if self._is_dark() else ''}.png"
            self.page.screenshot(path=shot, full_page=True)

    def _width(self) -> int:
        return self.page.viewport_size["width"] if self.page.viewport_size else 0

    def _is_dark(self) -> bool:
        return bool(self.page.evaluate("document.documentElement.classList.contains('dark')"))

    def axe(self) -> list[str]:
        """Serious and critical violations of WCAG 2.2 A and AA: rule, how many, the first place."""
        if not self.page.evaluate("Boolean(window.axe)"):
            self.page.evaluate(AXE)
        place = (self._width(), self._is_dark())
        violations, has_menu = self.page.evaluate(LOOK, [OPTIONS, MENU, place in _known_menus])
        if has_menu:
            _known_menus.add(place)
        return [
            f"axe {item['id']} ({item['impact']}) × {len(item['nodes'])}: {item['nodes'][0]['html'][:300]}"
            for item in violations
            if item["impact"] in SERIOUS
        ]

    def overflow(self) -> list[str]:
        """Whether the page is wider than the screen, and by what; charts are drawn anew a moment after it narrows."""
        with suppress(TimeoutError):
            self.page.wait_for_function(
                "document.documentElement.scrollWidth <= window.innerWidth", timeout=PATIENCE_MS
            )
        wide = self.page.evaluate(
            """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
               [...document.querySelectorAll('body *')]
                 .filter(node => node.getBoundingClientRect().right > window.innerWidth + 1)
                 .slice(0, 3).map(node => node.outerHTML.slice(0, 160))"""
        )
        return [f"wider than the screen: {node}" for node in wide]

    def everything(self) -> list[str]:
        return self.faults + self.axe() + self.overflow()

    def everywhere(self) -> dict[str, list[str]]:
        """What is wrong at each width, where the page is loaded once and made narrower; empty for a good page."""
        wrong = {}
        for name, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            if found := self.everything():
                wrong[name] = found
        return wrong

    def walk(self, paths: Iterable[str]) -> dict[str, dict[str, list[str]]]:
        """What is wrong on each of these pages `everywhere`, opened in this tab one after the other."""
        wrong = {}
        for path in paths:
            self.faults.clear()
            self.page.set_viewport_size(dict(zip(("width", "height"), SIZES["desktop"], strict=True)))
            self.open(path)
            if found := self.everywhere():
                wrong[path] = found
        return wrong
