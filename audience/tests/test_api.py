"""`/api/v1/contacts/`."""

from typing import Any

import pytest

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import AuditEntry
from audience import services
from audience.models import Contact, Event, Identity
from audience.tests import helpers
from audience.tests.helpers import T0
from common import tenancy

pytestmark = pytest.mark.django_db

URL = "/api/v1/contacts/"


def test_a_contact_is_made_read_changed_and_removed(api: Any) -> None:
    made = api.post(URL, {"email": "Ada@Example.com", "name": "Ada", "attributes": {"plan": "pro"}, "tags": ["vip"]})
    address = f"{URL}{made.json()['id']}/"
    changed = api.patch(address, {"status": "customer", "attributes": {"plan": None, "seats": 3}})

    assert made.status_code == 201
    assert made.json()["email"] == "ada@example.com"
    assert made.json()["identities"] == [{"kind": "email", "value": "ada@example.com"}]
    assert (changed.json()["status"], changed.json()["attributes"]) == ("customer", {"seats": 3})
    assert changed.json()["name"] == "Ada"
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    assert not Contact.objects.exists()
    assert not Identity.objects.exists()
    assert list(AuditEntry.objects.filter(object_type="audience.contact").values_list("action", flat=True)) == [
        "delete", "change", "create",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("body", "status", "place"),
    [
        ({}, 400, None),
        ({"email": "nobody"}, 400, "email"),
        ({"email": "a@example.com", "priority": "huge"}, 400, "priority"),
        ({"email": "a@example.com", "value_minor": -1}, 400, "value_minor"),
        ({"email": "a@example.com", "currency": "12"}, 400, "currency"),
        ({"email": "a@example.com", "assignee": 999}, 400, "assignee"),
        ({"email": "a@example.com", "attributes": {"seats": "many"}}, 400, "attributes.seats"),
        ({"email": "taken@example.com"}, 409, "email"),
        ({"user_id": "taken"}, 409, "user_id"),
    ],
)
def test_a_wrong_contact_is_refused_and_nothing_is_written(
    api: Any, body: Any, status: int, place: str | None
) -> None:
    services.create_contact(email="taken@example.com", user_id="taken", attributes={"seats": 1})

    response = api.post(URL, body)

    assert response.status_code == status
    assert place is None or place in response.json()["details"]
    assert Contact.objects.count() == 1


def test_contacts_are_filtered(api: Any) -> None:
    services.create_contact(email="ada@example.com", name="Ada Lovelace", status="customer", tags=["vip"])
    services.create_contact(email="bob@example.com", name="Bob", user_id="u-77")

    def found(query: str) -> list[str]:
        return [row["name"] for row in api.get(f"{URL}?{query}").json()["results"]]

    assert found("status=customer") == ["Ada Lovelace"]
    assert found("email=BOB@example.com") == ["Bob"]
    assert found("tag=vip") == ["Ada Lovelace"]
    assert found("search=ada") == ["Ada Lovelace"]
    assert found("search=u-7") == ["Bob"]
    assert found("") == ["Bob", "Ada Lovelace"]


def test_a_list_takes_as_many_queries_for_ten_as_for_one(api: Any, django_assert_max_num_queries: Any) -> None:
    for number in range(10):
        services.create_contact(email=f"p{number}@example.com")

    with django_assert_max_num_queries(12):
        assert len(api.get(URL).json()["results"]) == 10


def test_events_of_a_contact_come_newest_first_in_pages(api: Any, write_key: str, drain: Any) -> None:
    helpers.segment(
        write_key,
        *(helpers.track(f"E{hour}", timestamp=T0.replace(hour=hour).isoformat()) for hour in (3, 1, 2)),
    )
    drain()
    contact = Contact.objects.get()

    first = api.get(f"{URL}{contact.pk}/events/?limit=2").json()
    second = api.get(first["next"]).json()

    assert [event["name"] for event in first["results"]] == ["E3", "E2"]
    assert [event["name"] for event in second["results"]] == ["E1"]


def test_another_organisation_finds_nobody(api: Any, stranger_api: Any) -> None:
    contact = services.create_contact(email="ada@example.com")
    address = f"{URL}{contact.pk}/"

    assert stranger_api.get(URL).json()["results"] == []
    for response in (
        stranger_api.get(address),
        stranger_api.patch(address, {"name": "Eve"}),
        stranger_api.delete(address),
        stranger_api.get(f"{address}events/"),
    ):
        assert response.status_code == 404
    contact.refresh_from_db()
    assert contact.name == ""


def test_a_member_of_another_organisation_cannot_be_the_assignee(api: Any, stranger: Any) -> None:
    with tenancy.organization(stranger.pk):
        theirs = accounts.add_member(accounts.ensure_user("eve@other.example"), Role.AGENT)

    assert api.post(URL, {"email": "ada@example.com", "assignee": theirs.pk}).status_code == 400
    assert not Contact.objects.exists()


def test_set_updates_change_only_what_differs(organization: Any) -> None:
    ids = [services.create_contact(email=f"p{number}@example.com").pk for number in range(3)]

    assert services.update_contacts(ids, {"status": "lead", "attributes.plan": "pro"}) == 3
    assert services.update_contacts(ids, {"status": "lead"}) == 0
    assert services.add_tags(ids[:2], "vip") == 2
    assert services.add_tags(ids, "vip") == 1
    assert services.remove_tags(ids[:1], "vip") == 1
    assert sorted(Contact.objects.values_list("pk", "tags")) == [(ids[0], []), (ids[1], ["vip"]), (ids[2], ["vip"])]
    assert not Event.objects.exists()
