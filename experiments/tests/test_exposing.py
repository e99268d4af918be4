"""Apps tell who met which arm: once, early or late, in their own spelling, and not always the truth."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Organization
from audience.models import Contact
from audience.notices import ContactsChanged, ContactsMerged
from common import clock
from experiments import services, subscribers
from experiments.models import Assignment, Experiment, Outcome
from experiments.services import Meeting
from experiments.tests.making import NOON, did, later, notice, people, running, sums


def _begun(**values: Any) -> Experiment:
    with clock.freeze(later(-1)):
        return running(unit="user", **values)


def _arms(made: Experiment, who: list[Contact]) -> dict[int, str]:
    """What was drawn for each, found out with nothing written."""
    from django.db import connection

    from common import tenancy

    draw = services.arms_sql(made)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            f"SELECT contact.id, arm.key FROM audience_contact AS contact CROSS JOIN LATERAL {draw.sql} AS drawn"
            " JOIN experiments_arm AS arm ON arm.id = drawn.arm_id WHERE contact.id = ANY(%(who)s)",
            draw.parameters | {"who": [contact.pk for contact in who]},
        )
        return dict(cursor.fetchall())


@pytest.mark.parametrize(
    ("name", "properties"),
    [
        ("experiment_viewed", {"experiment": "checkout", "arm": "{arm}"}),
        ("Experiment Viewed", {"experimentId": "checkout", "variationId": "{arm}"}),
        ("Experiment Viewed", {"experiment_id": "checkout", "variation_id": "{place}"}),
        ("$feature_flag_called", {"$feature_flag": "checkout", "$feature_flag_response": "{arm}"}),
    ],
)
def test_each_sdk_is_understood(organization: Organization, name: str, properties: dict[str, str]) -> None:
    who = people(4)
    made = _begun()
    arms = _arms(made, who)
    for contact in who:
        place = {"control": 0, "treatment": 1}[arms[contact.pk]]
        told: dict[str, Any] = {
            key: value.format(arm=arms[contact.pk], place=place) for key, value in properties.items()
        }
        if "{place}" in properties.values():
            told["variation_id"] = place
        subscribers.on_events(notice(did(contact, name, NOON, None, **told)))

    rows = Assignment.objects.values_list("contact_id", "arm__key", "exposed_at", "problem", "propensity")
    assert set(rows) == {(contact.pk, arms[contact.pk], NOON, "", 0.5) for contact in who}


def test_the_earliest_meeting_counts_however_often_it_is_told(organization: Organization) -> None:
    (ada,) = people(1)
    made = _begun()
    arm = _arms(made, [ada])[ada.pk]
    for day in (3, 1, 2, 1):
        subscribers.on_events(notice(did(ada, "experiment_viewed", later(day), experiment="checkout", arm=arm)))
        services.work(organization.pk)

    assert Assignment.objects.get().exposed_at == later(1)
    assert sums(made, "")[arm][0] == 1
    assert Outcome.objects.get().day == later(1).date()


def test_an_app_that_shows_another_arm_is_found_out(organization: Organization) -> None:
    ada, bob, eve, sam = people(4)
    Contact.objects.filter(pk=eve.pk).update(user_id="")
    made = _begun(coverage=0.5)
    who = people(60)
    arms = _arms(made, who)
    inside = next(contact for contact in who if arms.get(contact.pk) == "control")
    outside = next(contact for contact in who if contact.pk not in arms)
    services.expose(
        [
            Meeting(inside.pk, "checkout", "treatment", NOON),
            Meeting(inside.pk, "checkout", "control", later(1)),
            Meeting(outside.pk, "checkout", "control", NOON),
            Meeting(eve.pk, "checkout", "treatment", NOON),
            Meeting(ada.pk, "unknown", "treatment", NOON),
            Meeting(bob.pk, "checkout", "control", later(-2)),  # before it ran
        ]
    )
    found = {
        row.contact_id: (row.arm.key, row.reported, row.problem) for row in made.assignments.select_related("arm")
    }
    assert found == {
        inside.pk: ("control", "treatment", "disagrees"),
        outside.pk: ("control", "control", "outside"),
        eve.pk: ("treatment", "treatment", "unverified"),
    }
    services.work(organization.pk)
    assert {arm: values[0] for arm, values in sums(made, "").items()} == {"control": 1, "treatment": 1}

    services.stop(made)
    assert services.expose([Meeting(sam.pk, "checkout", "control", later(999_999 / 24 / 60))]) == 0


def test_an_arm_that_was_drawn_before_is_compared_with(organization: Organization) -> None:
    (ada,) = people(1)
    made = _begun()
    arm = _arms(made, [ada])[ada.pk]
    other = {"control": "treatment", "treatment": "control"}[arm]
    services.assign(made.pk, [ada.pk])
    services.expose([Meeting(ada.pk, "checkout", arm, NOON)])
    assert Assignment.objects.get().problem == ""
    services.expose([Meeting(ada.pk, "checkout", other, later(1))])

    row = Assignment.objects.get()
    assert (row.arm.key, row.reported, row.problem, row.exposed_at) == (arm, other, "disagrees", NOON)


def test_people_who_turn_out_to_be_one_count_once(organization: Organization) -> None:
    made = _begun()
    who = people(40)
    arms = _arms(made, who)
    first, second = ([contact for contact in who if arms[contact.pk] == arm] for arm in ("control", "treatment"))
    services.expose([Meeting(contact.pk, "checkout", arms[contact.pk], NOON) for contact in who[:40]])
    did(first[0], "Order Completed", later(1), 500)
    services.work(organization.pk)
    stranger, late = people(2)
    with clock.freeze(later(2)):
        services.assign(made.pk, [late.pk])

    merges = [
        ContactsMerged(first[1].pk, first[2].pk),  # the same arm
        ContactsMerged(first[3].pk, second[0].pk),  # two arms
        ContactsMerged(first[4].pk, stranger.pk),  # the survivor had none
        ContactsMerged(second[1].pk, late.pk),  # the survivor had not met one
    ]
    for _ in range(2):
        subscribers.on_contacts(ContactsChanged(merged=merges))
        services.work(organization.pk)

    rows = {row.contact_id: (row.arm.key, row.problem) for row in made.assignments.select_related("arm")}
    assert rows[first[2].pk] == ("control", "")
    assert rows[second[0].pk] == ("treatment", "both")
    assert rows[stranger.pk] == ("control", "")
    assert rows[late.pk] == ("treatment", "")
    assert not rows.keys() & {first[1].pk, first[3].pk, first[4].pk, second[1].pk}
    people_now = {arm: values[0] for arm, values in sums(made, "").items()}
    assert people_now == {"control": len(first) - 2, "treatment": len(second) - 1}

    subscribers.on_contacts(ContactsChanged(deleted=[first[0].pk]))
    services.work(organization.pk)
    assert sums(made, "revenue")["control"][:2] == (len(first) - 3, 0)
