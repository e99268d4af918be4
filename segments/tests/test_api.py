"""The segment endpoints: what they answer, whom they refuse, and that a refusal writes nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.models import ApiKeyKind, AuditEntry, Organization
from common.models import OutboxNotice
from segments import services
from segments.models import Membership, Segment, SegmentVersion
from segments.tests import people
from segments.tests.people import city, everyone, on

Drain = Callable[[], int]
LIST = "/api/v1/segments/"


@pytest.fixture
def leeds(organization: Organization, drain: Drain) -> Segment:
    """A built dynamic segment with one contact in it."""
    people.contact(name="Ada", city="Leeds", email="ada@shop.example")
    people.contact(name="Bob", city="York")
    segment = services.create_segment(name="Leeds people", rule=everyone(city("Leeds")), tags=["north"])
    drain()
    segment.refresh_from_db()
    return segment


@pytest.fixture
def vips(organization: Organization) -> Segment:
    return services.create_segment(name="VIPs")


def url(segment: Segment, rest: str = "") -> str:
    return f"{LIST}{segment.pk}/{rest}"


def test_a_segment_is_made_read_changed_and_deleted(api: APIClient, drain: Drain) -> None:
    made = api.post(LIST, {"name": "Leeds people", "rule": everyone(city("Leeds"))})
    assert (made.status_code, made.json()["status"], made.json()["kind"]) == (201, "building", "dynamic")
    assert made.json()["sentence"] == "Contacts where city is “Leeds”"
    drain()

    read = api.get(f"{LIST}leeds-people/").json()
    assert (read["id"], read["status"], read["version_number"]) == (made.json()["id"], "ready", 1)

    changed = api.put(f"{LIST}leeds-people/", read | {"name": "York people", "rule": city("York")})
    assert (changed.status_code, changed.json()["version_number"], changed.json()["status"]) == (200, 2, "building")
    renamed = api.patch(f"{LIST}leeds-people/", {"name": "Yorkers"})
    assert (renamed.json()["name"], renamed.json()["version_number"]) == ("Yorkers", 2)
    assert list(SegmentVersion.objects.order_by("number").values_list("rule", flat=True)) == [
        everyone(city("Leeds")),
        city("York"),
    ]

    assert api.delete(f"{LIST}leeds-people/").status_code == 204
    assert api.get(f"{LIST}leeds-people/").status_code == 404
    actions = (
        AuditEntry.objects.filter(object_type="segments.segment").order_by("pk").values_list("action", flat=True)
    )
    assert list(actions) == ["create", "change", "change", "delete"]


@pytest.mark.parametrize(
    ("body", "details"),
    [
        ({"rule": city("x")}, {"name": "This field is required."}),
        ({"name": "  ", "rule": city("x")}, {"name": "This field may not be blank."}),
        ({"name": "a", "rule": everyone(on("city", "equals", 5))}, {"rules[0].value": "expected text, got 5"}),
        ({"name": "a", "kind": "dynamic"}, {"rule": "A dynamic segment needs a rule."}),
        ({"name": "a", "kind": "static", "rule": city("x")}, {"rule": "A static segment has no rule."}),
        ({"name": "a", "slug": "no spaces"}, None),
        ({"name": "a", "member_counts": 5}, None),
    ],
)
def test_a_wrong_body_is_refused_and_nothing_is_written(
    api: APIClient, body: dict[str, Any], details: dict[str, str] | None
) -> None:
    answer = api.post(LIST, body)

    assert answer.status_code == 400
    assert details is None or answer.json()["details"] == details
    assert Segment.objects.count() == SegmentVersion.objects.count() == 0
    assert not AuditEntry.objects.filter(object_type="segments.segment").exists()


def test_a_taken_slug_is_a_conflict(api: APIClient, leeds: Segment) -> None:
    answer = api.post(LIST, {"name": "Other", "slug": leeds.slug, "rule": city("x")})

    assert (answer.status_code, answer.json()["code"]) == (409, "slug_taken")
    assert Segment.objects.count() == 1
    assert api.post(LIST, {"name": leeds.name, "rule": city("x")}).json()["slug"] == "leeds-people-2"


def test_the_kind_of_a_segment_stays(api: APIClient, leeds: Segment) -> None:
    answer = api.patch(url(leeds), {"kind": "static"})

    assert (answer.status_code, list(answer.json()["details"])) == (400, ["kind"])
    leeds.refresh_from_db()
    assert leeds.kind == "dynamic"


def test_the_list_is_filtered_and_paged(api: APIClient, leeds: Segment, vips: Segment) -> None:
    def names(**query: Any) -> list[str]:
        return [row["name"] for row in api.get(LIST, query).json()["results"]]

    assert names() == ["VIPs", "Leeds people"]
    assert names(kind="static") == ["VIPs"]
    assert names(tag="north") == names(name="leeds") == names(status="ready", kind="dynamic") == ["Leeds people"]
    page = api.get(LIST, {"limit": 1}).json()
    assert [row["name"] for row in api.get(page["next"]).json()["results"]] == ["Leeds people"]


def test_a_list_of_segments_takes_a_fixed_number_of_queries(
    api: APIClient, organization: Organization, django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        services.create_segment(name=f"S{number}", rule=city(str(number)))

    with django_assert_max_num_queries(12):
        assert len(api.get(LIST).json()["results"]) == 5


def test_evaluate_judges_contacts(api: APIClient, leeds: Segment) -> None:
    ada = Membership.objects.get().contact
    bob = people.contact(city="York")

    answer = api.post(url(leeds, "evaluate/"), {"lead_ids": [ada.pk, bob.pk, 10**15]}).json()

    assert answer == {
        "sentence": "Contacts where city is “Leeds”",
        "results": [
            {"id": ada.pk, "is_match": True, "flips_at": None},
            {"id": bob.pk, "is_match": False, "flips_at": None},
        ],
    }


def test_evaluate_gives_size_and_sample_and_tries_a_rule(api: APIClient, leeds: Segment) -> None:
    own = api.post(url(leeds, "evaluate/"), {}).json()
    tried = api.post(url(leeds, "evaluate/"), {"rule": on("city", "is_set")}).json()
    refused = api.post(url(leeds, "evaluate/"), {"rule": on("city", "rhymes_with", "x")})

    assert (own["size"], [row["name"] for row in own["sample"]]) == (1, ["Ada"])
    assert (tried["size"], [row["name"] for row in tried["sample"]]) == (2, ["Bob", "Ada"])
    assert (refused.status_code, list(refused.json()["details"])) == (400, ["operator"])
    leeds.refresh_from_db()
    assert (leeds.version_number, leeds.rule) == (1, everyone(city("Leeds")))


def test_leads_of_a_dynamic_segment_are_read_and_not_written(api: APIClient, leeds: Segment) -> None:
    ada = Membership.objects.get().contact

    listed = api.get(url(leeds, "leads/")).json()["results"]
    assert [(row["id"], row["name"], row["email"]) for row in listed] == [(ada.pk, "Ada", "ada@shop.example")]
    assert api.get(url(leeds, f"leads/{ada.pk}/")).json() == listed[0]

    for answer in (
        api.post(url(leeds, "leads/"), {"lead_ids": [ada.pk]}),
        api.post(url(leeds, "leads/remove/"), {"lead_ids": [ada.pk]}),
        api.delete(url(leeds, f"leads/{ada.pk}/")),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "dynamic_segment")
        assert "its rule decides who is in it" in answer.json()["message"]
    assert Membership.objects.filter(left_at=None).count() == 1


def test_leads_of_a_static_segment_come_and_go(api: APIClient, vips: Segment) -> None:
    ada, bob = people.contact(), people.contact()

    added = api.post(url(vips, "leads/"), {"lead_ids": [ada.pk, bob.pk, ada.pk, 10**15]})
    assert added.json() == {"changed": [ada.pk, bob.pk], "unchanged": [10**15], "member_count": 2}
    again = api.post(url(vips, "leads/"), {"lead_ids": [ada.pk]})
    assert again.json() == {"changed": [], "unchanged": [ada.pk], "member_count": 2}

    assert api.delete(url(vips, f"leads/{ada.pk}/")).status_code == 204
    assert api.get(url(vips, f"leads/{ada.pk}/")).status_code == 404
    assert api.delete(url(vips, f"leads/{ada.pk}/")).status_code == 404
    removed = api.post(url(vips, "leads/remove/"), {"lead_ids": [ada.pk, bob.pk]})
    assert removed.json() == {"changed": [bob.pk], "unchanged": [ada.pk], "member_count": 0}
    assert Membership.objects.filter(left_at=None).count() == 0


def test_leads_are_paged_by_cursor(api: APIClient, vips: Segment) -> None:
    contacts = [people.contact().pk for _ in range(5)]
    services.add_contacts(vips, contacts)

    page = api.get(url(vips, "leads/"), {"limit": 3}).json()
    rest = api.get(page["next"]).json()

    assert [row["id"] for row in page["results"] + rest["results"]] == sorted(contacts, reverse=True)
    assert rest["next"] is None


def test_evaluate_of_a_static_segment_says_who_is_in_it(api: APIClient, vips: Segment) -> None:
    ada, bob = people.contact(name="Ada"), people.contact()
    services.add_contacts(vips, [ada.pk])
    vips.refresh_from_db()

    assert api.post(url(vips, "evaluate/"), {"lead_ids": [ada.pk, bob.pk]}).json()["results"] == [
        {"id": ada.pk, "is_match": True, "flips_at": None},
        {"id": bob.pk, "is_match": False, "flips_at": None},
    ]
    assert api.post(url(vips, "evaluate/"), {}).json()["size"] == 1


def test_update_memberships_builds_again(api: APIClient, leeds: Segment, vips: Segment, drain: Drain) -> None:
    people.contact(city="Leeds")  # came in without a word, as a restored backup would bring it

    answer = api.post(url(leeds, "update-memberships/"))
    assert (answer.status_code, answer.json()["status"]) == (202, "building")
    drain()

    assert api.get(url(leeds)).json()["member_count"] == 2
    assert api.post(url(vips, "update-memberships/")).status_code == 409


def test_a_stranger_finds_nothing_and_changes_nothing(
    stranger_api: APIClient, leeds: Segment, vips: Segment, organization: Organization
) -> None:
    ada = Membership.objects.get().contact_id
    answers = [
        stranger_api.get(url(leeds)),
        stranger_api.get(f"{LIST}{leeds.slug}/"),
        stranger_api.put(url(leeds), {"name": "x"}),
        stranger_api.patch(url(leeds), {"name": "x"}),
        stranger_api.delete(url(leeds)),
        stranger_api.post(url(leeds, "evaluate/"), {"lead_ids": [ada]}),
        stranger_api.post(url(leeds, "update-memberships/")),
        stranger_api.get(url(leeds, "leads/")),
        stranger_api.post(url(vips, "leads/"), {"lead_ids": [ada]}),
        stranger_api.post(url(vips, "leads/remove/"), {"lead_ids": [ada]}),
        stranger_api.get(url(leeds, f"leads/{ada}/")),
        stranger_api.delete(url(vips, f"leads/{ada}/")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 12
    assert stranger_api.get(LIST).json()["results"] == []
    leeds.refresh_from_db()
    assert (leeds.name, leeds.status, leeds.member_count) == ("Leeds people", "ready", 1)


def test_another_organisations_contacts_cannot_be_added_or_judged(
    stranger_api: APIClient, leeds: Segment, organization: Organization
) -> None:
    ada = Membership.objects.get().contact_id
    made = stranger_api.post(LIST, {"name": "Mine"}).json()
    ruled = stranger_api.post(LIST, {"name": "Ruled", "rule": city("Leeds")}).json()

    added = stranger_api.post(f"{LIST}{made['id']}/leads/", {"lead_ids": [ada]}).json()
    judged = stranger_api.post(f"{LIST}{ruled['id']}/evaluate/", {"lead_ids": [ada]}).json()
    sized = stranger_api.post(f"{LIST}{ruled['id']}/evaluate/", {}).json()

    assert added == {"changed": [], "unchanged": [ada], "member_count": 0}
    assert judged["results"] == []
    assert (sized["size"], sized["sample"]) == (0, [])


def test_a_reader_reads_and_evaluates_and_writes_nothing(organization: Organization, leeds: Segment) -> None:
    _, key = accounts.issue_key("reader", ApiKeyKind.SECRET, scopes=["segments:read"])
    reader = APIClient()
    reader.credentials(HTTP_AUTHORIZATION=f"Bearer {key}")

    assert reader.get(LIST).status_code == reader.post(url(leeds, "evaluate/"), {}).status_code == 200
    assert reader.patch(url(leeds), {"name": "x"}).status_code == 403
    assert reader.post(url(leeds, "update-memberships/")).status_code == 403
    assert reader.post(LIST, {"name": "x"}).status_code == 403


def test_a_repeated_request_adds_once(api: APIClient, vips: Segment) -> None:
    ada = people.contact()

    first = api.post(url(vips, "leads/"), {"lead_ids": [ada.pk]}, HTTP_IDEMPOTENCY_KEY="k1")
    again = api.post(url(vips, "leads/"), {"lead_ids": [ada.pk]}, HTTP_IDEMPOTENCY_KEY="k1")

    assert first.json() == again.json()
    assert Membership.objects.count() == 1
    assert OutboxNotice.objects.filter(kind="MembershipChanged").count() <= 1
