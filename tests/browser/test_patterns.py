"""Ready patterns and suggestions as people use them: by mouse, by keyboard, on a phone."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from common import tenancy
from segments import services as segments
from segments.models import Analysis, AnalysisKind, Segment
from segments.patterns import analyses, services
from tests.browser.town import Town


@pytest.fixture(scope="module", autouse=True)
def _computed(town: Town, server: str, django_db_blocker: Any) -> Iterator[None]:
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        for kind in AnalysisKind:
            analyses.request(kind)
        analyses.run(town.organization_id)
    yield
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        Analysis.objects.all().delete()
        for segment in Segment.objects.filter(tags__contains=[services.TAG]):
            segments.delete_segment(segment)


@pytest.mark.parametrize(
    "path", ["/segments/patterns/", "/segments/suggestions/", "/segments/patterns/square/?r=5&f=5"]
)
def test_pages_are_sound(visit: Any, path: str) -> None:
    assert visit(path).everywhere() == {}


def test_patterns_are_sound_in_the_dark(visit: Any) -> None:
    assert visit("/segments/patterns/", color_scheme="dark").everything() == []


def test_a_square_leads_to_its_people_by_mouse(visit: Any) -> None:
    watched = visit("/segments/patterns/")
    figure = watched.page.locator("[data-figure='figure-rfm'] .nsewdrag")
    box = figure.bounding_box()

    watched.page.mouse.click(box["x"] + box["width"] * 0.1, box["y"] + box["height"] * 0.9)

    watched.page.wait_for_url("**/segments/patterns/square/?r=1&f=1")
    assert "now" in watched.page.text_content(".gs-greeting")
    assert watched.faults == []


def test_a_square_leads_to_its_people_by_keyboard(visit: Any) -> None:
    watched = visit("/segments/patterns/")
    watched.page.locator("summary", has_text="The numbers").focus()
    watched.page.keyboard.press("Enter")
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.press("Enter")

    watched.page.wait_for_url("**/segments/patterns/square/?r=5&f=*")
    assert watched.faults == []


def test_one_click_makes_a_draft_that_stands_in_the_form(visit: Any) -> None:
    watched = visit("/segments/patterns/")
    watched.page.get_by_role("button", name="Make a segment of New customers").click()

    watched.page.wait_for_url("**/admin/segments/segment/*/change/")
    assert watched.page.input_value("#id_name") == "New customers"
    assert not watched.page.is_checked("#id_is_active")
    assert "is a draft" in watched.page.text_content("body")
