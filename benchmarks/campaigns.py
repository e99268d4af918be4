"""(n) Ten thousand campaigns at once: what the scheduler costs while none is due, and how late the latest begins.

First all wait for a date to come: the look of the sweep, once a second, by one indexed query. Then the plain ones are
scheduled at random seconds of one minute, and the others all in its last second, as weekly at nine is when all weekly
ones are due: recurring, by contacts' clocks, at best times, paced and with a budget in equal parts. Each addresses a
small audience of its own segment; one worker takes what is due, as the sweep and the doorbell would have it. A
campaign has begun when its audience is fixed, with everybody's moment, and what is due of its messages is in the
ledger. Yardstick of the same run: a bare loop of the same rows, a SELECT and three INSERTs for each campaign.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import timedelta
from typing import Any

from benchmarks import campaign, report
from benchmarks.report import Figure

AUDIENCE = 5
LOOKS = 100
FULL, SMALL = (10_000, 1_000, 60), (60, 20, 2)  # campaigns, of mixed kinds, seconds
ZONES = ("Europe/London", "America/New_York", "Asia/Kolkata", "Pacific/Auckland")
DAILY = {"version": 1, "every": "day", "time": "09:00"}
MIXED: list[dict[str, Any]] = [
    {"timing": "recurring", "recurrence": DAILY},
    {"timing": "recurring", "recurrence": DAILY | {"zone": "contact"}},
    {"timing": "local", "local_time": "18:00"},
    {"timing": "best"},
    {"messages_per_minute": 600},
    {"budget_minor": 1_000, "message_cost_minor": 1},
]
DUE_SQL = """
UPDATE campaigns_campaignrun run SET run_at = due.at, planned_at = due.at
FROM (SELECT id, date_trunc('second', clock_timestamp()) + interval '2 seconds' + interval '1 second'
             * CASE description WHEN 'mixed' THEN %(seconds)s ELSE floor(random() * %(seconds)s) END AS at
      FROM campaigns_campaign OFFSET 0) AS due
WHERE due.id = run.campaign_id
"""
LATENESS_SQL = """
SELECT extract(epoch FROM coalesce(message.written_at, run.snapshot_at) - run.planned_at)::float8
FROM campaigns_campaignrun run JOIN campaigns_campaign campaign ON campaign.id = run.campaign_id
LEFT JOIN LATERAL (
    SELECT min(created_at) AS written_at FROM delivery_message
    WHERE organization_id = run.organization_id AND source_type = 'campaign' AND source_id = run.campaign_id
      AND starts_with(idempotency_key, 'campaign:' || run.id || ':')) AS message ON true
WHERE run.number = 1 AND campaign.description = %s
"""


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    count, at_nine, seconds = SMALL if smoke else FULL
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _prepare(organization.pk, count, at_nine)
        idle = _idle_milliseconds()
        per_second = _begin_all(seconds)
        plain, mixed = _lateness("plain"), _lateness("mixed")
        bare = _bare_per_second(min(count, 1_000))
    lateness = sorted(plain + mixed)
    report.publish(
        "campaigns",
        [
            Figure("idle look, 10 000 active", 1000 / idle, "looks/s", "one a second", 1),
            Figure("begun by one worker", per_second, "campaigns/s", "a bare loop of the same rows", bare),
            Figure("on time: half are within", 1 / lateness[len(lateness) // 2], "1/s", "2 s late", 0.5),
            Figure("on time: the latest is within", 1 / lateness[-1], "1/s", "2 s late", 0.5),
            Figure(f"{at_nine} of mixed kinds in one second: the latest", 1 / max(mixed), "1/s", "2 s late", 0.5),
        ],
        {"worker": report.peak_megabytes()},
    )
    print(f"idle look {idle:.2f} ms; late: median {statistics.median(lateness):.2f} s, most {lateness[-1]:.2f} s")
    print(f"{at_nine} of mixed kinds: median {statistics.median(mixed):.2f} s late, most {max(mixed):.2f} s")


def _prepare(organization_id: int, count: int, at_nine: int) -> None:
    """People on many clocks, and `count` scheduled campaigns with a segment and a run each, `at_nine` of them of
    mixed kinds; all are due in a week."""
    from django.db import connection

    from audience.models import Contact
    from campaigns.models import Campaign, CampaignAudience, CampaignRun, EmailTemplate
    from common import clock, tenancy
    from segments.models import Membership, Segment

    first = campaign.prepare(organization_id, 1_000)
    content_id = EmailTemplate.objects.get().published.content_id
    people = list(Membership.objects.values_list("contact_id", flat=True))
    for number, zone in enumerate(ZONES):
        Contact.objects.filter(pk__in=people[number :: len(ZONES)]).update(timezone=zone)
    due_at = clock.now() + timedelta(days=7)
    made = Campaign.objects.bulk_create(
        Campaign(
            name=f"Campaign {n}", template_id=first.template_id, status="scheduled", starts_at=due_at,
            **(MIXED[n % len(MIXED)] | {"description": "mixed"} if n < at_nine else {"description": "plain"}),
        )
        for n in range(count)
    )  # fmt: skip
    segments = Segment.objects.bulk_create(
        Segment(name=f"Segment {n}", slug=f"segment-{n}", kind="static", member_count=AUDIENCE) for n in range(count)
    )
    Membership.objects.bulk_create(
        Membership(segment=segment, contact_id=contact_id)
        for segment in segments
        for contact_id in random.sample(people, AUDIENCE)
    )
    CampaignAudience.objects.bulk_create(
        CampaignAudience(campaign=one, segment=segment) for one, segment in zip(made, segments, strict=True)
    )
    CampaignRun.objects.bulk_create(
        CampaignRun(campaign=one, content_id=content_id, run_at=due_at, planned_at=due_at) for one in made
    )
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _idle_milliseconds() -> float:
    from campaigns import services as campaigns

    taken = []
    for _ in range(LOOKS):
        started = time.perf_counter()
        assert campaigns.organizations_due() == []
        taken.append(time.perf_counter() - started)
    return statistics.median(taken) * 1000


def _begin_all(seconds: int) -> float:
    """Make all due from now on and work them; campaigns begun a second of work."""
    from django.db import connection

    from campaigns import services as campaigns
    from campaigns.models import CampaignRun
    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DUE_SQL, {"seconds": seconds})
    begun, worked = CampaignRun.objects.count(), 0.0
    while CampaignRun.objects.filter(number=1, snapshot_at=None).exists():
        started = time.perf_counter()
        for due in campaigns.organizations_due():
            campaigns.work(due)
        spent = time.perf_counter() - started
        worked += spent
        time.sleep(max(0.0, 1.0 - spent))  # the sweep looks once a second
    return begun / worked


def _lateness(kind: str) -> list[float]:
    """Seconds from the moment a campaign was due to its first message, or where that is for later to the fixed
    audience, for each."""
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(LATENESS_SQL, [kind])
        return [row[0] for row in cursor.fetchall()]


def _bare_per_second(count: int) -> float:
    """The rows of a small campaign, written by hand, a transaction each."""
    from django.db import connection, transaction

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute("CREATE TABLE bare (id bigserial PRIMARY KEY, campaign bigint, words jsonb)")
    started = time.perf_counter()
    for number in range(count):
        with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
            cursor.execute("SELECT id FROM bare WHERE id = %s", [number])
            for _ in range(3):
                cursor.execute(
                    "INSERT INTO bare (campaign, words) SELECT %s, '{}' FROM generate_series(1, %s)",
                    [number, AUDIENCE],
                )
    return count / (time.perf_counter() - started)
