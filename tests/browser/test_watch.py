"""What looks at every page sees what is wrong with it, at the width where it is wrong."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page

from tests.browser.watch import MENU


def _put(page: Page, html: str, place: str = "#content") -> None:
    page.evaluate(
        "([place, html]) => document.querySelector(place).insertAdjacentHTML('afterbegin', html)", [place, html]
    )


def test_a_bad_page_is_seen_at_the_width_where_it_is_bad(visit: Any) -> None:
    watched = visit("/health/")
    _put(watched.page, '<p style="background: #fff; color: #ccc; width: 600px">Hardly to be read</p>')

    found = watched.everywhere()

    assert {name: [fault.split(" (")[0] for fault in faults] for name, faults in found.items()} == {
        "desktop": ["axe color-contrast"],
        "phone": ["axe color-contrast", *(fault for fault in found["phone"] if fault.startswith("wider"))],
    }
    assert "Hardly to be read" in found["phone"][-1]


def test_the_menu_is_looked_at_once_and_the_rest_on_every_page(visit: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("tests.browser.watch._known_menus", set())
    watched = visit("/health/")
    _put(watched.page, '<img src="/static/x.png">', MENU)

    assert [fault.split(" (")[0] for fault in watched.axe()] == ["axe image-alt"]
    assert watched.axe() == []
    _put(watched.page, '<img src="/static/y.png">')
    assert [fault.split(" (")[0] for fault in watched.axe()] == ["axe image-alt"]


def test_a_lost_file_and_a_way_out_of_the_house_are_seen(visit: Any) -> None:
    watched = visit("/health/")
    _put(watched.page, '<img alt="" src="https://elsewhere.example/pixel.png">')
    watched.page.wait_for_function("document.querySelector('#content img').complete")

    assert "leaves the house: https://elsewhere.example/pixel.png" in watched.faults
