"""What is told about a segment: log, growth, overlap, composition, versions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import ApiKeyKind, AuditEntry, Organization
from common import clock
from common.errors import Invalid
from segments import services
from segments.insight import composition, growth, movements, overlap, versions
from segments.insight.movements import Wanted
from segments.models import Membership, Segment, SegmentVersion
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone, on

Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def vips(organization: Organization) -> Segment:
    """A static segment: two entered ten days ago, one of them left five days ago, a third came yesterday."""
    ada, bob, eve = (people.contact(name=name) for name in ("Ada", "Bob", "Eve"))
    with clock.freeze(NOON - 10 * DAY):
        segment = services.create_segment(name="VIPs")
        services.add_contacts(segment, [ada.pk, bob.pk])
    with clock.freeze(NOON - 5 * DAY):
        services.remove_contacts(segment, [bob.pk])
    with clock.freeze(NOON - DAY):
        services.add_contacts(segment, [eve.pk])
    segment.refresh_from_db()
    return segment


def lines(page: movements.Page) -> list[tuple[str, str]]:
    return [(str(row.contact), row.change) for row in page.movements]


def test_the_log_is_newest_first(vips: Segment) -> None:
    assert lines(movements.page(vips, Wanted())) == [
        ("Eve", "entered"), ("Bob", "left"), ("Bob", "entered"), ("Ada", "entered"),
    ]  # fmt: skip


def test_the_log_is_filtered(vips: Segment) -> None:
    bob = Membership.objects.exclude(left_at=None).get().contact_id

    assert lines(movements.page(vips, Wanted(("left",)))) == [("Bob", "left")]
    assert lines(movements.page(vips, Wanted(contact_id=bob))) == [("Bob", "left"), ("Bob", "entered")]
    assert lines(movements.page(vips, Wanted(since=NOON - 5 * DAY, until=NOON - DAY))) == [("Bob", "left")]


def test_pages_meet_without_gap_and_lead_back(vips: Segment) -> None:
    whole = lines(movements.page(vips, Wanted()))
    first = movements.page(vips, Wanted(), size=2)
    second = movements.page(vips, Wanted(), first.older, size=2)
    back = movements.page(vips, Wanted(), second.newer, size=2)

    assert lines(first) + lines(second) == whole
    assert (first.newer, second.older) == ("", "")
    assert lines(back) == lines(first)
    assert (back.newer, back.older != "") == ("", True)


@pytest.mark.parametrize("cursor", ["x", "older.1.2", "older.1.2.gone", f"older.{10**30}.1.left", "up.1.1.left"])
def test_a_wrong_cursor_is_refused(vips: Segment, cursor: str) -> None:
    with pytest.raises(Invalid):
        movements.page(vips, Wanted(), cursor)


def test_growth_is_walked_back_from_now(vips: Segment) -> None:
    found = growth.growth(vips, 30)

    # No day before it was made.
    assert [day.day for day in found.days] == [date(2026, 6, 5 + step) for step in range(11)]
    moved = {day.day.day: (day.entered, day.left, day.size) for day in found.days}
    assert (moved[5], moved[6], moved[10], moved[13], moved[14], moved[15]) == (
        (2, 0, 2), (0, 0, 2), (0, 1, 1), (0, 0, 1), (1, 0, 2), (0, 0, 2),
    )  # fmt: skip
    assert (found.entered, found.left) == (3, 1)


def test_days_are_the_organisations(organization: Organization, vips: Segment) -> None:
    organization.timezone = "Pacific/Auckland"  # noon in UTC is the next day there
    organization.save()

    assert growth.growth(vips, 3).days[-1].day == date(2026, 6, 16)


def test_overlap_counts_every_combination(organization: Organization) -> None:
    ids = [people.contact().pk for _ in range(10)]
    first, second, third = (services.create_segment(name=name) for name in "ABC")
    services.add_contacts(first, ids[:6])
    services.add_contacts(second, ids[4:8])
    services.add_contacts(third, ids[5:9])
    chosen = [first, second, third]

    found = overlap.overlap(chosen)

    told = {"".join(map(str, cell.segments)): cell.count for cell in found.cells}
    assert told == {"A": 4, "AB": 1, "ABC": 1, "BC": 2, "C": 1}
    assert (found.contact_count, [found.size(place) for place in range(3)], found.shared(1, 2)) == (9, [6, 4, 4], 3)
    masks = {"".join(map(str, cell.segments)): cell.mask for cell in found.cells}
    assert [row.pk for row in overlap.contacts(chosen, masks["BC"])[0]] == [ids[7], ids[6]]
    assert [row.pk for row in overlap.contacts(chosen, masks["ABC"])[0]] == [ids[5]]
    assert [row.pk for row in overlap.contacts(chosen, masks["A"])[0]] == ids[3::-1]


def test_people_of_a_cell_come_in_pages(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlap, "PAGE_SIZE", 2)
    ids = [people.contact().pk for _ in range(3)]
    segment = services.create_segment(name="A")
    services.add_contacts(segment, ids)

    first, older = overlap.contacts([segment], 1)
    assert ([row.pk for row in first], older) == ([ids[2], ids[1]], ids[1])
    second, end = overlap.contacts([segment], 1, older)
    assert ([row.pk for row in second], end) == ([ids[0]], None)


@pytest.mark.parametrize("mask", [0, 2, 8])
def test_a_cell_that_is_none_is_refused(vips: Segment, mask: int) -> None:
    with pytest.raises(Invalid):
        overlap.contacts([vips], mask)


def test_six_segments_are_too_many(vips: Segment) -> None:
    others = [str(services.create_segment(name=f"S{number}").pk) for number in range(5)]

    assert len(overlap.chosen(vips, others[:4])) == 5
    with pytest.raises(Invalid):
        overlap.chosen(vips, others)


def test_composition_is_beside_everybody(organization: Organization, drain: Drain) -> None:
    people.attribute("plan", "text")
    people.attribute("token", "text")
    for number in range(40):
        plan = {"plan": "pro"} if number < 10 else {}
        people.contact(city="Leeds" if number < 20 else "York", attributes=plan | {"token": f"t{number}"})
    segment = services.create_segment(name="Pro", rule=on("attributes.plan", "equals", "pro"))
    drain()
    segment.refresh_from_db()

    found = {row.field: row for row in composition.composition(segment)}

    assert {"city", "status", "attributes.plan"} == found.keys()  # no country is known; tokens are all different
    told = [(part.value, part.inside, part.everybody, part.difference) for part in found["city"].parts]
    assert told == [("Leeds", 10, 20, 0.5), ("York", 0, 20, -0.5)]
    assert [(part.value, part.inside, part.everybody) for part in found["attributes.plan"].parts] == [
        ("pro", 10, 10),
        ("", 0, 30),
    ]


def test_a_version_says_what_changed(organization: Organization) -> None:
    segment = services.create_segment(name="Town", rule=everyone(city("Leeds"), did("order_completed", 1, 30)))
    services.update_segment(segment, rule=everyone(city("York"), on("status", "equals", "new")))
    services.update_segment(
        segment, rule={"match": "any", "rules": [city("York"), on("status", "equals", "new"), city("Hull")]}
    )

    third, second, first = versions.versions(Segment.objects.get())

    assert (third.version.number, third.is_current, first.diff) == (3, True, None)
    assert second.diff == versions.Diff(
        added=["status is “new”"],
        removed=["order_completed happened in the last 30 days"],
        changed=[("city is “Leeds”", "city is “York”")],
    )
    assert third.diff == versions.Diff(added=["city is “Hull”"], is_regrouped=True)


def test_a_version_is_restored_as_a_new_one(organization: Organization, drain: Drain) -> None:
    ada = people.contact(city="Leeds")
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    services.update_segment(segment, rule=city("York"))
    drain()

    changed = services.restore_version(segment, 1)
    drain()

    assert changed.version_number == 3
    assert list(SegmentVersion.objects.order_by("number").values_list("rule", flat=True)) == [
        city("Leeds"), city("York"), city("Leeds"),
    ]  # fmt: skip
    assert Membership.objects.get(left_at=None).contact_id == ada.pk
    entry = AuditEntry.objects.get(action="restore_version")
    assert entry.after == {"restored_version": 1, "version_number": 3}


def test_restoring_the_present_rule_or_no_version_writes_nothing(api: APIClient) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    entries = AuditEntry.objects.count()

    assert api.post(f"/api/v1/segments/{segment.pk}/versions/1/restore/").status_code == 409
    assert api.post(f"/api/v1/segments/{segment.pk}/versions/7/restore/").status_code == 404
    assert (SegmentVersion.objects.count(), AuditEntry.objects.count()) == (1, entries)


def test_a_rule_that_speaks_of_what_is_gone_is_not_restored(api: APIClient) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    SegmentVersion.objects.update(rule=on("attributes.never", "equals", "x"))

    assert api.post(f"/api/v1/segments/{segment.pk}/versions/1/restore/").status_code == 400
    segment.refresh_from_db()
    assert (segment.version_number, segment.rule) == (1, city("Leeds"))


# --- over HTTP ---------------------------------------------------------------------------------------


def test_history_over_http_pages_both_ways(api: APIClient, vips: Segment) -> None:
    first = api.get("/api/v1/segments/vips/history/?limit=3").json()
    second = api.get(first["next"]).json()

    changes = [row["change"] for row in first["results"] + second["results"]]
    assert changes == ["entered", "left", "entered", "entered"]
    assert (first["previous"], second["next"]) == (None, None)
    assert api.get(second["previous"]).json()["results"] == first["results"]
    left = api.get("/api/v1/segments/vips/history/?change=left&since=2026-06-01").json()["results"]
    assert [(row["at"], row["contact"]["name"]) for row in left] == [("2026-06-10T12:00:00Z", "Bob")]


def test_growth_overlap_composition_and_versions_over_http(api: APIClient, vips: Segment, drain: Drain) -> None:
    services.create_segment(name="Everybody new", rule=on("status", "equals", "new"))
    drain()

    grown = api.get("/api/v1/segments/vips/growth/?days=7").json()
    assert (len(grown["days"]), grown["entered"], grown["left"], grown["zone"]) == (7, 1, 1, "UTC")
    assert grown["days"][-1] == {"day": "2026-06-15", "entered": 0, "left": 0, "size": 2}

    both = api.get("/api/v1/segments/vips/overlap/?with=everybody-new").json()
    assert [cell["count"] for cell in both["cells"]] == [2, 1]
    assert api.get("/api/v1/segments/vips/overlap/?with=everybody-new&exact=true").json() == both
    assert (both["is_exact"], both["cells"][0]["error"]) == (True, 0)
    assert both["cells"][0]["segments"] == [row["id"] for row in both["segments"]]

    fields = api.get("/api/v1/segments/vips/composition/").json()
    assert [row["field"] for row in fields] == ["status"]

    told = api.get("/api/v1/segments/everybody-new/versions/").json()
    assert [(row["number"], row["is_current"], row["diff"]) for row in told] == [(1, True, None)]


@pytest.mark.parametrize(
    "path",
    [
        "history/?change=up", "history/?cursor=x", "history/?contact=a", "history/?limit=0", "history/?what=1",
        "growth/?days=0", "growth/?days=9999", "overlap/",
    ],
)  # fmt: skip
def test_wrong_questions_are_refused(api: APIClient, vips: Segment, path: str) -> None:
    assert api.get(f"/api/v1/segments/vips/{path}").status_code == 400


def test_unknown_segments_are_not_compared(api: APIClient, vips: Segment) -> None:
    assert api.get("/api/v1/segments/vips/overlap/?with=nothing").status_code == 404


def test_a_key_that_only_reads_does_not_restore(organization: Organization) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    services.update_segment(segment, rule=city("York"))
    _, key = accounts.issue_key("reader", ApiKeyKind.SECRET, scopes=["segments:read"])
    client: Any = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    assert client.get(f"/api/v1/segments/{segment.pk}/versions/").status_code == 200
    assert client.post(f"/api/v1/segments/{segment.pk}/versions/1/restore/").status_code == 403
    assert SegmentVersion.objects.count() == 2
