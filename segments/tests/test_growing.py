"""Whoever more events can only hold inside is not looked at again when they happen."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from common import clock, doorbell
from segments import rules, services
from segments.models import Membership
from segments.rules import needs
from segments.tests import people
from segments.tests.people import DAY, NOON

pytestmark = pytest.mark.django_db

DID = {"event": "view", "operator": "did", "count": 2, "within": {"days": 7}}
OFTEN = {"event": "view", "operator": "regularly", "periods": 4, "unit": "week", "at_least": 2}
CITY = {"field": "city", "operator": "equals", "value": "Leeds"}
RECENT = {"field": "last_seen_at", "operator": "in_last", "value": {"days": 3}}


@pytest.mark.parametrize(
    ("rule", "grows"),
    [
        ({"match": "all", "rules": [DID, CITY]}, True),
        ({"match": "any", "rules": [DID, OFTEN]}, True),
        ({"match": "at_least", "count": 1, "rules": [DID, CITY]}, True),
        ({"match": "none", "rules": [DID]}, False),
        ({"match": "all", "rules": [DID, {"match": "none", "rules": [CITY]}]}, False),
        ({"match": "all", "rules": [DID | {"operator": "did_not"}]}, False),
        ({"match": "all", "rules": [DID | {"operator": "did_exactly"}]}, False),
        ({"match": "all", "rules": [DID, RECENT]}, False),
    ],
)  # fmt: skip
def test_which_rules_only_grow(organization: Organization, rule: dict[str, Any], grows: bool) -> None:
    people.definition("view")

    assert needs.only_grows(rules.parse(rule)) is grows


def test_a_member_is_passed_over_and_still_leaves_in_time(organization: Organization) -> None:
    ada, bob = people.contact(name="Ada"), people.contact(name="Bob")
    with clock.freeze(NOON):
        segment = services.create_segment(name="Viewers", rule={"match": "all", "rules": [DID]})
        people.tell_events(*people.events([(ada.pk, "view", NOON - DAY, {}), (ada.pk, "view", NOON, {})]))
        doorbell.drain(organization.pk)
    assert _inside(segment.pk) == {"Ada"}

    with (
        clock.freeze(NOON + 2 * DAY),
        CaptureQueriesContext(
            connection,
        ) as told,
    ):
        people.tell_events(people.event(ada, "view", NOON + 2 * DAY))
        doorbell.drain(organization.pk)
    assert not [query for query in told.captured_queries if "evaluated AS MATERIALIZED" in query["sql"]]

    with clock.freeze(NOON + 3 * DAY):
        people.tell_events(
            *people.events([(bob.pk, "view", NOON + 2 * DAY, {}), (bob.pk, "view", NOON + 3 * DAY, {})])
        )
        doorbell.drain(organization.pk)
    assert _inside(segment.pk) == {"Ada", "Bob"}
    # Two views hold Ada until the second but last is seven days old: the one at noon of the first day.
    with clock.freeze(NOON + 7 * DAY - DAY / 24):
        doorbell.drain(organization.pk)
        assert "Ada" in _inside(segment.pk)
    with clock.freeze(NOON + 7 * DAY):
        doorbell.drain(organization.pk)
        assert "Ada" not in _inside(segment.pk)


def _inside(segment_id: int) -> set[str]:
    rows = Membership.objects.filter(segment=segment_id, left_at=None)
    return set(rows.values_list("contact__name", flat=True))
