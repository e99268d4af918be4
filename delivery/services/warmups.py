"""Starting, judging and ending the warm-up of a sending domain."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts import audit
from common import clock, doorbell, tenancy
from common.errors import Conflict, Invalid
from delivery import deliverability, lanes
from delivery.deliverability import Traffic
from delivery.domain import mailboxes, rates, warmup
from delivery.domain.warmup import Record, Verdict
from delivery.models import LaneDay, ReputationCheck, SendingDomain, SlowLane
from delivery.services import claiming, seating
from delivery.services.queue import WORK as MESSAGES

LOOK_BACK = timedelta(days=60)
DEFERRED_LIMIT = 0.1  # a provider that puts off so many of a day's mails gets fewer
DEFERRED_ENOUGH = 20
MOST_REDUCTION = 3

# Seated mails are seated anew by the next claim, by the new amounts.
UNSEAT_SQL = """
UPDATE delivery_message AS message SET run_at = %(now)s, reason = ''
 WHERE organization_id = %(organization)s AND status = 'queued' AND run_at > %(now)s
   AND (starts_with(reason, %(waits)s || %(domain)s || ' ')
        OR starts_with(reason, %(waits)s) AND position(%(slow)s || %(domain)s || ',' in reason) > 0)
"""
# What was really handed over today, by the ledger; claimed and not yet handed over counts, too.
# Plan: messages_handed_over from the day's start on, and the messages of the claims by primary key.
USED_SQL = f"""
SELECT split_part(message.address, '@', 2), count(*)
  FROM (SELECT id FROM delivery_message WHERE organization_id = %(organization)s AND handed_at >= %(since)s
         UNION
        SELECT unnest(message_ids) FROM delivery_claim WHERE organization_id = %(organization)s) AS today
  JOIN delivery_message AS message
    ON message.id = today.id AND message.organization_id + 0 = %(organization)s {lanes.SENDER_JOIN}
 WHERE message.channel = 'email' AND message.source_type <> 'test' AND {lanes.SENDER_DOMAIN} = %(domain)s
   AND (message.status = 'sending' OR message.handed_at >= %(since)s)
 GROUP BY 1
