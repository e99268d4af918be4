"""Is the river flowing? One check a line: what it measured, its target, and what to do when it is missed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from redis import RedisError

from audience.models import IngestBatch
from common import clock, doorbell, tenancy
from dashboards.checks import BADGES, CRITICAL, HEALTHY, ORDER, WARNING, Check
from dashboards.links import listing
from dashboards.senders_health import senders
from dashboards.workflows_health import workflows
from delivery.domain import strain
from delivery.models import Message, MessageStatus, Provider
from segments.models import FlipCheck, Segment, SegmentStatus, SelfAudit

COUNTED = 10_000


@dataclass(frozen=True)
class Worked:
    """A worked table: what waits in it, who is late, and what was given up. Names are ours, never typed in."""

    title: str
    table: str
    label: str
    waiting: str  # SQL for "could be worked now"
    due: str = "run_at"
    working: str = ""
    leases: str = ""  # the table that holds the leases, when it is another one
    failed: str = ""
    failed_filter: str = ""
    warning_seconds: int = 10
    critical_seconds: int = 120
    to_do: str = "Is a worker running? Start one with “manage.py up --only worker”, or look into its log."


WORKED: list[Worked] = [
    Worked("Incoming events", "audience_ingestbatch", "audience.ingestbatch", "status = 'pending'",
           failed="status = 'failed'", failed_filter="failed"),
    Worked("Announcements between rooms", "common_noticedelivery", "common.noticedelivery", "status = 'pending'",
           failed="status = 'failed'", failed_filter="failed"),
    Worked("Segment checks by time", "segments_flipcheck", "segments.flipcheck", "TRUE", due="flips_at"),
    Worked("Messages", "delivery_message", "delivery.message", "status = 'queued'", working="TRUE",
           leases="delivery_claim", failed="status = 'failed'", failed_filter="failed", warning_seconds=60,
           critical_seconds=600),
    Worked("Reports of providers", "delivery_providercall", "delivery.providercall", "status = 'pending'",
           failed="status = 'failed'", failed_filter="failed", warning_seconds=60, critical_seconds=600),
    Worked("Campaign runs", "campaigns_campaignrun", "campaigns.campaignrun", "status = 'pending'",
           working="status = 'claimed'", failed="status = 'failed'", failed_filter="failed"),
    Worked("People in automations", "automations_automationrun", "automations.automationrun", "status = 'running'",
           failed="status = 'failed'", failed_filter="failed"),
    Worked("Scheduled tasks", "automations_scheduledtask", "automations.scheduledtask",
           "status IN ('pending', 'retry_scheduled') AND is_active", failed="status = 'failed'",
           failed_filter="failed", warning_seconds=60, critical_seconds=600),
    Worked("Segment builds", "segments_segment", "segments.segment",
           "status = 'building' AND kind = 'dynamic' AND is_active", due="updated_at", failed="status = 'failed'",
           failed_filter="failed", warning_seconds=60, critical_seconds=600),
    Worked("Patterns and suggestions", "segments_analysis", "segments.analysis", "status = 'pending'",
           failed="status = 'failed'", warning_seconds=120, critical_seconds=1_200),
    Worked("Orders to credit", "attribution_conversion", "attribution.conversion", "status = 'pending'",
           failed="status = 'failed'", failed_filter="failed", warning_seconds=60, critical_seconds=600),
]  # fmt: skip

# Plan: each table's partial index on what waits; the count stops at COUNTED rows.
WAITING_SQL = """
SELECT count(*), min(due) FROM (
    SELECT {due} AS due FROM {table}
    WHERE organization_id = %(organization)s AND ({waiting}) AND {due} <= %(now)s ORDER BY {due} LIMIT {counted}
) AS late
"""
EXPIRED_SQL = """
SELECT count(*) FROM (
    SELECT 1 FROM {table}
    WHERE organization_id = %(organization)s AND ({working}) AND lease_expires_at < %(now)s LIMIT {counted}
) AS lapsed
"""
FAILED_SQL = """
SELECT count(*) FROM (
    SELECT 1 FROM {table} WHERE organization_id = %(organization)s AND ({failed}) LIMIT {counted}
) AS dead
"""


@dataclass(frozen=True)
class Queue:
    """Where a worked table stands."""

    worked: Worked
    due_count: int
    oldest: timedelta | None
    expired_count: int
    failed_count: int

    @property
    def status(self) -> str:
        seconds = self.oldest.total_seconds() if self.oldest else 0
        if seconds >= self.worked.critical_seconds:
            return CRITICAL
        if seconds >= self.worked.warning_seconds or self.expired_count or self.failed_count:
            return WARNING
        return HEALTHY

    @property
    def badge(self) -> str:
        return BADGES[self.status]

    @property
    def failed_link(self) -> str:
        return listing(self.worked.label, status__exact=self.worked.failed_filter) if self.worked.failed else ""

    @property
    def oldest_text(self) -> str:
        return span(self.oldest) if self.oldest else "nothing waits"

    @property
    def target(self) -> str:
        return f"under {span(timedelta(seconds=self.worked.warning_seconds))}"


def queues() -> list[Queue]:
    """Every worked table of this organisation."""
    return [_queue(worked) for worked in WORKED]


def _queue(worked: Worked) -> Queue:
    names = {"table": worked.table, "waiting": worked.waiting, "due": worked.due, "counted": COUNTED}
    now = clock.now()
    due_count, first = _read(WAITING_SQL.format(**names), now)
    expired = failed = 0
    if worked.working:
        expired = _read(
            EXPIRED_SQL.format(table=worked.leases or worked.table, working=worked.working, counted=COUNTED), now
        )[0]
    if worked.failed:
        failed = _read(FAILED_SQL.format(**names, failed=worked.failed), now)[0]
    return Queue(worked, due_count, now - first if first else None, expired, failed)


def _read(statement: str, now: datetime) -> tuple[Any, ...]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, {"organization": tenancy.required(), "now": now})
        return tuple(cursor.fetchone())


def span(length: timedelta) -> str:
    """`5 s`, `3 min`, `2 h`, `4 days`: the largest unit that says it."""
    seconds = length.total_seconds()
    for size, unit in ((86_400, "days"), (3600, "h"), (60, "min")):
        if seconds >= 2 * size or (seconds >= size and unit != "days"):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 1 or not seconds else f"{seconds * 1000:.0f} ms"


def level(value: float, warning: float, critical: float) -> str:
    """Healthy below `warning`, critical from `critical` on."""
    return CRITICAL if value >= critical else WARNING if value >= warning else HEALTHY


# --- the machinery -----------------------------------------------------------------------------------


def _ingest_lag() -> Check:
    """From receipt to processed, of the last hundred batches."""
    since = clock.now() - timedelta(minutes=10)
    recent = IngestBatch.objects.filter(processed_at__gte=since).order_by("-id")
    moments = recent.values_list("received_at", "processed_at")[:100]
    lags = sorted((done - received).total_seconds() for received, done in moments if done is not None)
    target = "95 of 100 under 5 s"
    if not lags:
        return Check("Ingest lag", HEALTHY, "no events in the last 10 minutes", target)
    lag = lags[int(len(lags) * 0.95) - (1 if len(lags) > 1 else 0)]
    to_do = "Workers cannot keep up with what comes in: start another “manage.py up --only worker”."
    return Check("Ingest lag", level(lag, 5, 60), span(timedelta(seconds=lag)), target, to_do)


def _segment_lag() -> Check:
    now = clock.now()
    oldest = (
        FlipCheck.objects.filter(flips_at__lte=now).order_by("flips_at").values_list("flips_at", flat=True).first()
    )
    broken = Segment.objects.filter(status=SegmentStatus.FAILED).count()
    link = listing("segments.segment", status__exact="failed") if broken else ""
    lag = (now - oldest).total_seconds() if oldest else 0
    if broken:
        text = f"{broken} could not be built"
        return Check("Segments", CRITICAL, text, "all built", "Open each, read its error, save the rule again.", link)
    to_do = "Workers are behind; people enter and leave segments late."
    return Check("Segments", level(lag, 5, 60), f"{span(timedelta(seconds=lag))} behind", "under 5 s", to_do)


def _self_audit() -> Check:
    """What last night's comparison of stored memberships with their rules found."""
    title, target = "Segments by the book", "no difference, every night"
    last = SelfAudit.objects.order_by("-ran_at").first()
    if last is None:
        to_do = "Beat runs it every night at four; it has not run yet."
        return Check(title, HEALTHY, "not looked at yet", target, to_do)
    looked = f"{last.contact_count:,} contacts in {last.segment_count:,} segments"
    if last.difference_count:
        to_do = "They were put right; the log names them. A membership that goes wrong is a fault: please report it."
        text = f"{last.difference_count:,} memberships were wrong among {looked}"
        return Check(title, CRITICAL, text, target, to_do, listing("segments.selfaudit"))
    age = clock.now() - last.ran_at
    to_do = "Is Beat running? It should look every night."
    text = f"no difference among {looked}, {span(age)} ago"
    status = level(age.total_seconds(), 36 * 3600, 7 * 86_400)
    return Check(title, status, text, target, to_do, listing("segments.selfaudit"))


