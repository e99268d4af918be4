"""The pages of a segment in a browser: sound at two widths, and the explanation where one asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from audience.models import Contact
from common import clock, tenancy
from segments import services
from segments.models import Membership, Segment
from tests.browser.town import Town

PAGES = ["overview", "members", "log", "versions", "compare", "why"]


@pytest.fixture(scope="module")
def regulars(town: Town, django_db_blocker: Any) -> Iterator[Segment]:
    """A segment with versions, growth and people who left; committed, because the server reads it."""
    with django_db_blocker.unblock(), tenancy.organization(town.organization_id):
        rule = {"event": "order_completed", "operator": "did", "count": 1, "within": {"days": 60}}
        segment = services.create_segment(name="Regulars", rule={"match": "all", "rules": [rule]})
        city = {"field": "city", "operator": "in", "value": ["Leeds", "Lyon", "Porto"]}
        services.update_segment(segment, rule={"match": "all", "rules": [rule, city]})
        services.rebuild(segment.pk)
        now = clock.now()
        Segment.objects.filter(pk=segment.pk).update(created_at=now - timedelta(days=20))
        left = Contact.objects.exclude(memberships__segment=segment).order_by("-pk")[:9]
        Membership.objects.bulk_create(
            Membership(
                segment=segment,
                contact=contact,
                entered_at=now - timedelta(days=18 - place),
                left_at=now - timedelta(days=place),
            )
            for place, contact in enumerate(left)
        )
        yield segment
        services.delete_segment(segment)
    connection.close()


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_a_segment_are_sound(visit: Any, regulars: Segment, name: str) -> None:
    assert visit(f"/admin/segments/segment/{regulars.pk}/{name}/").everywhere() == {}


@pytest.mark.parametrize("name", PAGES)
def test_pages_of_an_empty_static_segment_are_sound(visit: Any, town: Town, name: str) -> None:
    with tenancy.organization(town.organization_id):
        empty = Segment.objects.get(slug="friends")

    assert visit(f"/admin/segments/segment/{empty.pk}/{name}/").everywhere() == {}


def test_an_overlap_is_drawn_and_each_number_leads_to_its_people(
    visit: Any, town: Town, regulars: Segment, size: tuple[int, int]
) -> None:
    watched = visit(f"/admin/segments/segment/{regulars.pk}/compare/?with={town.segment_id}", size)
    assert watched.everything() == []
    page = watched.page

    page.click(".gs-chart >> nth=0 >> text=The numbers")
    cell = page.locator(".gs-chart >> nth=0 >> tbody tr >> nth=0 >> td a")
    count = int(cell.inner_text())
    cell.click()
    page.wait_for_load_state()

    assert page.locator(".seg-people li").count() == count
    assert watched.everything() == []


def test_why_opens_on_the_contacts_page(visit: Any, regulars: Segment, size: tuple[int, int]) -> None:
    member = Membership.objects.filter(segment_id=regulars.pk, left_at=None).values_list("contact_id", flat=True)
    with tenancy.organization(regulars.organization_id):
        contact_id = member[0]
    watched = visit(f"/contacts/{contact_id}/", size)
    page = watched.page

    page.click(".seg-of-contact:has-text('Regulars') summary")
    page.wait_for_selector(".seg-of-contact:has-text('Regulars') .seg-tree")

    told = page.inner_text(".seg-of-contact:has-text('Regulars') .seg-told")
    assert "order_completed happened in the last 60 days" in told
    assert "may change by itself on" in told
    assert watched.everything() == []


def test_a_contact_is_found_and_explained_by_keyboard(visit: Any, regulars: Segment) -> None:
    watched = visit(f"/admin/segments/segment/{regulars.pk}/why/")
    page = watched.page

    page.focus("#q")
    page.keyboard.type("ada.0@example.com")
    page.keyboard.press("Enter")
    page.wait_for_selector(".seg-tree")

    assert "Ada" in page.inner_text(".seg-told h2")
    assert watched.everything() == []


def test_an_earlier_version_comes_back(visit: Any, regulars: Segment) -> None:
    watched = visit(f"/admin/segments/segment/{regulars.pk}/versions/")
    page = watched.page
    page.on("dialog", lambda dialog: dialog.accept())

    page.click("text=Restore")
    page.wait_for_selector("text=is back, as version 3")

    assert page.locator(".seg-versions > li").count() == 3
