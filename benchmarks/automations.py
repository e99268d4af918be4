"""Ten thousand active workflows with a hundred thousand people inside: what idling costs, how soon an event's first
step is done, how many steps a second, how long a hundred thousand waits that are due at one second take.

The yardstick of the same run is the field's usual shape: one Celery task for each person and step (per_person.py),
with the same effects on the same tables and two worker processes.
"""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import Any

from benchmarks import automations_live, engines, per_person, report
from benchmarks.report import Figure

RULE = {"match": "all", "rules": [{"field": "status", "operator": "equals", "value": "qualified"}]}
LOOKS = 100
EACH = 5  # steps of one kind in a row


@dataclass(frozen=True)
class Size:
    """How much: workflows, people inside them, people per kind of step, waits, people of the yardstick."""

    workflows: int = 10_000
    inside: int = 100_000
    people: int = 20_000
    waits: int = 100_000
    yardstick: int = 400
    seconds: int = 30


SMOKE = Size(workflows=30, inside=400, people=60, waits=200, yardstick=5, seconds=2)


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    size = SMOKE if smoke else Size()
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        contact_ids = _people(size)
        _settle(size, contact_ids)
        figures = report.told(_idle())
        figures += report.told(_steps(size, contact_ids))
        bare = per_person.steps_per_second(organization.pk, _bare_runs(contact_ids[: size.yardstick]))
        figures += report.told(_together(size, contact_ids, bare))
        found, memory = automations_live.run(organization.pk, size, contact_ids)
    report.publish("automations", [*figures, *found], {"this process": report.peak_megabytes(), **memory})


# --- people and workflows ----------------------------------------------------------------------------


def _people(size: Size) -> list[int]:
    from audience.models import Contact, Identity, IdentityKind

    count = max(size.inside, size.waits, size.people)
    made = Contact.objects.bulk_create(
        (Contact(name=f"Person {n}", user_id=f"person-{n}") for n in range(count)), batch_size=5_000
    )
    Identity.objects.bulk_create(
        (Identity(kind=IdentityKind.USER_ID, value=contact.user_id, contact=contact) for contact in made),
        batch_size=5_000,
    )
    return [contact.pk for contact in made]


def workflow(name: str, *actions: dict[str, Any], on: str = "") -> Any:
    """An active workflow that starts on an event of the name `on`, or by hand."""
    from automations import services

    return services.create_automation(
        {
            "name": name, "is_active": True, "trigger_type": "event" if on else "manual",
            "trigger_configuration": {"name": on} if on else {},
            "entry_rule": "again", "actions": list(actions),
        }
    )  # fmt: skip


def action(kind: str, **configuration: Any) -> dict[str, Any]:
    branches = {"branches": {"then": [], "otherwise": []}} if kind == "branch" else {}
    return {"action_type": kind, "configuration": configuration, **branches}


def _settle(size: Size, contact_ids: list[int]) -> None:
    """Copies of one workflow, each listening to an event of its own, with people who wait for a month to pass."""
    from django.db import connection

    from automations.models import Automation, AutomationVersion
    from common import tenancy

    first = workflow("Quiet", action("wait", days=30), action("add_tag", tag="met"), on="quiet_0")
    version = first.current_version
    copies = Automation.objects.bulk_create(
        (_copy(first, slug=f"quiet-{n}", trigger_key=f"event:quiet_{n}", current_version=None)
         for n in range(1, size.workflows)), batch_size=2_000,
    )  # fmt: skip
    AutomationVersion.objects.bulk_create((_copy(version, automation=one) for one in copies), batch_size=2_000)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE automations_automation AS automation SET current_version_id = version.id"
            " FROM automations_automationversion AS version WHERE version.automation_id = automation.id"
        )
    park(_quiet_versions(), contact_ids[: size.inside], "30 days")
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copy(row: Any, **changes: Any) -> Any:
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields if field.name != "id"}
    copy = type(row)(**values)
    for name, value in changes.items():
        setattr(copy, name, value)
    return copy


def _quiet_versions() -> list[tuple[int, int]]:
    from automations.models import Automation

    rows = Automation.objects.filter(name="Quiet").values_list("pk", "current_version_id")
    return [(automation_id, version_id) for automation_id, version_id in rows if version_id]


