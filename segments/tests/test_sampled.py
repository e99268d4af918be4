"""What large segments are told from: a sample with its error, and everybody on demand."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Organization
from audience.models import Contact
from segments import samples, services
from segments.insight import composition, overlap
from segments.models import Membership, Segment

CITIES = ["Leeds"] * 5 + ["York"] * 3 + ["Hull"] * 2


@pytest.fixture
def large(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> Segment:
    """Of 1,000 contacts the 600 who do not live in Hull, or come first; what is more than 200 counts as large."""
    monkeypatch.setattr(composition, "SAMPLED_ABOVE", 200)
    monkeypatch.setattr(samples, "SAMPLE", 150)
    people = Contact.objects.bulk_create(
        Contact(name=f"Person {number}", city=CITIES[number % 10], country="GB") for number in range(1_000)
    )
    segment = services.create_segment(name="Large")
    inside = [row for row in people if row.city != "Hull"][:600]
    Membership.objects.bulk_create(Membership(segment=segment, contact=row) for row in inside)
    Segment.objects.filter(pk=segment.pk).update(member_count=600)
    segment.refresh_from_db()
    return segment


def _cities(found: list[composition.Composition]) -> dict[str, composition.Part]:
    return {part.value: part for row in found if row.field == "city" for part in row.parts}


@pytest.mark.parametrize("read_whole", [0, 10_000], ids=["by drawing numbers", "by reading the index"])
def test_shares_are_within_their_error(large: Segment, monkeypatch: pytest.MonkeyPatch, read_whole: int) -> None:
    monkeypatch.setattr(samples, "READ_WHOLE", read_whole)
    exact = composition.composition(large, is_exact=True)
    found = composition.composition(large)

    assert {(row.is_exact, row.sampled) for row in exact} == {(True, 600)}
    assert {row.is_exact for row in found} == {False}
    assert 100 < found[0].sampled <= 150
    assert (_cities(exact)["Leeds"].inside, _cities(exact)["Hull"].everybody) == (375, 200)
    for name, part in _cities(exact).items():
        guess = _cities(found)[name]
        # Three times the 95 % error: the same people are drawn every time, and they are not that unlucky.
        assert abs(guess.inside_share - part.inside_share) <= 3 * guess.inside_error
        assert abs(guess.everybody_share - part.everybody_share) <= 3 * guess.everybody_error
        assert guess.inside == round(guess.inside_share * 600)
        assert 0 < guess.everybody_error < 0.08
    assert _cities(found)["Leeds"].difference_error > _cities(found)["Leeds"].inside_error
    assert all(part.difference_error == 0 for part in _cities(exact).values())


def test_a_small_segment_among_many_is_counted_whole(large: Segment) -> None:
    small = services.create_segment(name="Small")
    services.add_contacts(small, list(Contact.objects.filter(city="Hull").values_list("pk", flat=True)[:100]))
    small.refresh_from_db()

    parts = _cities(composition.composition(small))

    assert (parts["Hull"].inside, parts["Hull"].inside_error) == (100, 0.0)
    assert parts["Hull"].everybody_error > 0


def test_the_page_says_so_and_counts_on_demand(large: Segment, admin: Client) -> None:
    address = f"/admin/segments/segment/{large.pk}/compare/"
    page = admin.get(address).content.decode()
    assert "estimated from 150 of its 600 members" in page
    assert 'href="?exact=1">Count exactly</a>' in page
    assert "±" in page

    exact = admin.get(f"{address}?exact=1").content.decode()
    assert "Count exactly" not in exact
    assert "±" not in exact
    assert ">375</a>" in exact
    assert "?exact=1&amp;csv=made-of-city" in exact


def test_the_interface_says_so(large: Segment, api: APIClient) -> None:
    def told(query: str) -> Any:
        fields = api.get(f"/api/v1/segments/large/composition/{query}").json()
        return next(row for row in fields if row["field"] == "city")

    assert (told("")["is_exact"], told("")["sampled"]) == (False, 150)
    assert told("")["parts"][0]["inside_error"] > 0
    assert told("?exact=true")["is_exact"] is True
    assert told("?exact=true")["parts"][0]["inside"] == 375


def test_an_overlap_is_within_its_error(large: Segment, monkeypatch: pytest.MonkeyPatch, admin: Client) -> None:
    monkeypatch.setattr(overlap, "SAMPLED_ABOVE", 500)
    monkeypatch.setattr(overlap, "SAMPLE", 200)
    leeds, hull = (services.create_segment(name=name) for name in ("Leeds", "Hull"))
    for segment, city in ((leeds, "Leeds"), (hull, "Hull")):
        services.add_contacts(segment, list(Contact.objects.filter(city=city).values_list("pk", flat=True)))
        segment.refresh_from_db()
    chosen = [large, leeds, hull]

    exact, found = overlap.overlap(chosen, is_exact=True), overlap.overlap(chosen)

    truth = {cell.mask: cell.count for cell in exact.cells}
    assert truth == {0b001: 225, 0b011: 375, 0b010: 125, 0b100: 200}
    assert (exact.is_exact, found.is_exact) == (True, False)
    assert {cell.mask for cell in found.cells} == truth.keys()
    for cell in found.cells:
        assert abs(cell.count - truth[cell.mask]) <= 3 * cell.error
    # All of Hull was drawn: nothing is left to chance there.
    assert next((cell.count, cell.error) for cell in found.cells if cell.mask == 0b100) == (200, 0)
    assert [found.size(place) for place in range(3)] == [600, 500, 200]
    page = f"/admin/segments/segment/{large.pk}/compare/?with={leeds.pk}&with={hull.pk}"
    assert "The overlap is estimated" in admin.get(page).content.decode()
    assert "The overlap is estimated" not in admin.get(f"{page}&exact=1").content.decode()
