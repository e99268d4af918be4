"""Workflows that the clock starts: each turn once, a late one once for all that were missed."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from automations import configuration
from automations.models import Automation, TriggerTurn
from automations.services import entries
from automations.services.entries import Entry
from automations.triggers import TRIGGERS
from automations.triggers.clock import Clock, Selected
from common import clock, tenancy

logger = logging.getLogger(__name__)

WORK = "automation_turns"
RETRY = timedelta(minutes=1)
# However often a date is written, its workflow looks at all of them at most this often.
SHORTEST_PAUSE = timedelta(minutes=5)

# Plan: listening_automations by key, then the turn's unique automation.
TOUCH_SQL = """
UPDATE automations_triggerturn AS turn
   SET run_at = least(turn.run_at, greatest(%(now)s, turn.looked_at + %(pause)s))
  FROM automations_automation AS automation
 WHERE automation.organization_id = %(organization)s AND automation.is_active
   AND automation.trigger_key = ANY(%(keys)s) AND turn.automation_id = automation.id
"""


def keep(automation: Automation) -> None:
    """Set, leave or take away the next turn, as the trigger of the workflow now says and whether it is on.

    A trigger that stays keeps its turn; what a workflow missed while it was off is not made up for.
    """
    kind = TRIGGERS.get(automation.trigger_type)
    if kind is None or kind.clock is None or not automation.is_active:
        TriggerTurn.objects.filter(automation=automation).delete()
        return
    trigger = {"type": automation.trigger_type, "configuration": automation.trigger_configuration}
    if TriggerTurn.objects.filter(automation=automation, trigger=trigger).exists():
        return
    now = clock.now()
    following = kind.clock.following(configuration.read(kind.configuration, trigger["configuration"]), now)
    values = {"trigger": trigger, "turn_at": following, "run_at": following, "looked_at": now}
    TriggerTurn.objects.update_or_create(automation=automation, defaults=values)


def touch(keys: set[str]) -> None:
    """Dates were written that workflows start on: they look again soon."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "keys": sorted(keys),
        "now": clock.now(),
        "pause": SHORTEST_PAUSE,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(TOUCH_SQL, parameters)


def run(organization_id: int) -> int:
    """Serve every turn that is due; returns how many were."""
    served = 0
    with tenancy.organization(organization_id):
        while _serve_one():
            served += 1
    return served


def _serve_one() -> bool:
    """One turn, its entries and the next moment in one transaction: a kill takes all of it back."""
    with transaction.atomic():
        turns = TriggerTurn.objects.select_for_update(skip_locked=True, of=("self",)).select_related("automation")
        turn = turns.filter(run_at__lte=clock.now()).order_by("run_at", "pk").first()
        if turn is None:
            return False
        try:
            with transaction.atomic():
                _serve(turn)
        except Exception as error:
            logger.error("The turn of workflow %s failed and is tried again", turn.automation_id, exc_info=error)
            turn.run_at = clock.now() + RETRY
        turn.save(update_fields=["turn_at", "run_at", "looked_at"])
    return True


def _serve(turn: TriggerTurn) -> None:
    now, automation = clock.now(), turn.automation
    kind = TRIGGERS.find(turn.trigger["type"])
    settings = configuration.read(kind.configuration, turn.trigger["configuration"])
    turns: Clock | None = kind.clock
    assert turns is not None
    immediate = {automation.pk} if automation.run_immediately else set()
    for block in turns.due(settings, turn.turn_at, turn.looked_at, now):
        if isinstance(block, Selected):
            entries.enter_selected(automation.pk, block, immediate=bool(immediate))
            continue
        entered = [Entry(automation.pk, one.contact_id, one.cause, one.facts) for one in block]
        entries.enter(entered, immediate=immediate)
    turn.looked_at = now
    turn.turn_at = turn.run_at = turns.following(settings, now)
