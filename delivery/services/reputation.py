"""Looking at the numbers: pausing what harms the sender's name, letting it go on, moving warm-ups up and down.

Rung by what comes back (subscribers), at most every 15 seconds an organisation, and by the clock where something
warms up or waits for its recovery. Everything is derived from the ledger, so a crash changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts import actor, audit
from common import clock, doorbell, tenancy
from common.errors import Conflict
from delivery import deliverability
from delivery.domain import brakes
from delivery.domain.brakes import Brake, Tally
from delivery.models import Hold, Message, MessageStatus, PauseScope, ReputationCheck, SendingDomain, SendingPause
from delivery.services import holds, warmups
from delivery.services.queue import WORK as MESSAGES

WORK = "reputation"
PATIENCE = timedelta(seconds=15)  # between two looks at what comes back
ROUND = timedelta(minutes=5)  # between two looks by the clock

LEASE = timedelta(minutes=1)  # after a crash in the middle somebody looks again

# Asked for again and again, it is looked at once, and never sooner than PATIENCE after the last look began.
ASK_SQL = """
INSERT INTO delivery_reputationcheck AS known (organization_id, due_at) VALUES (%(organization)s, %(now)s)
    ON CONFLICT (organization_id) DO UPDATE
   SET due_at = least(known.due_at, greatest(%(now)s, known.looked_at + %(patience)s))
"""
DUE_SQL = "SELECT organization_id FROM delivery_reputationcheck WHERE due_at <= %s"


def ask() -> None:
    """Something came back: look soon. In the caller's transaction."""
    parameters: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now(), "patience": PATIENCE}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ASK_SQL, parameters)
    doorbell.ring(WORK)


def organizations_due() -> list[int]:
    """Organisations whose numbers are to be looked at now. Plan: reputation_checks_due."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(DUE_SQL, [clock.now()])
        return [row[0] for row in cursor.fetchall()]


def run(organization_id: int) -> int:
    """Look, when it is time to; returns how many decisions were made."""
    with tenancy.organization(organization_id):
        lease = begin()
        if lease is None:
            return 0
        decided = look()
        finish(lease)
    return decided


def begin() -> datetime | None:
    """Take the look that is due; None when none is, or somebody else took it. After a crash it is due again."""
    now = clock.now()
    lease = now + LEASE
    taken = ReputationCheck.objects.filter(due_at__lte=now).update(due_at=lease, looked_at=now)
    return lease if taken else None


def finish(lease: datetime) -> None:
    """The look is done. Whoever asked meanwhile wrote another moment, and that stays."""
    following = clock.now() + ROUND if _goes_by_the_clock() else None
    ReputationCheck.objects.filter(due_at=lease).update(due_at=following)


def _goes_by_the_clock() -> bool:
    warming = SendingDomain.objects.filter(tier__isnull=False).exists()
    return warming or SendingPause.objects.filter(resumed_at=None).exists()


def look() -> int:
    """Judge every sending domain and campaign by what left in the window; returns how many decisions that made."""
    now = clock.now()
    # Another machine's clock may be a little ahead.
    window = (now - brakes.WINDOW, now + timedelta(minutes=1))
    # Each in a transaction of its own: what goes on again locks holds, and a recount locks claims.
    decided = _recover(now)
    readers = ((PauseScope.DOMAIN, deliverability.by_domain), (PauseScope.CAMPAIGN, deliverability.by_campaign))
    for scope, read in readers:
        decided += _brake(scope, read(*window, _resumed(scope, now)))
    return decided + warmups.judge_all(now)


def _resumed(scope: str, now: datetime) -> dict[str, datetime]:
    """What went on again within the window: only what left since then counts."""
    rows = SendingPause.objects.filter(scope=scope, resumed_at__gte=now - brakes.WINDOW).order_by("resumed_at")
    return {pause.target: pause.resumed_at for pause in rows if pause.resumed_at}


def _brake(scope: str, tallies: Mapping[str, Tally]) -> int:
    paused = set(SendingPause.objects.filter(scope=scope, resumed_at=None).values_list("target", flat=True))
    count = 0
    for target, tally in tallies.items():
        what = target if scope == PauseScope.DOMAIN else f"campaign {target}"
        brake = brakes.judge(tally, what)
        if brake is not None and target not in paused:
            _pause(scope, target, brake)
            count += 1
    return count


def _pause(scope: str, target: str, brake: Brake) -> SendingPause:
    with transaction.atomic():
        pause = SendingPause.objects.create(
            scope=scope,
            target=target,
            measure=brake.measure.name,
            sent=brake.sent,
            bad=brake.bad,
            reason=brake.sentence,
            paused_at=clock.now(),
        )
        audit.created(pause)
    return pause


def _recover(now: datetime) -> int:
    count = 0
    for pause in SendingPause.objects.filter(resumed_at=None, scope=PauseScope.DOMAIN):
        because = brakes.recovers(pause.paused_at, earlier_pauses(pause), now)
        if because:
            with transaction.atomic():
                locked = SendingPause.objects.select_for_update().get(pk=pause.pk)
                if locked.resumed_at is None:
                    _end(locked, by="", because=because)
                    count += 1
    return count


def earlier_pauses(pause: SendingPause) -> int:
    """How often the same target was paused in the 30 days before."""
    earlier = SendingPause.objects.filter(scope=pause.scope, target=pause.target).exclude(pk=pause.pk)
    return earlier.filter(paused_at__gte=pause.paused_at - brakes.MEMORY).count()


def resume(pause: SendingPause) -> int:
    """A person lets it go on; what was held for it leaves. Raises `Conflict` when it went on already."""
    with transaction.atomic():
        locked = SendingPause.objects.select_for_update().get(pk=pause.pk)
        if locked.resumed_at is not None:
            raise Conflict("This pause has ended already.")
        return _end(locked, by=actor.current().name, because="Resumed by hand.")


def _end(pause: SendingPause, *, by: str, because: str) -> int:
    with transaction.atomic():
        holds.change_alone()
        with audit.changing(pause, "resume"):
            pause.resumed_at, pause.resumed_by, pause.resumed_because = clock.now(), by, because
            pause.save(update_fields=["resumed_at", "resumed_by", "resumed_because"])
        waiting = Message.objects.filter(status=MessageStatus.HELD, reason=pause.reason)
        for source_type, source_id in Hold.objects.values_list("source_type", "source_id"):
            waiting = waiting.exclude(source_type=source_type, source_id=source_id)
        count = waiting.update(status=MessageStatus.QUEUED, reason="")
        doorbell.ring(MESSAGES)
    return count
