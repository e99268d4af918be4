"""Pause and resume: nobody is lost while a workflow is off, and nobody is hurried when it is on again."""

from __future__ import annotations

from typing import Any

from django.db import connection

from automations.models import Automation, AutomationRun, RunStatus
from automations.services.entries import WORK
from common import clock, doorbell, tenancy
from delivery import services as delivery
from delivery.models import SourceType

# Who fell due in the meantime goes on in the order of falling due, so many at once and then some seconds nobody:
# 6,000 a minute.
SLICE = 1000
SLICE_SECONDS = 10

# Plan: runs_by_automation for the held ones; one probe of the primary key each.
LET_GO_SQL = """
WITH held AS (
    SELECT id, CASE WHEN run_at <= %(now)s THEN
                    %(now)s + make_interval(secs => %(seconds)s * ((row_number() OVER (ORDER BY run_at, id) - 1)
                                                                   / %(slice)s))
                    ELSE run_at END AS run_at
      FROM automations_automationrun
     WHERE organization_id = %(organization)s AND automation_id = %(automation)s AND status = 'held'
)
UPDATE automations_automationrun AS run SET status = 'running', run_at = held.run_at
  FROM held WHERE held.id = run.id AND run.organization_id = %(organization)s AND run.status = 'held'
"""


def hold(automation: Automation) -> None:
    """Those inside stand still, and so do the messages that have not gone out."""
    AutomationRun.objects.filter(automation=automation, status=RunStatus.RUNNING).update(status=RunStatus.HELD)
    delivery.hold(SourceType.AUTOMATION, automation.pk)


def let_go(automation: Automation) -> None:
    """Those inside go on where they stand; who fell due while they were held follow each other in slices."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": automation.pk,
        "now": clock.now(),
        "slice": SLICE,
        "seconds": SLICE_SECONDS,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(LET_GO_SQL, parameters)
    delivery.release(SourceType.AUTOMATION, automation.pk)
    doorbell.ring(WORK)
