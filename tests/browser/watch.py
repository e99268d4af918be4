"""A page under observation: console errors, requests that leave the house, accessibility, width."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, Request

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text(encoding="utf-8")
SERIOUS = {"serious", "critical"}
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


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
            dark = self.page.evaluate("document.documentElement.classList.contains('dark')")
            width = self.page.viewport_size["width"] if self.page.viewport_size else 0
            name = path.strip("/").replace("/", "_").split("?")[0] or "home"
            Path(folder).mkdir(parents=True, exist_ok=True)
            shot = Path(folder) / f"{name}-{width}{'-dark' if dark else ''}.png"
            self.page.screenshot(path=shot, full_page=True)

    def axe(self) -> list[str]:
        """Serious and critical violations of WCAG 2.2 A and AA: rule, how many, the first place."""
        self.page.evaluate(AXE)
        found: dict[str, Any] = self.page.evaluate(
            "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})", TAGS
        )
        return [
            f"axe {item['id']} ({item['impact']}) × {len(item['nodes'])}: {item['nodes'][0]['html'][:300]}"
            for item in found["violations"]
            if item["impact"] in SERIOUS
        ]

    def overflow(self) -> list[str]:
        """Whether the page is wider than the screen, and by what."""
        wide = self.page.evaluate(
            """() => document.documentElement.scrollWidth <= window.innerWidth ? [] :
               [...document.querySelectorAll('body *')]
                 .filter(node => node.getBoundingClientRect().right > window.innerWidth + 1)
                 .slice(0, 3).map(node => node.outerHTML.slice(0, 160))"""
        )
        return [f"wider than the screen: {node}" for node in wide]

    def everything(self) -> list[str]:
        return self.faults + self.axe() + self.overflow()
