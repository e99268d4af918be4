"""Workers die fifty times and Redis forgets everything while mail goes out and events come in: nothing is lost
and nothing happens twice. Another run of chance: `CRASH_SEED=7 make test ARGS=tests/flows/test_crash.py`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db.models import Sum

from attribution.models import Conversion
from audience import services as audience
from audience.models import Contact, Event, Identity, IngestBatch, RejectedEvent
from automations.models import AutomationRun, Task
from campaigns.models import Campaign
from common.models import NoticeDelivery, WorkStatus
from delivery.models import Message, MessageStatus
from segments import selectors as segments
from segments import services as segment_services
from segments.models import Membership, Segment, SegmentStatus
from tests.flows import storm
from tests.flows.storm import NAMES, Reaper, Traffic
from tests.flows.world import World, eventually

SEED = int(os.environ.get("CRASH_SEED", "1"))
PEOPLE = int(os.environ.get("CRASH_PEOPLE", "500"))
EVENTS = 10 * PEOPLE
KILLS = PEOPLE // 40
WORKERS = ("left", "right")
RULES: dict[str, dict[str, Any]] = {
    "everybody": {"field": "email", "operator": "is_set"},
    "pro": {"field": "attributes.plan", "operator": "equals", "value": "pro"},
    "curious": {"event": "page_viewed", "operator": "did", "count": 7, "within": {"days": 2}},
    "hesitant": {
        "match": "all",
        "rules": [
            {"event": "checkout_started", "operator": "did", "count": 1},
            {"event": "order_completed", "operator": "did_not", "count": 1, "within": {"days": 30}},
        ],
    },
    "big": {
        "event": "order_completed",
        "operator": "did",
        "count": 1,
        "where": [{"property": "total", "operator": "starts_with", "value": "4"}],
    },
    "lately": {"event": "product_added", "operator": "did", "count": 1, "within": {"minutes": 1}},
}


@pytest.mark.slow
def test_killed_workers_and_a_forgetful_redis_lose_and_double_nothing(world: World) -> None:
    world.environment["MESSAGE_LEASE_SECONDS"] = "6"
    world.inbox.seconds = 0.01
    for worker in WORKERS:
        world.start_worker(worker)
    world.start_beat()
    people = [f"user-{number}" for number in range(PEOPLE)]
    campaign = _a_full_house(world, people)

    traffic = Traffic(world, SEED, people, EVENTS, seconds=0.3)
    reaper = Reaper(world, SEED, WORKERS)
    traffic.start()
    world.post(f"campaigns/{campaign}/launch")
    reaper.reap(KILLS, _acts(world))
    traffic.join()
    reaper.supervise()
    assert traffic.failure is None, repr(traffic.failure)
    eventually(lambda: not _unrest(), seconds=300, every=0.5, otherwise=_unrest)

    statuses = Counter(Message.objects.values_list("status", flat=True))
    print(
        f"\nseed {SEED}: {dict(reaper.kills)} killed; {traffic.sent.event_count} events in {traffic.sent.requests}"
        f" requests, {Event.objects.filter(definition__name__in=NAMES).count()} stand; messages {dict(statuses)},"
        f" {len(world.inbox.mails)} mails; {Membership.objects.count()} stays in segments;"
        f" {NoticeDelivery.objects.count()} notices delivered"
    )
    assert sum(reaper.kills.values()) == KILLS
    _every_event_stands_once(traffic.sent)
    _every_message_once_or_uncertain(world)
    _memberships_equal_a_full_recompute()
    _every_effect_once(traffic.sent)
    assert Campaign.objects.get(pk=campaign).status == "completed"


def _acts(world: World) -> dict[int, Callable[[], None]]:
    """What happens to Redis, by the number of the kill before which it does."""
    return {
        KILLS * 18 // 50: world.flush_redis,
        KILLS * 30 // 50: world.kill_redis,
        KILLS * 35 // 50: world.start_redis,
        KILLS * 42 // 50: world.flush_redis,
    }


def _a_full_house(world: World, people: list[str]) -> int:
    """People who agreed to mail, segments, a workflow and a campaign that is ready; returns the campaign's id."""
    for start in range(0, PEOPLE, 250):
        identities = [
            {
                "type": "identify",
                "userId": person,
                "traits": {"name": person, "email": f"{person}@crowd.example", "plan": "free"},
            }
            for person in people[start : start + 250]
        ]
        assert world.send(*identities).status_code == 200
    eventually(lambda: Contact.objects.count() == PEOPLE)
    audience.grant_consent(list(Contact.objects.values_list("pk", flat=True)), "email", None, "the sign-up form")
    made = {name: segment_services.create_segment(name=name, rule=rule) for name, rule in RULES.items()}
    eventually(lambda: not Segment.objects.exclude(status=SegmentStatus.READY).exists())
    world.post(
        "automations/",
        {
            "name": "Call the hesitant",
            "slug": "hesitant",
            "trigger_type": "event",
            "trigger_configuration": {"name": "checkout_started"},
            "is_active": True,
            "actions": [
                {"action_type": "add_tag", "action_order": 0, "configuration": {"tag": "warm"}},
                {"action_type": "wait", "action_order": 1, "configuration": {"seconds": 3}},
                {"action_type": "create_task", "action_order": 2, "configuration": {"title": "Call"}},
            ],
        },
        status=201,
    )
    template = world.post(
        "email-templates/",
        {"name": "News", "subject": "News for {{ contact.name }}", "html": "<p>Hello {{ contact.name }}</p>"},
        status=201,
    )
    world.post(f"email-templates/{template['id']}/publish", status=201)
    campaign = world.post(
        "campaigns/",
        {
            "name": "News",
            "template_id": template["id"],
            "audience": {"include": [made["everybody"].pk]},
            "messages_per_minute": PEOPLE,
        },
        status=201,
    )
    return int(campaign["id"])


