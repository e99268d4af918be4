"""Workflows that the clock starts: each turn once, a late one once, by everybody's own clock."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given, settings
from hypothesis import strategies as st

from audience import services as audience
from audience.models import Contact
from automations import services
from automations.models import Automation, AutomationRun, TriggerTurn
from automations.selectors import anniversaries, due
from automations.selectors.anniversaries import Anniversary
from automations.services import turns
from automations.tests import making
from common import clock, tenancy

pytestmark = pytest.mark.django_db

MONDAY = datetime(2027, 6, 7, 8, 59, tzinfo=UTC)


def _at(moment: datetime) -> Any:
    return clock.travel(moment - clock.now())


def _weekly(**values: Any) -> Automation:
    settings = {"cron": "0 9 * * mon", "filter": making.where("country", "GB")}
    return making.automation(
        making.TAG, **{"trigger_type": "schedule", "trigger_configuration": settings, "entry_rule": "again"} | values
    )


def _run() -> int:
    return turns.run(tenancy.required())


def test_each_turn_starts_everybody_of_the_rule_once(organization) -> None:
    british, french = making.contact(country="GB"), making.contact(country="FR")
    with _at(MONDAY):
        _weekly()
        assert _run() == 0
    with _at(MONDAY + timedelta(minutes=1)):
        assert due.turns() == [organization.pk]
        assert (_run(), _run()) == (1, 0)
        making.work()
        assert due.turns() == []
    with _at(MONDAY + timedelta(days=7, minutes=2)):
        assert _run() == 1
        making.work()

    assert list(AutomationRun.objects.values_list("contact_id", flat=True)) == [british.pk, british.pk]
    assert not AutomationRun.objects.filter(contact=french).exists()


def test_turns_missed_while_nothing_worked_are_one_late_turn(organization) -> None:
    making.contact(country="GB")
    with _at(MONDAY):
        _weekly()
    with _at(MONDAY + timedelta(days=30)):
        assert _run() == 1
        turn = TriggerTurn.objects.get()
        assert turn.turn_at == datetime(2027, 7, 12, 9, tzinfo=UTC)

    assert AutomationRun.objects.get().facts == {"turn": "2027-06-07T09:00:00+00:00"}


def test_what_was_missed_while_switched_off_is_not_made_up_for(organization) -> None:
    making.contact(country="GB")
    with _at(MONDAY):
        automation = _weekly()
        services.deactivate(automation)
        assert not TriggerTurn.objects.exists()
    with _at(MONDAY + timedelta(days=30)):
        services.activate(automation)
        assert _run() == 0
        assert TriggerTurn.objects.get().turn_at == datetime(2027, 7, 12, 9, tzinfo=UTC)


def test_other_steps_leave_the_turn_and_another_schedule_moves_it(organization) -> None:
    with _at(MONDAY):
        automation = _weekly()
        before = TriggerTurn.objects.get()
        services.update_automation(automation, {"actions": [making.EXIT]})
        assert TriggerTurn.objects.get() == before
        services.update_automation(automation, {"trigger_configuration": {"cron": "0 9 * * tue"}})
        assert TriggerTurn.objects.get().turn_at == datetime(2027, 6, 8, 9, tzinfo=UTC)
        services.update_automation(automation, {"trigger_type": "manual", "trigger_configuration": {}})

    assert not TriggerTurn.objects.exists()


def test_a_turn_that_fails_is_tried_again_and_keeps_its_moment(organization) -> None:
    making.contact(country="GB")
    with _at(MONDAY):
        _weekly()
    broken = {"type": "schedule", "configuration": {"cron": "0 9 * * mon", "filter": making.where("colour", "red")}}
    good = TriggerTurn.objects.get().trigger
    TriggerTurn.objects.update(trigger=broken)
    with _at(MONDAY + timedelta(minutes=5)):
        _run()
        turn = TriggerTurn.objects.get()
        assert turn.turn_at == datetime(2027, 6, 7, 9, tzinfo=UTC)
        assert turn.run_at == clock.now() + turns.RETRY or turn.run_at > MONDAY + timedelta(minutes=5)
        assert not AutomationRun.objects.exists()
    TriggerTurn.objects.update(trigger=good)
    with _at(MONDAY + timedelta(minutes=7)):
        assert _run() == 1
    assert AutomationRun.objects.count() == 1


def test_many_workflows_that_wait_cost_one_look(organization) -> None:
    with _at(MONDAY):
        first = _weekly()
        TriggerTurn.objects.bulk_create(
            TriggerTurn(
                automation=Automation.objects.create(name=f"{number}", slug=f"w{number}", trigger_type="schedule"),
                trigger={}, turn_at=MONDAY + timedelta(days=9), run_at=MONDAY + timedelta(days=9),
            )
            for number in range(40)
        )  # fmt: skip
        with CaptureQueriesContext(connection) as queries:
            assert due.turns() == []

    asked = [query["sql"] for query in queries if "triggerturn" in query["sql"]]
    assert len(asked) == 1
    assert first.is_active


# --- dates -------------------------------------------------------------------------------------------


def test_a_date_starts_people_by_their_own_clock_and_each_date_once(organization) -> None:
    making.automation(
        making.TAG,
        trigger_type="date",
        trigger_configuration={"attribute": "attributes.renewal", "offset_days": -1, "time": "09:00"},
        entry_rule="again",
    )
    auckland = making.contact(timezone="Pacific/Auckland", attributes={"renewal": "2027-06-10"})
    honolulu = making.contact(timezone="Pacific/Honolulu", attributes={"renewal": "2027-06-10"})
    making.contact(attributes={"renewal": "soon"})
    TriggerTurn.objects.update(looked_at=MONDAY, run_at=MONDAY, turn_at=MONDAY)
    entered = {}
    with _at(MONDAY):
        for hours in (36, 37, 58, 59, 83, 84):
            with clock.travel(timedelta(hours=hours)):
                _run()
                making.work()
                for run in AutomationRun.objects.exclude(contact_id__in=entered):
                    entered[run.contact_id] = hours

    # Nine on 9 June is 21:00 UTC of the 8th in Auckland and 19:00 UTC in Honolulu.
    assert entered == {auckland.pk: 37, honolulu.pk: 59}
    assert AutomationRun.objects.count() == 2


def test_a_date_that_is_written_for_today_is_looked_at_soon(organization, drain) -> None:
    making.automation(
        making.TAG, trigger_type="date", trigger_configuration={"attribute": "attributes.renewal", "time": "23:59"}
    )
    contact = making.contact()
    with clock.travel(timedelta(minutes=10)):
        audience.update_contacts([contact.pk], {"attributes.renewal": clock.now().date().isoformat()})
        drain()
        turn = TriggerTurn.objects.get()
        last_minute = datetime.combine(clock.now().date(), time(23, 59), UTC)
        assert turn.run_at <= min(last_minute, clock.now() + timedelta(hours=6))
        assert turn.looked_at > clock.now() - timedelta(minutes=1)


ZONES = ("Europe/London", "America/New_York", "Pacific/Auckland", "UTC", "")


def _reference(day: date, offset: int, at: time, where: str, yearly: bool, since: datetime, until: datetime) -> list:
    """The moments in plain Python."""
    zone, found = ZoneInfo(where or "UTC"), set()
    for year in range(day.year, 2036) if yearly else [day.year]:
        try:
            turned = day.replace(year=year)
        except ValueError:
            turned = date(year, 2, 28)
        target = turned + timedelta(days=offset)
        moment = datetime.combine(target, at, zone).astimezone(UTC)
        if since < moment <= until:
            found.add(target.isoformat())
    return sorted(found)


@settings(max_examples=15, deadline=None)
@given(
    day=st.dates(date(2024, 2, 27), date(2029, 3, 2)),
    offset=st.integers(-400, 400),
    minutes=st.integers(4 * 60, 24 * 60 - 1),
    zone=st.sampled_from(ZONES),
    yearly=st.booleans(),
    since=st.datetimes(datetime(2026, 1, 1), datetime(2030, 1, 1)),
    hours=st.integers(1, 2000),
)
def test_moments_are_those_of_plain_python(organization, day, offset, minutes, zone, yearly, since, hours) -> None:
    Contact.objects.all().delete()
    making.contact(timezone=zone, attributes={"renewal": day.isoformat()})
    at, start = time(minutes // 60, minutes % 60), since.replace(tzinfo=UTC)
    until = start + timedelta(hours=hours)
    wanted = Anniversary("attributes.renewal", offset, at, yearly)

    found = anniversaries.due(wanted, start, until)

    expected = _reference(day, offset, at, zone, yearly, start, until)
    assert [one.day for one in found] == expected
    first = anniversaries.first(wanted, start, until)
    assert (first is None) == (not expected)


def test_the_29th_of_february_is_the_28th_in_other_years(organization) -> None:
    making.contact(attributes={"renewal": "2024-02-29"})
    wanted = Anniversary("attributes.renewal", 0, time(9), True)

    found = anniversaries.due(wanted, datetime(2024, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC))

    assert [one.day for one in found] == ["2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28", "2028-02-29"]


def test_a_time_that_daylight_saving_skips_is_after_the_jump(organization) -> None:
    making.contact(timezone="America/New_York", attributes={"renewal": "2027-03-14"})
    wanted = Anniversary("attributes.renewal", 0, time(2, 30), False)
    start = datetime(2027, 3, 13, tzinfo=UTC)

    assert anniversaries.first(wanted, start, start + timedelta(days=3)) == datetime(2027, 3, 14, 7, 30, tzinfo=UTC)