PARK_SQL = """
INSERT INTO automations_automationrun
       (organization_id, automation_id, version_id, contact_id, entry_key, status, step_id, run_at, waiting_since,
        entered_at)
SELECT %(organization)s, (%(automations)s::bigint[])[1 + place %% %(count)s],
       (%(versions)s::bigint[])[1 + place %% %(count)s], contact_id, 'parked:' || %(key)s, 'running', 'wait_1',
       date_trunc('second', clock_timestamp()) + %(ahead)s::interval, clock_timestamp(), clock_timestamp()
  FROM unnest(%(contacts)s::bigint[]) WITH ORDINALITY AS person(contact_id, place)
"""


def park(versions: list[tuple[int, int]], contact_ids: list[int], ahead: str) -> None:
    """Runs that stand on the step `wait_1` of these (automation, version) until a time from now."""
    from django.db import connection

    from common import tenancy

    parameters = {
        "organization": tenancy.required(), "automations": [pair[0] for pair in versions],
        "versions": [pair[1] for pair in versions], "count": len(versions), "contacts": contact_ids,
        "ahead": ahead, "key": str(time.time_ns()),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(PARK_SQL, parameters)


# --- idling --------------------------------------------------------------------------------------------


def _idle() -> list[Figure]:
    """The sweep's look for due runs, and the look whether anybody listens to an event nobody waits for."""
    from automations.selectors import due
    from automations.services import entries

    looks = {"idle look for due runs": due.runs, "idle look for listeners": lambda: entries.heard({"event:nothing"})}
    figures = []
    for name, look in looks.items():
        assert not look()
        figures.append(Figure(name, _median(look) * 1000, "ms", goal="near zero"))
    return figures


def _median(look: Any) -> float:
    taken = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        look()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


# --- steps a second ------------------------------------------------------------------------------------

KINDS: dict[str, dict[str, Any]] = {
    "branch": {"rule": RULE},
    "add_tag": {"tag": "met"},
    "update_status": {"status": "qualified"},
    "create_task": {"title": "Call"},
}


def _steps(size: Size, contact_ids: list[int]) -> list[Figure]:
    """Steps of one kind in a row, by one engine in this process."""
    figures = []
    for kind, configuration in KINDS.items():
        made = workflow(f"Only {kind}", *(action(kind, **_other(configuration, n)) for n in range(EACH)))
        figures.append(Figure(f"{kind}, one engine", _rate(made, contact_ids[: size.people]), "steps/s"))
    return figures


def _other(configuration: dict[str, Any], number: int) -> dict[str, Any]:
    """A tag or status that is there already is no work."""
    if "tag" in configuration:
        return {"tag": f"met {number}"}
    if "status" in configuration:
        return {"status": ("qualified", "new")[number % 2]}
    return configuration


def _together(size: Size, contact_ids: list[int], bare: float) -> list[Figure]:
    """The yardstick's own workflow, by one engine and by two."""
    from common import tenancy

    people = contact_ids[: size.people]
    one = engines.steps_per_second(tenancy.required(), _mixed("Mixed"), people, engines=1)
    two = engines.steps_per_second(tenancy.required(), _mixed("Mixed for two"), people, engines=2)
    beside = "a Celery task per person and step"
    return [
        Figure("a workflow of these kinds, one engine", one, "steps/s", beside, bare, "≥ 20 000", one >= 20_000),
        Figure("the same, two engines", two, "steps/s", beside, bare, "≥ 20 000", two >= 20_000),
    ]


def _mixed(name: str) -> Any:
    """Tags that nobody has yet; a status that is set."""
    settings = [
        {"tag": f"{name} {number}"} if kind == "add_tag" else _other(KINDS[kind], number)
        for number, kind in enumerate(per_person.STEPS)
    ]
    return workflow(name, *(action(kind, **each) for kind, each in zip(per_person.STEPS, settings, strict=True)))


def _rate(automation: Any, contact_ids: list[int]) -> float:
    from automations import services
    from automations.models import StepRun
    from automations.services import engine
    from common import tenancy

    for first in range(0, len(contact_ids), 10_000):
        services.start(automation, contact_ids[first : first + 10_000])
    before = StepRun.objects.count()
    started = time.perf_counter()
    engine.run(tenancy.required())
    took = time.perf_counter() - started
    return (StepRun.objects.count() - before) / took


def _bare_runs(contact_ids: list[int]) -> list[int]:
    """Runs for the yardstick: held for the engine, so that it lets them be."""
    from automations.models import AutomationRun

    made = workflow("Per person", action("wait", days=1))
    rows = AutomationRun.objects.bulk_create(
        AutomationRun(automation=made, version=made.current_version, contact_id=pk, entry_key="once", status="held")
        for pk in contact_ids
    )
    return [row.pk for row in rows]
