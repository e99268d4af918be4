"""(c) Event accepted over HTTP → message in the ledger, at 100 events a second, 100 segments and 20 workflows.

Every event is one request of its own. One event in ten belongs to a contact who thereby enters a segment whose
entering starts a workflow that sends at once: those are measured, from just before the request to the creation
of the message row. The other events keep the segments and workflows busy.
"""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import Any

from benchmarks import ground, load, report
from benchmarks.report import Figure

GOAL_MS = 300.0
RATE = 100
SEGMENTS = 100
WORKFLOWS = 20


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from accounts.models import ApiKeyKind
    from common import tenancy

    seconds, segments, workflows = (2, 10, 2) if smoke else (40, SEGMENTS, WORKFLOWS)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _, write_key = accounts.issue_key("bench", ApiKeyKind.WRITE)
        _, secret_key = accounts.issue_key("bench", ApiKeyKind.SECRET)
        _set_the_stage(secret_key, segments, workflows)
    requests, buyers = _requests(write_key, seconds)
    with ground.web() as server, ground.worker("river") as worker, ground.worker("delivery,default"):
        warm = [_track(write_key, f"warm-{n}", "page_viewed") for n in range(20)]
        load.run(warm, port=ground.WEB_PORT, connections=2)
        wait_until_processed(organization.pk, len(warm))
        began = time.time()
        sent = load.run(requests, port=ground.WEB_PORT, connections=4, rate=RATE)
        waits = _waits(organization.pk, began, buyers)
        memory = {"web": report.child_megabytes(server.pid), "worker": report.child_megabytes(worker.pid)}
    assert sent.statuses == {"200": len(requests)}, sent.statuses
    middle, slow = report.percentile(waits, 0.5), report.percentile(waits, 0.95)
    report.publish(
        "latency",
        [
            Figure("event → message queued, p50", middle * 1000, "ms"),
            Figure("event → message queued, p95", slow * 1000, "ms", goal=f"≤ {GOAL_MS:.0f} ms",
                   is_met=slow * 1000 <= GOAL_MS),
            Figure("slowest of all", max(waits) * 1000, "ms"),
            Figure("events sent", sent.per_second, "events/s"),
            Figure("messages measured", len(waits), "messages"),
        ],
        memory,
    )  # fmt: skip


def wait_until_processed(organization_id: int, events: int, since: datetime | None = None) -> None:
    """The worker is up and has done its first work, so that no start-up is measured."""
    from audience.models import Event
    from common import tenancy
    from common.models import NoticeDelivery

    with tenancy.organization(organization_id):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            recorded = Event.objects.filter(received_at__gte=since or datetime.min.replace(tzinfo=UTC)).count()
            if recorded >= events and not NoticeDelivery.objects.filter(status="pending").exists():
                return
            time.sleep(0.2)
    raise TimeoutError("the worker did not start")


def _set_the_stage(secret_key: str, segment_count: int, workflow_count: int) -> None:
    from rest_framework.test import APIClient

    from campaigns import services as campaigns
    from campaigns.models import EmailTemplate
    from common import doorbell, tenancy

    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {secret_key}")
    template = _post(api, "/api/v1/email-templates/", {
        "name": "Thanks", "slug": "thanks", "subject": "Thank you", "html": "<p>Thank you, {{ contact.name }}</p>",
        "kind": "transactional", "defaults": {"name": "friend"},
    })  # fmt: skip
    campaigns.publish_template(EmailTemplate.objects.get(pk=template["id"]))
    segments = [_post(api, "/api/v1/segments/", _segment(number)) for number in range(segment_count)]
    for number in range(workflow_count):
        _post(api, "/api/v1/automations/", _workflow(number, segments[number]["id"], template["id"]))
    doorbell.drain(tenancy.required())


def _segment(number: int) -> dict[str, Any]:
    """The first entered by buying; the others count views and orders over windows of many lengths."""
    event, count = ("order_completed", 1) if number % 2 == 0 else ("page_viewed", 2 + number % 7)
    if 0 < number < WORKFLOWS:
        count = 1000 + number
    rule = {"event": event, "operator": "did", "count": count, "within": {"days": 1 + number}}
    return {"name": f"Segment {number}", "slug": f"segment-{number}", "kind": "dynamic",
            "rule": {"match": "all", "rules": [rule]}}  # fmt: skip


def _workflow(number: int, segment_id: int, template_id: int) -> dict[str, Any]:
    return {
        "name": f"Workflow {number}",
        "slug": f"workflow-{number}",
        "trigger_type": "segment_entered",
        "trigger_configuration": {"segment_id": segment_id},
        "is_active": True,
        "run_immediately": True,
        "actions": [
            {"action_type": "send_email", "action_order": 0, "is_active": True,
             "configuration": {"template_id": template_id}},
        ],
    }  # fmt: skip


def _post(api: Any, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = api.post(path, body)
    assert answer.status_code == 201, (path, answer.content)
    return answer.json()


def _track(key: str, user: str, event: str) -> bytes:
    body = {
        "type": "track", "userId": user, "event": event, "messageId": f"{user}-{event}-{time.time_ns()}",
        "writeKey": key, "properties": {"total": 12.5, "currency": "GBP"},
        "context": {"traits": {"email": f"{user}@shop.example"}},
    }  # fmt: skip
    return load.request("POST", "/v1/track", json.dumps(body).encode(), {"Content-Type": "application/json"})


def _requests(key: str, seconds: int) -> tuple[list[bytes], dict[str, int]]:
    """Prepared requests and, by user id, the place of each buyer's request in the row."""
    requests, buyers = [], {}
    for place in range(seconds * RATE):
        if place % 10 == 0:
            user = f"buyer-{place}"
            buyers[user] = place
            requests.append(_track(key, user, "order_completed"))
        else:
            requests.append(_track(key, f"visitor-{place % 500}", "page_viewed"))
    return requests, buyers


def _waits(organization_id: int, began: float, buyers: dict[str, int]) -> list[float]:
    """Seconds from each buyer's place on the time-table to the message; every buyer must have one."""
    from common import tenancy
    from delivery.models import Message

    with tenancy.organization(organization_id):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and Message.objects.count() < len(buyers):
            time.sleep(0.5)
        made = dict(Message.objects.values_list("contact__user_id", "created_at"))
    assert made.keys() == buyers.keys(), f"{len(made)} of {len(buyers)} messages"
    # The time-table begins when the load generator's connections stand; received_at of the first request says when.
    start = _first_received(organization_id, began) - min(buyers.values()) / RATE
    return [made[user].timestamp() - (start + place / RATE) for user, place in buyers.items()]


def _first_received(organization_id: int, began: float) -> float:
    from audience.models import IngestBatch
    from common import tenancy

    with tenancy.organization(organization_id):
        after = datetime.fromtimestamp(began, UTC)
        first = IngestBatch.objects.filter(received_at__gte=after).order_by("received_at").first()
    assert first is not None
    return first.received_at.timestamp()
