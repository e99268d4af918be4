"""Which goals there are, which events they count, and what they cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Organization
from attribution import services, subscribers
from attribution.models import Conversion, Cost, Goal, Touchpoint
from attribution.tests.crediting import credits, flow
from attribution.tests.river import NOON, Happening, contact, order, store, visit
from audience.models import EventDefinition
from common import tenancy
from common.errors import Invalid

pytestmark = pytest.mark.django_db


def test_five_hundred_events_take_as_many_statements_as_five(organization: Organization) -> None:
    people = [contact(f"P{index}") for index in range(10)]

    def statements(count: int) -> int:
        events = []
        for index in range(count // 5):
            who = people[index % 10]
            events += [visit(who, 3), visit(who, 2, "bing", name="x"), order(who, 100, 1, "A"), order(who, 50, 1)]
            events.append(Happening(who, "order_refunded", 0, {"order_id": "A"}, value_minor=1, currency="GBP"))
        notice = store(events)
        with CaptureQueriesContext(
            connection,
        ) as captured:
            subscribers.on_events(notice)
        assert len(notice.events) == count
        return len(captured)

    statements(5)  # makes the default goal
    services.work(organization.pk)

    assert statements(500) == statements(5)


def test_crediting_takes_the_same_statements_for_one_conversion_and_for_many(organization: Organization) -> None:
    def statements(count: int) -> int:
        people = [contact(f"P{index}") for index in range(count)]
        subscribers.on_events(store([item for who in people for item in (visit(who, 1), order(who, 100))]))
        with CaptureQueriesContext(connection) as captured:
            assert services.work(organization.pk) == count
        return len(captured)

    flow(visit(contact(), 1))

    assert statements(1) == statements(60)


def test_the_first_event_of_an_organisation_makes_the_default_goal(organization: Organization) -> None:
    flow(Happening(contact(), "page", 0))

    goal = Goal.objects.get()
    assert (goal.name, goal.event_name, goal.look_back_days, goal.counts_as_revenue) == (
        "Purchase", "order_completed", 30, True,
    )  # fmt: skip


def test_a_new_goal_counts_the_events_of_before(organization: Organization) -> None:
    ada = contact()
    flow(
        Happening(ada, "plan_chosen", 3, {"plan": "pro"}, value_minor=100, currency="GBP"),
        Happening(ada, "plan_chosen", 2, {"plan": "free"}),
    )

    goal = services.save_goal(
        Goal(
            name="Pro",
            event_name="plan_chosen",
            where=[{"property": "plan", "operator": "in", "value": ["pro", "team"]}],
        )
    )
    services.work(organization.pk)

    assert list(Conversion.objects.filter(goal=goal).values_list("value_minor", flat=True)) == [100]


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ([{"property": "seats", "operator": "greater", "value": 3}], {"big"}),
        ([{"property": "seats", "operator": "less", "value": 3.5}], {"small"}),
        ([{"property": "seats", "operator": "is_set"}], {"big", "small", "odd"}),
        ([{"property": "seats", "operator": "not_equals", "value": 2}], {"big", "odd", "none"}),
        ([{"property": "name'; DROP TABLE x", "operator": "equals", "value": "a"}], set()),
        ([{"property": "seats"}, {"property": "trial", "value": True}], None),
        ([{"property": "trial", "value": True}], {"none"}),
    ],
)
def test_conditions_of_a_goal_choose_events_by_their_properties(
    organization: Organization, where: list[Any], found: set[str] | None
) -> None:
    ada = contact()
    flow(
        Happening(ada, "plan", 1, {"order_id": "big", "seats": 7}),
        Happening(ada, "plan", 1, {"order_id": "small", "seats": 2}),
        Happening(ada, "plan", 1, {"order_id": "odd", "seats": "many"}),
        Happening(ada, "plan", 1, {"order_id": "none", "trial": True}),
    )
    goal = Goal(name="Plan", event_name="plan", where=where)
    if found is None:
        with pytest.raises(Invalid):
            services.save_goal(goal)
        assert not Goal.objects.filter(name="Plan").exists()
        return
    services.save_goal(goal)
    services.work(organization.pk)

    assert set(Conversion.objects.filter(goal=goal).values_list("order_id", flat=True)) == found


def test_an_offline_meeting_is_credited(organization: Organization) -> None:
    ada = contact()
    flow(order(ada, 100))

    services.add_offline(ada, happened_at=NOON - timedelta(days=2), source="Trade fair")
    services.work(organization.pk)

    assert credits("first") == {"Trade fair": 100}


def test_another_organisations_events_make_nothing_here(organization: Organization, stranger: Organization) -> None:
    with tenancy.organization(stranger.pk):
        theirs = store([visit(contact("Eve"), 1), order(contact("Eva"), 100)])

    subscribers.on_events(theirs)
    services.work(organization.pk)

    assert (Touchpoint.objects.count(), Conversion.objects.count(), Cost.objects.count()) == (0, 0, 0)
    assert EventDefinition.objects.count() == 0
