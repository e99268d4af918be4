"""The pages of a segment as a marketer meets them: each number leads to the rows behind it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import Organization
from common import clock
from segments import services
from segments.models import Segment, SegmentVersion
from segments.tests import people
from segments.tests.people import DAY, NOON, city, did, everyone, on

Drain = Callable[[], int]


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with clock.freeze(NOON):
        yield


@pytest.fixture
def leeds(organization: Organization, drain: Drain) -> Segment:
    """Ada and Bob are in it, Eve is not."""
    for name, town in (("Ada", "Leeds"), ("Bob", "Leeds"), ("Eve", "York")):
        people.contact(name=name, city=town, email=f"{name.lower()}@x.example")
    segment = services.create_segment(name="Leeds people", rule=everyone(city("Leeds")))
    drain()
    segment.refresh_from_db()
    return segment


def page(segment: Segment, name: str, query: str = "") -> str:
    return f"/admin/segments/segment/{segment.pk}/{name}/{query}"


def text(response: Any) -> str:
    assert response.status_code == 200
    return html.unescape(response.content.decode())


def names(content: str) -> set[str]:
    return {name for name in ("Ada", "Bob", "Eve") if re.search(rf">{name}</a>", content)}


def test_the_overview_counts_and_leads_to_the_log(admin: Client, leeds: Segment) -> None:
    content = text(admin.get(page(leeds, "overview")))

    assert "Contacts where city is “Leeds”." in content
    assert "2 contacts now. Since 15 Jun 2026 2 entered and 0 left: it grew by 2." in content
    link = re.search(r'href="([^"]+change=entered[^"]*)">2</a>', content)
    assert link is not None
    assert names(text(admin.get(link[1]))) == {"Ada", "Bob"}


def test_growth_comes_as_csv(admin: Client, leeds: Segment) -> None:
    answer = admin.get(page(leeds, "overview", "?days=30&csv=size"))

    assert answer["Content-Type"].startswith("text/csv")
    assert answer.content.decode("utf-8-sig").splitlines() == ["Day,Entered,Left,Size", "2026-06-15,2,0,2"]
    assert admin.get(page(leeds, "overview", "?csv=nothing")).status_code == 404


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"Ada", "Bob"}), ("?q=ad", {"Ada"}), ("?q=bob@x", {"Bob"}), ("?q=Eve", set()),
        ("?field=city&value=Leeds", {"Ada", "Bob"}), ("?field=city&value=York", set()),
        ("?field=country&value=", {"Ada", "Bob"}),
        ("?field=attributes.plan&value=", {"Ada", "Bob"}), ("?field=attributes.plan&value=x", set()),
        ("?field=nothing&value=x", {"Ada", "Bob"}), ("?before=1", set()), ("?before=x", {"Ada", "Bob"}),
    ],
)  # fmt: skip
def test_members_are_found(admin: Client, leeds: Segment, query: str, found: set[str]) -> None:
    assert names(text(admin.get(page(leeds, "members", query)))) == found


def test_members_come_in_pages(admin: Client, leeds: Segment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("segments.insight.members.PAGE_SIZE", 1)
    first = text(admin.get(page(leeds, "members")))
    link = re.search(r'href="([^"]+)">Next page', first)

    assert names(first) == {"Bob"}
    assert link is not None
    assert names(text(admin.get(link[1]))) == {"Ada"}


def test_the_log_is_filtered_by_whole_days(admin: Client, leeds: Segment, drain: Drain) -> None:
    with clock.freeze(NOON + DAY):
        services.update_segment(leeds, rule=everyone(city("York")))
        drain()

        def log(query: str) -> set[str]:
            return names(text(admin.get(page(leeds, "log", query))))

        assert log("") == {"Ada", "Bob", "Eve"}
        assert log("?change=left") == {"Ada", "Bob"}
        assert log("?since=2026-06-16") == {"Ada", "Bob", "Eve"}
        assert log("?change=entered&since=2026-06-15&until=2026-06-15") == {"Ada", "Bob"}
        assert log("?until=2026-06-14") == set()
        assert log("?since=never&change=up&contact=x") == {"Ada", "Bob", "Eve"}


def test_versions_are_told_and_restored(admin: Client, leeds: Segment) -> None:
    services.update_segment(leeds, rule=everyone(city("York"), did("order_completed", 2, 30)))
    content = text(admin.get(page(leeds, "versions")))
    assert "order_completed happened at least 2 times in the last 30 days" in content
    assert re.search(r"<del>city is “Leeds”</del>.*<ins>city is “York”</ins>", content)

    content = text(admin.post(page(leeds, "restore"), {"number": "1"}, follow=True))

    assert "The rule of version 1 is back, as version 3." in content
    assert SegmentVersion.objects.get(number=3).rule == everyone(city("Leeds"))
    assert admin.post(page(leeds, "restore"), {"number": "9"}).status_code == 404
    assert SegmentVersion.objects.count() == 3


def test_everybody_is_looked_at_again(admin: Client, leeds: Segment, drain: Drain) -> None:
    people.contact(name="Zed", city="Leeds")
    assert "Everybody is looked at again" in text(admin.post(page(leeds, "rebuild"), follow=True))
    drain()

    leeds.refresh_from_db()
    assert leeds.member_count == 3


def test_each_number_of_a_comparison_leads_to_its_people(admin: Client, leeds: Segment, drain: Drain) -> None:
    other = services.create_segment(name="Named A", rule=on("name", "starts_with", "A"))
    drain()

    content = text(admin.get(page(leeds, "compare", f"?with={other.pk}")))

    assert "2 contacts are in at least one of them. 1 of “Leeds people” (50%) is also in “Named A”." in content
    cells = re.findall(r'href="([^"]+cell=\d+)">1</a>', content)
    assert [names(text(admin.get(link))) for link in cells] == [{"Bob"}, {"Ada"}]
    city_link = re.search(r'href="([^"]+field=city[^"]*)">2</a>', content)
    assert city_link is not None
    assert names(text(admin.get(city_link[1]))) == {"Ada", "Bob"}
    everybody = re.search(r'href="(/admin/audience/contact/\?city__exact=Leeds)">2</a>', content)
    assert everybody is not None
    assert "Ada" in text(admin.get(everybody[1]))
    assert admin.get(page(leeds, "compare", f"?with={other.pk}&csv=overlap"))["Content-Type"].startswith("text/csv")
    assert admin.get(page(leeds, "compare", "?with=999999")).status_code == 404


def test_a_contact_is_picked_and_explained(admin: Client, leeds: Segment) -> None:
    assert names(text(admin.get(page(leeds, "why")))) == {"Ada", "Bob", "Eve"}
    assert "City is “York”." in text(admin.get(page(leeds, "why", "?q=eve@x.example")))
    assert names(text(admin.get(page(leeds, "why", "?q=x")))) == set()
    assert "Nobody is called “nobody” here" in text(admin.get(page(leeds, "why", "?q=nobody")))
    assert admin.get(page(leeds, "why", "?contact=999999")).status_code == 404


def test_the_contacts_page_asks_for_the_part_alone(admin: Client, leeds: Segment) -> None:
    ada = leeds.memberships.order_by("contact_id").first()
    assert ada is not None

    part = text(admin.get(page(leeds, "why", f"?contact={ada.contact_id}"), headers={"HX-Request": "true"}))
    whole = text(admin.get(f"/contacts/{ada.contact_id}/"))

    assert "<html" not in part
    assert "City is “Leeds”." in part
    assert page(leeds, "why", f"?contact={ada.contact_id}") in whole


def test_the_contacts_page_lists_segments_they_are_not_in(admin: Client, leeds: Segment) -> None:
    eve = people.contact(name="Eva")

    content = text(admin.get(f"/contacts/{eve.pk}/"))

    assert "Not in 1 other" in content
    assert "Why not" in content


@pytest.mark.parametrize("name", ["overview", "members", "log", "versions", "compare", "why"])
def test_pages_take_no_more_queries_for_more_people(admin: Client, leeds: Segment, drain: Drain, name: str) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(page(leeds, name)).status_code == 200
        return len(captured)

    queries()
    few = queries()
    for number in range(6):
        people.contact(name=f"P{number}", city="Leeds")
    services.rebuild(leeds.pk)

    assert queries() == few


def test_who_may_not_read_segments_sees_nothing(
    client: Client, leeds: Segment, monkeypatch: pytest.MonkeyPatch
) -> None:
    user = accounts.ensure_user("dev@acme.example", password="correct horse battery")
    accounts.add_member(user, Role.DEVELOPER)
    client.force_login(user)
    monkeypatch.setattr("segments.pages.mixin.allowed", lambda user, resource, write=False: False)

    for name in ("overview", "members", "log", "versions", "compare", "why"):
        assert client.get(page(leeds, name)).status_code == 403
    assert client.post(page(leeds, "export")).status_code == 403


def test_a_stranger_is_told_nothing(client: Client, leeds: Segment) -> None:
    assert client.get(page(leeds, "members")).status_code == 302
    assert client.get("/admin/segments/segment/999999/members/").status_code == 302
