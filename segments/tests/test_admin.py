"""The segment pages, as a marketer meets them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry, Organization
from segments import services
from segments.models import Segment, SegmentVersion
from segments.tests import people
from segments.tests.people import city, everyone

Drain = Callable[[], int]
LIST = "/admin/segments/segment/"


def form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Leeds people",
        "kind": "dynamic",
        "slug": "",
        "description": "",
        "tags": "",
        "is_active": "on",
    } | fields


def text(response: Any) -> str:
    return response.content.decode()


def test_a_segment_is_made_on_the_page(admin: Client, drain: Drain) -> None:
    people.contact(name="Ada Lovelace", city="Leeds")

    answer = admin.post(f"{LIST}add/", form(rule=json.dumps(everyone(city("Leeds"))), tags="north,uk"), follow=True)
    drain()

    assert answer.status_code == 200
    segment = Segment.objects.get()
    assert (segment.slug, segment.tags, segment.member_count, segment.version_number) == (
        "leeds-people", ["north", "uk"], 1, 1,
    )  # fmt: skip
    page = text(admin.get(f"{LIST}{segment.pk}/change/"))
    assert "Contacts where city is “Leeds”." in page
    assert "Live" in page
    assert "Leeds people" in text(admin.get(LIST))
    assert AuditEntry.objects.filter(object_type="segments.segment").count() == 1


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{", "The body is not valid JSON"),
        (json.dumps(everyone(people.on("city", "equals", 5))), "rules[0].value: expected text, got 5"),
        (json.dumps({"segment": 1, "operator": "in"}), "segment: there is no segment 1 here"),
        ("", "A dynamic segment needs a rule."),
    ],
)
def test_a_wrong_rule_is_told_beside_the_field_and_nothing_is_written(admin: Client, rule: str, told: str) -> None:
    answer = admin.post(f"{LIST}add/", form(rule=rule))

    assert answer.status_code == 200
    assert told in text(answer).replace("&#x27;", "'").replace("&quot;", '"')
    assert Segment.objects.count() == 0


def test_an_edited_rule_is_a_version(admin: Client, organization: Organization, drain: Drain) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    drain()

    admin.post(f"{LIST}{segment.pk}/change/", form(name="Town", slug="town", rule=json.dumps(city("York"))))
    admin.post(f"{LIST}{segment.pk}/change/", form(name="Town", slug="town", rule=json.dumps(city("York"))))

    assert list(SegmentVersion.objects.order_by("number").values_list("number", "rule")) == [
        (1, city("Leeds")),
        (2, city("York")),
    ]
    page = text(admin.get(f"{LIST}{segment.pk}/change/"))
    assert "Being built" in page


def test_a_static_segment_is_made_and_deleted(admin: Client, organization: Organization) -> None:
    admin.post(f"{LIST}add/", form(name="VIPs", kind="static", rule=""))
    segment = Segment.objects.get()
    services.add_contacts(segment, [people.contact(name="Ada").pk])

    page = text(admin.get(f"{LIST}{segment.pk}/change/"))
    assert "contacts are put in by hand or by a file" in page
    assert 'name="rule"' not in page

    admin.post(f"{LIST}{segment.pk}/delete/", {"post": "yes"})
    assert Segment.objects.count() == 0


def test_many_are_built_again(admin: Client, organization: Organization, drain: Drain) -> None:
    dynamic = services.create_segment(name="Town", rule=city("Leeds"))
    static = services.create_segment(name="VIPs")
    drain()
    people.contact(city="Leeds")

    chosen = {"action": "build_again", "_selected_action": [dynamic.pk, static.pk]}
    answer = admin.post(LIST, chosen, follow=True)
    drain()

    dynamic.refresh_from_db()
    assert dynamic.member_count == 1
    assert "VIPs: A static segment has no rule to build from" in text(answer)


def test_an_analyst_reads_and_does_not_write(client: Client, organization: Organization) -> None:
    segment = services.create_segment(name="Town", rule=city("Leeds"))
    user = accounts.ensure_user("ann@acme.example", password="correct horse battery")
    accounts.add_member(user, Role.ANALYST)
    client.force_login(user)

    assert client.get(f"{LIST}{segment.pk}/change/").status_code == 200
    assert client.post(f"{LIST}{segment.pk}/change/", form(name="Mine", rule="{}")).status_code == 403
    assert client.get(f"{LIST}add/").status_code == 403
    segment.refresh_from_db()
    assert segment.name == "Town"


def test_a_longer_list_takes_no_more_queries(admin: Client, organization: Organization) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert admin.get(LIST).status_code == 200
        return len(captured)

    services.create_segment(name="First", rule=city("Leeds"))
    queries()
    short = queries()
    for number in range(8):
        services.create_segment(name=f"S{number}", rule=city(str(number)))

    assert queries() == short
