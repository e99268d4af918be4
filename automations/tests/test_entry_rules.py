"""Who enters, how often and how many at once, and who goes first."""

from collections import Counter
from datetime import timedelta

import pytest

from automations import services
from automations.services import records
from automations.tests import making
from automations.tests.semantics import happens, start
from common import clock
from common.errors import Invalid

pytestmark = pytest.mark.django_db


def test_after_days_counts_from_the_last_exit(organization) -> None:
    automation = making.automation(making.wait(days=1), entry_rule="after_days", entry_days=7)
    ada = making.contact()
    assert start(automation, ada) == 1
    with clock.travel(timedelta(days=1, minutes=1)):
        making.work()
    with clock.travel(timedelta(days=7, minutes=30)):
        assert start(automation, ada) == 0
    with clock.travel(timedelta(days=8, minutes=2)):
        assert start(automation, ada) == 1
        assert start(automation, ada) == 0


def test_concurrent_is_one_run_at_a_time_for_each_value(organization) -> None:
    automation = making.automation(
        making.wait(days=1),
        trigger_type="event",
        trigger_configuration={"name": "cart"},
        entry_rule="concurrent",
        entry_key="event.properties.cart_id",
    )
    ada = making.contact()

    for cart_id in ("a", "b", "a", 7):
        happens(ada, "cart", cart_id=cart_id)

    assert list(ada.runs.order_by("pk").values_list("inside_key", flat=True)) == ["a", "b", "7"]
    with clock.travel(timedelta(days=1, minutes=1)):
        making.work()
        happens(ada, "cart", cart_id="a")
    assert ada.runs.filter(inside_key="a").count() == 2
    assert automation.runs.count() == 4


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"entry_rule": "after_days"}, "entry_days"),
        ({"entry_rule": "after_days", "entry_days": 0}, "entry_days"),
        ({"entry_rule": "concurrent"}, "entry_key"),
        ({"entry_rule": "concurrent", "entry_key": "a b"}, "entry_key"),
        ({"entry_rule": "never"}, "entry_rule"),
        ({"actions": [making.task() | {"on_error": "shrug"}]}, "actions[0].on_error"),
    ],
)
def test_wrong_words_are_told_with_their_place(organization, values, place) -> None:
    with pytest.raises(Invalid) as refusal:
        services.create_automation({"name": "Wrong", "trigger_type": "manual", **values})

    assert list(refusal.value.details) == [place]


def test_who_is_inside_by_a_key_does_not_enter_by_another_rule(organization) -> None:
    automation = making.automation(
        making.wait(days=1),
        trigger_type="event",
        trigger_configuration={"name": "cart"},
        entry_rule="concurrent",
        entry_key="event.properties.cart_id",
    )
    ada = making.contact()
    happens(ada, "cart", cart_id="a")
    services.update_automation(automation, {"entry_rule": "again"})

    happens(ada, "cart", cart_id="b")

    assert list(ada.runs.values_list("inside_key", flat=True)) == ["a"]


def test_the_important_go_first_and_nobody_waits_for_ever(organization) -> None:
    low = making.automation(making.task(), name="Low", weight=10)
    high = making.automation(making.task(), name="High", weight=40)
    people = [one.pk for one in making.contacts(20)]
    services.start(low, people)
    services.start(high, people)

    claimed = Counter(one.automation_id for one in records.claim(clock.now(), 10))

    assert claimed == {high.pk: 8, low.pk: 2}
    services.deactivate(high)
    assert len(records.claim(clock.now(), 10)) == 10


def test_a_change_of_importance_is_for_those_inside_too(organization) -> None:
    automation = making.automation(making.wait(days=1))
    start(automation, making.contact())

    services.update_automation(automation, {"weight": 40})

    assert automation.runs.get().weight == 40
