"""Quick looks while a rule is edited: sizes with their error, values that occur, and limits of time."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from psycopg.errors import QueryCanceled
from rest_framework.test import APIClient

from accounts import services as accounts
from accounts.domain.roles import Role
from accounts.models import ApiKeyKind, AuditEntry, Organization
from audience.models import Contact
from common import tenancy
from common.errors import Transient
from segments import estimates, rules, samples
from segments.domain.intervals import wilson
from segments.models import Segment
from segments.tests import people
from segments.tests.people import DAY, city, everyone

PREVIEW = "/api/v1/segments/preview/"
VALUES = "/api/v1/segments/suggest-values/"
LEEDS = everyone(city("Leeds"))


def crowd(leeds: int, york: int) -> None:
    Contact.objects.bulk_create(
        [Contact(name=f"Ada {number}", city="Leeds") for number in range(leeds)]
        + [Contact(name=f"Bob {number}", city="York") for number in range(york)]
    )


def values(api: APIClient, **asked: str) -> list[Any]:
    return [row["value"] for row in api.get(VALUES, asked).json()["results"]]


def test_the_interval_of_a_sample() -> None:
    # Wilson without correction: 10 of 100 is 5.52 % to 17.44 % (Brown, Cai & DasGupta 2001).
    low, high = wilson(10, 100, 10**9)

    assert (round(low, 4), round(high, 4)) == (0.0552, 0.1744)
    assert wilson(10, 100, 100) == (0.1, 0.1)
    assert wilson(0, 0, 0) == (0.0, 0.0)
    assert wilson(0, 100, 10**9)[0] == 0.0 < wilson(0, 100, 10**9)[1]
    assert wilson(10, 100, 150)[0] > low


def test_few_contacts_are_counted_exactly(organization: Organization) -> None:
    crowd(3, 5)

    found = estimates.look(rules.parse(LEEDS))

    assert found.estimate == estimates.Estimate(3, 3, 3, 8, is_exact=True)
    assert [contact.name for contact in found.sample] == ["Ada 2", "Ada 1", "Ada 0"]
    crowd(1, 0)
    assert estimates.look(rules.parse(LEEDS)).estimate == estimates.Estimate(4, 4, 4, 9, is_exact=True)


@pytest.mark.parametrize("read_whole", [100_000, 10])
def test_many_contacts_are_estimated_from_a_sample(
    organization: Organization, monkeypatch: pytest.MonkeyPatch, read_whole: int
) -> None:
    monkeypatch.setattr(samples, "SAMPLE", 100)
    monkeypatch.setattr(samples, "READ_WHOLE", read_whole)
    crowd(200, 300)
    Contact.objects.filter(name="Bob 7").update(merged_into=Contact.objects.first())

    found = estimates.look(rules.parse(LEEDS)).estimate

    assert found is not None
    assert (found.population, found.is_exact) == (499, False)
    assert 0 < found.low < found.size < found.high < 499
    assert abs(found.size - 200) < found.high - found.low  # twice the margin, which one draw in 10 000 passes
    assert estimates.look(rules.parse(LEEDS)).estimate == found
    assert len(set(samples.everybody().ids)) == len(samples.everybody().ids) <= 100


def test_a_dear_rule_is_judged_for_fewer(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "FIRST", 100)
    monkeypatch.setattr(estimates, "ENOUGH_SECONDS", 0.0)
    crowd(200, 300)

    found = estimates.look(rules.parse(LEEDS)).estimate

    assert found is not None
    assert (found.population, found.is_exact) == (500, False)
    assert 50 < found.high - found.low < 120  # of 100; of all there would be no error
    monkeypatch.setattr(estimates, "ENOUGH_SECONDS", 60.0)
    assert estimates.look(rules.parse(LEEDS)).estimate == estimates.Estimate(200, 200, 200, 500, is_exact=True)


def test_an_exact_count_says_so(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(samples, "SAMPLE", 10)
    crowd(20, 30)

    assert estimates.count(rules.parse(LEEDS)).estimate == estimates.Estimate(20, 20, 20, 50, is_exact=True)


def test_what_takes_too_long_is_given_up(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(*_: Any, **__: Any) -> Any:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_sleep(5)")

    crowd(1, 0)
    monkeypatch.setattr(estimates, "ESTIMATE_MS", 20)
    monkeypatch.setattr(estimates, "EXACT_MS", 20)
    monkeypatch.setattr(estimates.selectors, "verdicts", slow)
    monkeypatch.setattr(estimates.selectors, "preview", slow)

    assert estimates.look(rules.parse(LEEDS)) == estimates.Look(None, [])
    with pytest.raises(Transient, match="Save the segment"):
        estimates.count(rules.parse(LEEDS))
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_the_limit_ends_with_its_block(organization: Organization) -> None:
    with estimates.limited(50), connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("50ms",)
    with pytest.raises(QueryCanceled), estimates.limited(20), connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(5)")
    with connection.cursor() as cursor:
        cursor.execute("SHOW statement_timeout")
        assert cursor.fetchone() == ("0",)


def test_a_rule_is_tried_over_http(api: APIClient) -> None:
    ada = people.contact(name="Ada", city="Leeds", email="ada@shop.example")
    people.contact(name="Bob", city="York")

    noted = AuditEntry.objects.count()

    answer = api.post(PREVIEW, {"rule": LEEDS})

    assert answer.status_code == 200
    assert answer.json() == {
        "sentence": "Contacts where city is “Leeds”",
        "estimate": {"size": 1, "low": 1, "high": 1, "population": 2, "is_exact": True},
        "sample": [{"id": ada.pk, "name": "Ada", "email": "ada@shop.example"}],
        "problems": {},
    }
    assert api.post(PREVIEW, {"rule": LEEDS, "exact": True}).json() == answer.json()
    assert (Segment.objects.count(), AuditEntry.objects.count() - noted) == (0, 0)


def test_problems_are_told_by_place(api: APIClient) -> None:
    rule = everyone(city("Leeds"), everyone({"field": "value_minor", "operator": "greater", "value": "abc"}))

    answer = api.post(PREVIEW, {"rule": rule}).json()

    assert answer["problems"] == {"rules[1].rules[0].value": 'expected a number, got "abc"'}
    assert (answer["sentence"], answer["estimate"], answer["sample"]) == ("", None, [])


def test_a_wrong_body_is_refused(api: APIClient) -> None:
    assert api.post(PREVIEW, []).status_code == 400
    assert list(api.post(PREVIEW, {}).json()["details"]) == ["rule"]
    assert list(api.post(PREVIEW, {"rule": LEEDS, "size": 3}).json()["details"]) == ["size"]


def test_values_of_a_field_come_most_frequent_first(api: APIClient) -> None:
    crowd(2, 3)
    people.contact(city="", tags=["vip", "vip-gold"], value_minor=500, attributes={"plan": "pro", "sizes": [40, 41]})
    people.contact(city="leeds", tags=["vip"], attributes={"plan": {"deep": 1}, "sizes": [41]})
    people.attribute("plan", "text")
    people.attribute("sizes", "list")

    assert values(api, field="city") == ["York", "Leeds", "leeds"]
    assert values(api, field="city", starts="le") == ["Leeds", "leeds"]
    assert values(api, field="city", starts="%") == []
    assert values(api, field="tags", starts="V") == ["vip", "vip-gold"]
    assert values(api, field="attributes.plan") == ["pro"]
    assert values(api, field="attributes.sizes") == [41, 40]


def test_values_of_a_property_come_from_new_events(api: APIClient) -> None:
    who = people.contact()
    for number, colour in enumerate(["red", "blue", "red"]):
        people.event(who, "bought", people.NOON - number * DAY, colour=colour, total=9.5)

    assert values(api, event="bought", property="colour") == ["red", "blue"]
    assert values(api, event="bought", property="total") == [9.5]
    assert values(api, event="bought", property="colour", starts="B") == ["blue"]
    assert values(api, event="never sent", property="colour") == []


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({}, "field"),
        ({"field": "shoe_size"}, "field"),
        ({"event": "bought"}, "field"),
        ({"starts": "a" * 201}, "starts"),
    ],
)
def test_a_question_for_no_values_is_refused(api: APIClient, asked: dict[str, str], place: str) -> None:
    answer = api.get(VALUES, asked)

    assert (answer.status_code, list(answer.json()["details"])) == (400, [place])


def test_who_may_read_segments_may_try_rules(organization: Organization, client: Any) -> None:
    user = accounts.ensure_user("ann@acme.example", password="correct horse battery")
    accounts.add_member(user, Role.ANALYST)
    client.force_login(user)

    assert client.post(PREVIEW, {"rule": LEEDS}, content_type="application/json").status_code == 200
    assert client.get(VALUES, {"field": "city"}).status_code == 200


def test_a_key_without_the_scope_may_not(organization: Organization) -> None:
    _, key = accounts.issue_key("Mail", ApiKeyKind.SECRET, scopes=["delivery:read"])
    client = APIClient(headers={"Authorization": f"Bearer {key}"})

    assert client.post(PREVIEW, {"rule": LEEDS}).status_code == 403
    assert client.get(VALUES, {"field": "city"}).status_code == 403


def test_others_contacts_are_neither_counted_nor_suggested(api: APIClient, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        crowd(2, 0)

    assert api.post(PREVIEW, {"rule": LEEDS}).json()["estimate"]["population"] == 0
    assert values(api, field="city") == []