"""


def domain_row(name: str) -> SendingDomain:
    """The row of a sending domain, made when there is none yet."""
    return SendingDomain.objects.get_or_create(name=name)[0]


def start(name: str, goal_per_day: int) -> SendingDomain:
    """Begin to warm up a domain that one of our senders uses. Raises `Invalid`, or `Conflict` when it goes on."""
    if name not in lanes.senders().domains():
        sentence = f"No sender has an address at {name}. Add the sender first."
        raise Invalid(sentence, details={"domain": sentence})
    if not warmup.TIERS[0].per_day < goal_per_day <= warmup.MOST_PER_DAY:
        sentence = f"The amount a day must be between {warmup.TIERS[0].per_day + 1} and {warmup.MOST_PER_DAY:,}."
        raise Invalid(sentence, details={"volume": sentence})
    with transaction.atomic():
        domain = SendingDomain.objects.select_for_update().get(pk=domain_row(name).pk)
        if domain.tier is not None:
            raise Conflict(f"{name} is warming up already.")
        now = clock.now()
        with audit.changing(domain, "start warm-up"):
            domain.tier, domain.tier_since, domain.goal_per_day = 0, now, goal_per_day
            domain.warmup_started_at, domain.judged_on = now, lanes.today(now).date
            first = warmup.budget(0, goal_per_day)
            domain.tier_reason = f"The warm-up began: {first:,} marketing mails a day at first."
            domain.save()
        recount(domain, lanes.today(now))
        _look_by_the_clock(now)
    return domain


def stop(domain: SendingDomain) -> SendingDomain:
    """End a warm-up before its time; all that waits may go at once. Raises `Conflict` when none goes on."""
    with transaction.atomic():
        locked = SendingDomain.objects.select_for_update().get(pk=domain.pk)
        if locked.tier is None:
            raise Conflict(f"{locked.name} is not warming up.")
        with audit.changing(locked, "stop warm-up"):
            _finish(locked, "The warm-up was ended by hand; there is no limit a day any more.")
    return locked


def _look_by_the_clock(now: datetime) -> None:
    ReputationCheck.objects.get_or_create()
    ReputationCheck.objects.filter(due_at=None).update(due_at=now)


def judge_all(now: datetime) -> int:
    """Count today's use by the ledger, and judge each warm-up once a day; returns how many tiers changed."""
    today = lanes.today(now)
    changed = 0
    for pk in list(SendingDomain.objects.filter(tier__isnull=False).order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            domain = SendingDomain.objects.select_for_update().filter(pk=pk, tier__isnull=False).first()
            if domain is None:
                continue
            recount(domain, today)
            if domain.judged_on is None or domain.judged_on < today.date:
                changed += _judge(domain, today)
    return changed


def record_of(domain: SendingDomain, now: datetime) -> Record:
    """What the domain did on its tier so far."""
    assert domain.tier is not None and domain.tier_since is not None
    since = max(domain.tier_since, now - LOOK_BACK)
    tally = deliverability.by_domain(since, now + timedelta(minutes=1)).get(domain.name)
    enough = warmup.USED_SHARE * warmup.budget(domain.tier, domain.goal_per_day)
    used = LaneDay.objects.filter(
        domain=domain, provider=seating.ALL, day__gte=lanes.today(since).date, day__lt=lanes.today(now).date
    )
    days = used.filter(used__gte=enough).count()
    return Record(days, *((tally.sent, tally.bounced, tally.complained) if tally else (0, 0, 0)))


def _judge(domain: SendingDomain, today: lanes.Day) -> int:
    assert domain.tier is not None
    now = clock.now()
    decision = warmup.decide(domain.tier, domain.goal_per_day, record_of(domain, now))
    with audit.changing(domain, f"warm-up: {decision.verdict}"):
        domain.judged_on = today.date
        domain.tier_reason = decision.sentence
        if decision.verdict == Verdict.FINISH:
            _finish(domain, decision.sentence)
        elif decision.tier != domain.tier:
            domain.tier, domain.tier_since = decision.tier, now
            _seat_anew(domain, today)
        domain.save()
    _judge_lanes(domain, today)
    return int(decision.verdict in (Verdict.PROMOTE, Verdict.DEMOTE, Verdict.FINISH))


def _finish(domain: SendingDomain, sentence: str) -> None:
    domain.tier = domain.tier_since = None
    domain.tier_reason = sentence
    domain.save()
    SlowLane.objects.filter(domain=domain).delete()
    _seat_anew(domain, lanes.today(clock.now()))


def _seat_anew(domain: SendingDomain, today: lanes.Day) -> None:
    """Whoever has a place gives it back and asks again."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "now": clock.now(),
        "waits": seating.WAITS,
        "slow": seating.SLOW,
        "domain": domain.name,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(UNSEAT_SQL, parameters)
    LaneDay.objects.filter(domain=domain, day__gte=today.date).update(booked=0, booked_until=None)
    doorbell.ring(MESSAGES)


def _judge_lanes(domain: SendingDomain, today: lanes.Day) -> None:
    """Slow down where a mailbox provider put off much of yesterday's mail, and speed up where it took it again."""
    before = lanes.Day(today.starts_at - timedelta(days=1))
    parts = deliverability.traffic(before.starts_at, today.starts_at, str(today.starts_at.tzinfo))
    mine = deliverability.add_up(
        {key: counts for key, counts in parts.items() if key.domain == domain.name}, "provider"
    )
    known = {lane.provider: lane for lane in SlowLane.objects.filter(domain=domain)}
    for provider in mine.keys() | known.keys():
        _judge_lane(domain, provider, mine.get(provider, Traffic()), known.get(provider))


def _judge_lane(domain: SendingDomain, provider: str, counts: Traffic, lane: SlowLane | None) -> None:
    share = rates.rate(counts.deferred, counts.sent)
    if counts.sent >= DEFERRED_ENOUGH and share >= DEFERRED_LIMIT:
        reduction = min(MOST_REDUCTION, (lane.reduction if lane else 0) + 1)
        label = mailboxes.LABELS.get(provider, provider)
        reason = f"{label} put off {counts.deferred:,} of {counts.sent:,} mails in a day ({warmup.percent(share)})."
        SlowLane.objects.update_or_create(
            domain=domain,
            provider=provider,
            defaults={"reduction": reduction, "reason": reason, "since": clock.now()},
        )
    elif lane is not None and lane.reduction > 1:
        SlowLane.objects.filter(pk=lane.pk).update(reduction=lane.reduction - 1)
    elif lane is not None:
        lane.delete()


def recount(domain: SendingDomain, today: lanes.Day) -> dict[str, int]:
    """Set today's use to what the ledger says: a crash or a retry between claim and hand-over leaves no error."""
    claiming.one_claim_at_a_time()
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "domain": domain.name,
        "since": today.starts_at,
        **lanes.senders().parameters(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(USED_SQL, parameters)
        rows = cursor.fetchall()
    providers = lanes.providers_of({row[0] for row in rows})
    used: dict[str, int] = {seating.ALL: sum(row[1] for row in rows)}
    for recipient_domain, count in rows:
        used[providers[recipient_domain]] = used.get(providers[recipient_domain], 0) + count
    LaneDay.objects.filter(domain=domain, day=today.date).exclude(provider__in=list(used)).update(used=0)
    for provider, count in used.items():
        LaneDay.objects.update_or_create(domain=domain, provider=provider, day=today.date, defaults={"used": count})
    return used
