"""The nightly analysis as work: asked for, computed in one transaction, kept as a row a day."""

from __future__ import annotations

import logging
from datetime import date
from zoneinfo import ZoneInfo

from django.db import IntegrityError, OperationalError, connection, transaction

from accounts import actor
from accounts.models import Organization
from campaigns.auto import customers, findings, presets
from campaigns.auto.customers import Read
from campaigns.auto.findings import Found
from campaigns.models import AnalysisCycle, ApprovalPolicy
from common import clock, doorbell, tenancy
from common.models import WorkStatus

logger = logging.getLogger(__name__)

WORK = "campaign_analysis"
# Only who has ever sent an event has anything to look at. Each in its own day.
ASK_EVERYBODY_SQL = """
INSERT INTO campaigns_analysiscycle (organization_id, day, status, rounds, run_at, error, summary)
SELECT known.organization_id, (%(now)s AT TIME ZONE organization.timezone)::date, 'pending', 0, %(now)s, '', '{}'
FROM (SELECT DISTINCT organization_id FROM audience_eventdefinition) known
JOIN accounts_organization organization ON organization.id = known.organization_id
ON CONFLICT (organization_id, day) DO UPDATE SET status = 'pending', run_at = excluded.run_at"""


def today() -> date:
    """The organisation's own date."""
    return clock.now().astimezone(ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone)).date()


def request() -> AnalysisCycle:
    """Have today's cycle computed in the background; asked again, only what it has not made yet can come of it."""
    with transaction.atomic():
        cycle, _ = AnalysisCycle.objects.update_or_create(
            day=today(), defaults={"status": WorkStatus.PENDING, "run_at": clock.now()}
        )
        doorbell.ring(WORK)
    return cycle


def request_everywhere() -> int:
    """The nightly round. Returns how many organisations were asked for; the sweep rings for them."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ASK_EVERYBODY_SQL, {"now": clock.now()})
        asked: int = cursor.rowcount
    return asked


def organizations_due() -> list[int]:
    """Plan: the partial index cycles_to_run."""
    return doorbell.organizations_with("campaigns_analysiscycle", "status = 'pending'")


def work(organization_id: int) -> int:
    """WORK `campaign_analysis`: compute what was asked for; returns how many cycles."""
    worked = 0
    with tenancy.organization(organization_id), actor.acting(actor.Actor("Nightly analysis")):
        for pk in (
            AnalysisCycle.objects.filter(status=WorkStatus.PENDING).order_by("day").values_list("pk", flat=True)
        ):
            worked += _try(pk)
    return worked


def look() -> tuple[Read | str, list[Found]]:
    """A dry run: what a cycle would find now. Nothing is written."""
    with transaction.atomic():
        read = customers.gather(clock.now())
        found = [] if isinstance(read, str) else [findings.count(preset, read) for preset in _watched()]
        transaction.set_rollback(True)
    return read, found


def _try(pk: int) -> int:
    try:
        with transaction.atomic():
            cycle = AnalysisCycle.objects.filter(pk=pk, status=WorkStatus.PENDING).first() if _claim() else None
            if cycle is None:
                return 0
            _compute(cycle)
    except (OperationalError, IntegrityError):
        raise  # the server went away, or somebody wrote beside us: the sweep rings again
    except Exception as error:
        logger.error("The analysis of campaigns could not be computed", exc_info=error)
        AnalysisCycle.objects.filter(pk=pk).update(
            status=WorkStatus.FAILED, error=str(error)[:2000], finished_at=clock.now()
        )
    return 1


def _claim() -> bool:
    """One at a time in an organisation, by an advisory lock: whoever asks again meanwhile must not wait."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))", [WORK, tenancy.required()])
        return bool(cursor.fetchone()[0])


def _compute(cycle: AnalysisCycle) -> None:
    started_at = clock.now()
    read = customers.gather(started_at)
    if not isinstance(read, str):
        for preset in _watched():
            findings.keep(cycle, findings.count(preset, read), read)
    summary = {"problem": read} if isinstance(read, str) else read.as_json()
    rows = AnalysisCycle.objects.filter(pk=cycle.pk)
    rows.update(started_at=started_at, finished_at=clock.now(), summary=summary, error="", rounds=cycle.rounds + 1)
    rows.filter(run_at=cycle.run_at).update(status=WorkStatus.DONE)  # unless it was asked for once more


def _watched() -> list[presets.AutoPreset]:
    return [preset for preset in presets.presets() if preset.policy != ApprovalPolicy.OFF]
