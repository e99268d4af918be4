"""(f) API reads with 20 clients at once: p95 of the endpoints that client apps call."""

from __future__ import annotations

from datetime import timedelta

from benchmarks import ground, load, report
from benchmarks.report import Figure

GOAL_MS = 100.0
CLIENTS = 20
ROUNDS = 3


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from common import tenancy

    contacts, count, rounds = (500, 20, 1) if smoke else (50_000, 1500, ROUNDS)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, key = accounts.issue_key("bench", ApiKeyKind.SECRET)
        paths = _fill(organization.pk, contacts)
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    with ground.web(workers=2) as server:
        bare = _measure("/healthz", headers, count, rounds)
        figures = [_figure(path, _measure(path, headers, count, rounds), bare) for path in paths]
        longer = f"{paths[-1]}&limit=50"
        figures.append(_figure(longer, _measure(longer, headers, count, rounds), bare))
        memory = {"web": report.child_megabytes(server.pid)}
    report.publish("reads", figures, memory)


def _measure(path: str, headers: dict[str, str], count: int, rounds: int) -> load.Result:
    """The middle of the rounds, by p95: a shared machine changes its pace by half within a minute."""
    request = load.request("GET", path, headers=headers)
    load.run([request] * CLIENTS, port=ground.WEB_PORT, connections=CLIENTS)
    results = [load.run([request] * count, port=ground.WEB_PORT, connections=CLIENTS) for _ in range(rounds)]
    for result in results:
        assert result.statuses == {"200": count}, (path, result.statuses)
    return sorted(results, key=lambda result: report.percentile(result.latencies, 0.95))[rounds // 2]


def _figure(path: str, result: load.Result, bare: load.Result) -> Figure:
    slow = report.percentile(result.latencies, 0.95) * 1000
    name = f"GET {path.removeprefix('/api/v1')} ({result.per_second:,.0f}/s)"
    yardstick = report.percentile(bare.latencies, 0.95) * 1000
    return Figure(name, slow, "ms", "/healthz", yardstick, f"≤ {GOAL_MS:.0f} ms", slow <= GOAL_MS)


def _fill(organization_id: int, contacts: int) -> list[str]:
    from campaigns.models import Campaign
    from common import clock, doorbell, tenancy
    from segments import services as segments

    values = {"organization": organization_id, "contacts": contacts, "now": clock.now() - timedelta(days=1)}
    _execute(FILL_CONTACTS, values)
    campaign = [Campaign.objects.create(name=f"Campaign {n}", status="active") for n in range(20)][-1]
    rule = {"match": "all", "rules": [{"field": "city", "operator": "equals", "value": "Leeds"}]}
    segment = segments.create_segment(name="Leeds", rule=rule)
    segments.rebuild(segment.pk)
    doorbell.drain(tenancy.required())
    return [
        "/api/v1/segments/",
        f"/api/v1/segments/{segment.pk}/leads/",
        "/api/v1/campaigns/?status=active&limit=5",
        f"/api/v1/campaigns/{campaign.pk}/",
        "/api/v1/contacts/?status=new",
    ]


def _execute(sql: str, values: dict[str, object]) -> None:
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql, values)
        cursor.execute("ANALYZE audience_contact")


FILL_CONTACTS = """
INSERT INTO audience_contact (organization_id, name, email, city, first_seen_at, last_seen_at, created_at, updated_at)
SELECT %(organization)s, 'Person ' || n, 'person-' || n || '@shop.example',
       (ARRAY['Leeds','London','Paris','Lyon','Berlin'])[1 + n %% 5], %(now)s, %(now)s, %(now)s, %(now)s
FROM generate_series(1, %(contacts)s) AS n
"""
