"""Ten thousand workflows by the clock, and a million people of one: a look is a probe, an entry a statement."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from automations import services
from automations.models import Automation, AutomationRun, TriggerTurn
from automations.selectors import due
from automations.services import turns
from automations.tests import making
from common import clock, tenancy

pytestmark = pytest.mark.django_db

# Workflows like the one that is there, each with a turn in a year.
MORE_WORKFLOWS = """
INSERT INTO automations_automation SELECT (jsonb_populate_record(one, jsonb_build_object(
       'id', 1000000 + number, 'slug', 'more-' || number, 'current_version_id', NULL))).*
  FROM automations_automation AS one, generate_series(1, 3000) AS number WHERE one.id = %(like)s
"""
MORE_TURNS = """
INSERT INTO automations_triggerturn (organization_id, automation_id, trigger, turn_at, run_at, looked_at)
SELECT organization_id, id, '{}', %(then)s, %(then)s, %(now)s FROM automations_automation WHERE id > 1000000
"""


def _daily(**values) -> Automation:
    settings = {"cron": "0 9 * * *", "filter": making.where("country", "GB")}
    return making.automation(
        making.TAG, trigger_type="schedule", trigger_configuration=settings, entry_rule="again", **values
    )


def _plan(statement: str, *parameters) -> str:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement}", parameters)
        return "\n".join(row[0] for row in cursor.fetchall())


def _due() -> int:
    with clock.travel(timedelta(days=1)):
        return turns.run(tenancy.required())


def test_a_look_for_what_is_due_is_one_probe_however_many_workflows_wait(organization) -> None:
    values = {"like": _daily().pk, "now": clock.now(), "then": clock.now() + timedelta(days=365)}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(MORE_WORKFLOWS, values)
        cursor.execute(MORE_TURNS, values)
        cursor.execute("ANALYZE automations_triggerturn")
        cursor.execute("ANALYZE automations_automation")
    assert TriggerTurn.objects.count() == 3001

    asked = _plan(due.TURNS_SQL, clock.now())
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert _due() == 1
    claims = [query["sql"] for query in queries if "FOR UPDATE" in query["sql"] and "triggerturn" in query["sql"]]

    for plan in (asked, _plan(claims[0].replace("%", "%%"))):
        assert "turns_by_time" in plan
        assert "Seq Scan on automations_triggerturn" not in plan


def test_everybody_of_a_schedule_enters_by_one_statement_that_reads_nobody_here(organization) -> None:
    made: list[list[str]] = []
    for count in (3, 60):
        people = {one.pk for one in making.contacts(count, country="GB")}
        automation = _daily(name=f"Daily {count}")
        with CaptureQueriesContext(connection) as queries:
            assert _due() == 1
        made.append([query["sql"].split()[0] for query in queries])
        runs = AutomationRun.objects.filter(automation=automation)
        assert people <= set(runs.values_list("contact_id", flat=True))
        assert runs.count() == runs.values("contact_id", "entry_key").distinct().count()
        services.delete_automation(automation)

    assert made[0] == made[1]
    assert made[0].count("WITH") == 1  # … INSERT INTO the runs


def test_an_entry_looks_at_earlier_runs_by_their_index(organization) -> None:
    making.contacts(3, country="GB")
    _daily()
    with CaptureQueriesContext(connection) as queries:
        _due()
    [entering] = [query["sql"] for query in queries if "INSERT INTO automations_automationrun" in query["sql"]]

    plan = _plan(entering.replace("%", "%%"))

    assert "one_run_per_entry" in plan or "one_run_inside" in plan
    assert "Seq Scan on automations_automationrun" not in plan


def test_the_entry_rules_hold_for_who_is_selected(organization) -> None:
    """Inside already, once, and by a key of their own."""
    making.contacts(2, country="GB")
    waiting = making.wait(days=9)
    settings = {"cron": "0 9 * * *"}
    again = making.automation(
        waiting, name="Again", trigger_type="schedule", trigger_configuration=settings, entry_rule="again"
    )
    keyed = making.automation(
        waiting,
        name="Keyed",
        trigger_type="schedule",
        trigger_configuration=settings,
        entry_rule="concurrent",
        entry_key="turn",
    )
    for days in (1, 2):
        with clock.travel(timedelta(days=days)):
            turns.run(tenancy.required())

    assert AutomationRun.objects.filter(automation=again).count() == 2
    assert AutomationRun.objects.filter(automation=keyed).count() == 4
    keys = set(AutomationRun.objects.filter(automation=keyed).values_list("inside_key", flat=True))
    assert len(keys) == 2
