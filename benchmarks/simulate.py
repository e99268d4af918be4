"""A month of a million real events replayed against a draft, beside a loop that walks one event at a time.

The draft has a filter, a branch, a split by chance, a wait, a wait until something happens, and two mails.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

from benchmarks import report
from benchmarks.report import Figure

CONTACTS, EVENTS, DAYS, MOST_SECONDS = 100_000, 1_000_000, 30, 30
SAMPLE = 200  # events of the yardstick
FILL_CONTACTS = """
INSERT INTO audience_contact
       (organization_id, name, email, city, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, 'Person ' || n, 'person-' || n || '@shop.example',
       (ARRAY['Leeds', 'London', 'Paris', 'Lyon', 'Berlin'])[1 + n %% 5], %(now)s, %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(contacts)s) AS n"""
FILL_CONSENTS = """
INSERT INTO audience_consent (organization_id, contact_id, channel, state, how, wording, proof, happened_at)
SELECT %(organization)s, contact.id, 'email', 'granted', 'form', '', '{}', %(now)s - interval '1 year'
FROM audience_contact AS contact WHERE contact.organization_id = %(organization)s AND contact.id %% 10 < 9"""
# Four views to one order, over the month.
FILL_EVENTS = """
INSERT INTO audience_event
       (organization_id, contact_id, definition_id, message_key, happened_at, received_at, properties)
SELECT %(organization)s, %(first)s + (hashint8(n) & 2147483647) %% %(contacts)s,
       CASE WHEN n %% 5 = 0 THEN %(order)s ELSE %(page)s END, gen_random_uuid(), moment, moment,
       jsonb_build_object('total', n %% 200)
FROM (SELECT n, %(now)s::timestamptz
             - interval '1 day' * %(days)s * ((hashint8(n * 7) & 2147483647) / 2147483648.0) AS moment
      FROM generate_series(1, %(events)s) AS n) AS drawn
ORDER BY moment"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    contacts, events = (500, 4_000) if smoke else (CONTACTS, EVENTS)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        now = _fill(organization.pk, contacts, events)
        figures = [*_replays(now, events), *_one_by_one(now, 5 if smoke else SAMPLE)]
    report.publish("simulate", figures, {"python": report.peak_megabytes()})


def _fill(organization_id: int, contacts: int, events: int) -> Any:
    from django.db import connection

    from audience.models import EventDefinition
    from audience.services import partitions
    from common import clock, tenancy

    now = clock.now()
    kinds = {name: EventDefinition.objects.create(name=name).pk for name in ("page_viewed", "order_completed")}
    partitions.ensure_months([now - timedelta(days=days) for days in range(0, 2 * DAYS, 10)])
    values = {
        "organization": organization_id, "contacts": contacts, "events": events, "now": now, "days": DAYS,
        "page": kinds["page_viewed"], "order": kinds["order_completed"],
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FILL_CONTACTS, values)
        cursor.execute("SELECT min(id) FROM audience_contact WHERE organization_id = %(organization)s", values)
        values["first"] = cursor.fetchone()[0]
        cursor.execute(FILL_CONSENTS, values)
        cursor.execute(FILL_EVENTS, values)
        cursor.execute("ANALYZE audience_contact; ANALYZE audience_event; ANALYZE audience_consent")
    return now


def _did(**more: Any) -> dict[str, Any]:
    return {"event": "order_completed", "operator": "did", **more}


def _automation(entry_rule: str) -> Any:
    from automations import services
    from campaigns.models import EmailTemplate

    html = "<p>Hello {{ contact.name }}</p>"
    template = EmailTemplate.objects.create(name=entry_rule, slug=entry_rule, subject="Hello", html=html)
    mail = {"action_type": "send_email", "configuration": {"template_id": template.pk}}
    ways = [{"name": "A", "weight": 1}, {"name": "B", "weight": 1}]
    actions = [
        {
            "action_type": "branch",
            "configuration": {"rule": _did(within={"days": 7})},
            "branches": {"then": [], "otherwise": [mail]},
        },
        {"action_type": "wait", "configuration": {"days": 1}},
        {"action_type": "random_split", "configuration": {"ways": ways}, "branches": {"A": [], "B": []}},
        {
            "action_type": "wait_until",
            "configuration": {"rule": _did(within={"hours": 12}), "timeout": {"days": 2}},
            "branches": {"met": [mail], "timed_out": []},
        },
    ]
    only = {"field": "city", "operator": "in", "value": ["Leeds", "London", "Paris", "Lyon"]}
    return services.create_automation(
        {
            "name": entry_rule, "trigger_type": "event", "entry_rule": entry_rule, "actions": actions,
            "trigger_configuration": {"name": "page_viewed", "filter": only},
        }
    )  # fmt: skip


def _replays(now: Any, events: int) -> list[Figure]:
    from automations.simulation import flow as flows
    from automations.simulation.replay import replay

    figures = []
    for entry_rule in ("once", "again"):
        automation = _automation(entry_rule)
        flow = flows.read(automation.current_version.document, automation)
        started = time.perf_counter()
        found = replay(flow, now - timedelta(days=DAYS), now)
        took = time.perf_counter() - started
        name = f"{events:,} events in {DAYS} days, {entry_rule}: {found['entries']:,} entries"
        figures.append(Figure(name, took, "s", goal=f"≤ {MOST_SECONDS} s", is_met=took <= MOST_SECONDS))
    return figures


def _one_by_one(now: Any, sample: int) -> list[Figure]:
    """Milliseconds per entry, in sets and one event after the other, of the same candidates."""
    from automations.models import Automation
    from automations.simulation import flow as flows
    from automations.simulation import replay, sources
    from automations.simulation.admitting import Gate

    automation = Automation.objects.select_related("current_version").get(slug="once")
    flow = flows.read(automation.current_version.document, automation)
    heard = sources.candidates(flow, now - timedelta(days=DAYS), now)
    some = heard.part(slice(0, 50 * sample))
    started = time.perf_counter()
    walked = sum(int(wave.is_admitted.sum()) for wave in replay.turns(flow, some, now, Gate(flow)))
    ours = (time.perf_counter() - started) / walked
    gate, entered = Gate(flow), 0
    started = time.perf_counter()
    for place in range(min(len(some), sample)):
        waves = replay.turns(flow, some.part(slice(place, place + 1)), now, gate)
        entered += sum(int(wave.is_admitted.sum()) for wave in waves)
    theirs = (time.perf_counter() - started) / max(entered, 1)
    return [Figure("an entry, walked to the end", 1000 * ours, "ms", "one event at a time", 1000 * theirs)]
