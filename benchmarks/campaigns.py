"""(n) Ten thousand campaigns at once: what the scheduler costs while none is due, and how late the latest begins.

First all wait for a date to come: the look of the sweep, once a second, by one indexed query. Then all are scheduled
at random seconds of one minute, each to a small audience of its own segment, and one worker takes what is due, as the
sweep and the doorbell would have it. A campaign has begun when its audience is fixed and its first messages are in
the ledger. Yardstick of the same run: a bare loop of the same rows, a SELECT and three INSERTs for each campaign.
"""

from __future__ import annotations

import random
import statistics
import time
from datetime import timedelta

from benchmarks import campaign, report
from benchmarks.report import Figure

AUDIENCE = 5
LOOKS = 100
BARE_SQL = "INSERT INTO bare (campaign, words) SELECT %s, '{}' FROM generate_series(1, %s)"


def run(*, smoke: bool) -> None:
    from accounts import services as accounts
    from common import tenancy

    count, seconds = (60, 2) if smoke else (10_000, 60)
    organization = accounts.create_organization("Bench", "bench")
    with tenancy.organization(organization.pk):
        _prepare(organization.pk, count)
        idle = _idle_milliseconds()
        lateness, per_second = _begin_all(organization.pk, seconds)
        bare = _bare_per_second(min(count, 1_000))
    lateness.sort()
    report.publish(
        "campaigns",
        [
            Figure("idle look, 10 000 active", 1000 / idle, "looks/s", "one a second", 1),
            Figure("begun by one worker", per_second, "campaigns/s", "a bare loop of the same rows", bare),
            Figure("on time: half are within", 1 / lateness[len(lateness) // 2], "1/s", "2 s late", 0.5),
            Figure("on time: the latest is within", 1 / lateness[-1], "1/s", "2 s late", 0.5),
        ],
        {"worker": report.peak_megabytes()},
    )
    print(f"idle look {idle:.2f} ms; late: median {statistics.median(lateness):.2f} s, most {lateness[-1]:.2f} s")


def _prepare(organization_id: int, count: int) -> None:
    """People, and `count` scheduled campaigns with a segment and a run each; they are due in a week."""
    from django.db import connection

    from campaigns.models import Campaign, CampaignAudience, CampaignRun, EmailTemplate
    from common import clock, tenancy
    from segments.models import Membership, Segment

    first = campaign.prepare(organization_id, 1_000)
    content_id = EmailTemplate.objects.get().published.content_id
    people = list(Membership.objects.values_list("contact_id", flat=True))
    due_at = clock.now() + timedelta(days=7)
    made = Campaign.objects.bulk_create(
        Campaign(name=f"Campaign {n}", template_id=first.template_id, status="scheduled", starts_at=due_at)
        for n in range(count)
    )
    segments = Segment.objects.bulk_create(
        Segment(name=f"Segment {n}", slug=f"segment-{n}", kind="static") for n in range(count)
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


def _begin_all(organization_id: int, seconds: int) -> tuple[list[float], float]:
    """Make all due at random seconds from now and work them; lateness of each in seconds, campaigns begun a second
    of work."""
    from django.db import connection

    from campaigns import services as campaigns
    from campaigns.models import CampaignRun
    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE campaigns_campaignrun SET run_at = date_trunc('second', clock_timestamp()) + interval '2 seconds'"
            " + floor(random() * %s) * interval '1 second'",
            [seconds],
        )
        cursor.execute("UPDATE campaigns_campaignrun SET planned_at = run_at")
    worked = 0.0
    while CampaignRun.objects.filter(is_queued=False).exists():
        started = time.perf_counter()
        for due in campaigns.organizations_due():
            campaigns.work(due)
        spent = time.perf_counter() - started
        worked += spent
        time.sleep(max(0.0, 1.0 - spent))  # the sweep looks once a second
    return _lateness(), CampaignRun.objects.count() / worked


def _lateness() -> list[float]:
    """Seconds from the moment a campaign was due to its first message, for each."""
    from django.db import connection

    from common import tenancy

    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM min(message.created_at) - run.planned_at)::float8"
            " FROM campaigns_campaignrun run JOIN delivery_message message"
            "   ON message.source_type = 'campaign' AND message.source_id = run.campaign_id"
            " GROUP BY run.id, run.planned_at"
        )
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