def _partitions() -> Check:
    """Months for which the event table has room."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            """SELECT max((regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)'''))[1]::timestamptz)
               FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'audience_event'::regclass"""
        )
        until = cursor.fetchone()[0]
    to_do = "Is Beat running? It makes the coming months' partitions every night."
    if until is None:
        return Check("Room for events", WARNING, "no month yet", "2 months ahead", to_do)
    days = (until.astimezone(UTC) - clock.now()).days
    status = HEALTHY if days >= 31 else WARNING if days >= 7 else CRITICAL
    return Check("Room for events", status, f"until {until:%-d %B %Y}", "a month ahead", to_do)


def _redis_and_beat() -> list[Check]:
    started = clock.now()
    try:
        doorbell.client().ping()
        last = doorbell.last_beat()
    except RedisError as error:
        to_do = "Start Redis again. Nothing is lost: work goes on late, by the sweep, as soon as it answers."
        return [
            Check("Redis", CRITICAL, f"does not answer: {error}", "answers", to_do),
            Check("Beat and a worker", WARNING, "unknown without Redis", "within 10 s", to_do),
        ]
    took = clock.now() - started
    redis = Check("Redis", level(took.total_seconds(), 0.1, 1), f"answers in {span(took)}", "under 100 ms")
    to_do = "Run exactly one “manage.py up --only beat” and at least one worker; without them nothing is swept."
    if last is None:
        return [redis, Check("Beat and a worker", CRITICAL, "never seen", "within 10 s", to_do)]
    age = clock.now() - last
    status = level(age.total_seconds(), 10, 60)
    return [redis, Check("Beat and a worker", status, f"{span(age)} ago", "within 10 s", to_do)]


def _database() -> Check:
    with connection.cursor() as cursor:
        started = clock.now()
        cursor.execute("SELECT pg_database_size(current_database()), current_setting('server_version')")
        size, version = cursor.fetchone()
    took = clock.now() - started
    text = f"PostgreSQL {version.split()[0]}, {size / 1024**2:,.0f} MB, answers in {span(took)}"
    return Check("Database", level(took.total_seconds(), 0.25, 2), text, "under 250 ms")


def _providers() -> Check:
    """Accounts that messages leave by: one that is paused holds up all that goes through it."""
    title, target = "Providers", "none paused"
    paused = list(Provider.objects.filter(paused_at__isnull=False, is_active=True).order_by("paused_at", "pk"))
    if not paused:
        return Check(title, HEALTHY, "none paused", target)
    first = paused[0]
    more = f" (and {len(paused) - 1} more)" if len(paused) > 1 else ""
    status = CRITICAL if any(row.paused_because for row in paused) else WARNING
    link = listing("delivery.provider")
    return Check(
        title,
        status,
        f"{first.name}: {first.paused_reason}{more}",
        target,
        strain.what_now(first.paused_because),
        link,
    )


def _uncertain_messages() -> Check:
    """Messages of which nobody knows whether they left."""
    title, target = "Uncertain messages", "none"
    count = Message.objects.filter(status=MessageStatus.UNCERTAIN)[:COUNTED].count()
    if not count:
        return Check(title, HEALTHY, "none", target)
    to_do = "Open the list, look for them at the provider, and mark them as sent or send them again."
    link = listing("delivery.message", status__exact=MessageStatus.UNCERTAIN)
    return Check(title, WARNING, f"{count:,} may have left the house, or not", target, to_do, link)


MACHINERY: list[Callable[[], Check]] = [
    _database,
    _ingest_lag,
    _segment_lag,
    _self_audit,
    _partitions,
    senders,
    _providers,
    _uncertain_messages,
    workflows,
]


def machinery() -> list[Check]:
    """Everything that is not a queue."""
    return [*_redis_and_beat(), *(check() for check in MACHINERY)]


def worst(statuses: Sequence[str]) -> str:
    """The status of the whole."""
    return max(statuses, key=ORDER.index, default=HEALTHY)