def _unrest() -> dict[str, int]:
    """What still waits to be worked, by kind; empty when the river is quiet."""
    waiting = {
        "batches": IngestBatch.objects.filter(status=WorkStatus.PENDING).count(),
        "notices": NoticeDelivery.objects.filter(status=WorkStatus.PENDING).count(),
        "messages": Message.objects.filter(status__in=["queued", "held", "sending"]).count(),
        "runs": AutomationRun.objects.filter(status="running").count(),
        "conversions": Conversion.objects.filter(status=WorkStatus.PENDING).count(),
        "segments": Segment.objects.exclude(status=SegmentStatus.READY).count(),
        "campaigns": Campaign.objects.filter(status="active").count(),
        "lately": Membership.objects.filter(segment__slug="lately", left_at=None).count(),
    }
    return {name: count for name, count in waiting.items() if count}


def _every_event_stands_once(sent: storm.Sent) -> None:
    assert not IngestBatch.objects.exclude(status=WorkStatus.DONE).exists()
    assert not RejectedEvent.objects.exists()
    stored = Event.objects.filter(definition__name__in=NAMES)
    assert stored.count() == sent.event_count == EVENTS
    assert stored.values("message_key").distinct().count() == EVENTS
    user_ids = dict(Identity.objects.filter(kind="user_id").values_list("contact_id", "value"))
    counts = Counter(
        (user_ids[contact_id], name) for contact_id, name in stored.values_list("contact_id", "definition__name")
    )
    assert counts == sent.counts
    plans = dict(Contact.objects.filter(user_id__in=sent.plans).values_list("user_id", "attributes__plan"))
    assert plans == sent.plans
    assert Contact.objects.filter(merged_into=None).count() == PEOPLE


def _every_message_once_or_uncertain(world: World) -> None:
    assert Message.objects.count() == PEOPLE
    assert Message.objects.values("contact_id").distinct().count() == PEOPLE
    mails = Counter(world.inbox.recipients)
    for address, status in Message.objects.values_list("contact__email", "status"):
        allowed = {MessageStatus.SENT: {1}, MessageStatus.UNCERTAIN: {0, 1}}.get(MessageStatus(status), {0})
        assert mails[address] in allowed, f"{address} is {status} and got {mails[address]} mails"
    assert not Message.objects.exclude(status__in=[MessageStatus.SENT, MessageStatus.UNCERTAIN]).exists()
    sent = Message.objects.filter(status=MessageStatus.SENT).count()
    assert Event.objects.filter(definition__name="email_sent").count() == sent


def _memberships_equal_a_full_recompute() -> None:
    everybody = list(Contact.objects.values_list("pk", flat=True))
    for segment in Segment.objects.all():
        members = segments.member_ids(segment.pk)
        assert set(members) == segments.matching(segment.rule, everybody), segment.name
        assert segment.member_count == len(members), segment.name
    assert Membership.objects.filter(segment__slug="lately").exists()


def _every_effect_once(sent: storm.Sent) -> None:
    assert not NoticeDelivery.objects.exclude(status=WorkStatus.DONE).exists()
    warm = {person for person, name in sent.counts if name == "checkout_started"}
    runs = AutomationRun.objects.filter(status="completed").values_list("pk", flat=True)
    sources = [int(key.split(":")[1]) for key in Task.objects.values_list("source_key", flat=True) if key]
    assert sorted(sources) == sorted(runs)
    tasks = Counter(Task.objects.values_list("contact__user_id", flat=True))
    assert set(tasks) == warm
    # Who bought in an unknown browser first was two people then, and each was called once.
    assert all(count == 1 for person, count in tasks.items() if person not in sent.owner_of.values())
    tagged = Contact.objects.filter(tags__contains=["warm"], merged_into=None)
    assert set(tagged.values_list("user_id", flat=True)) == warm
    orders = sum(count for (_, name), count in sent.counts.items() if name == "order_completed")
    assert Conversion.objects.count() == orders
    assert Conversion.objects.aggregate(total=Sum("value_minor"))["total"] == sent.orders_minor
