"""Accounts that fail are paused with a reason, and tried again with one message when their time has come."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Sequence

from django.db import transaction

from accounts import actor, audit
from audience.models import MessageChannel
from common import clock, doorbell, tenancy
from delivery.domain import strain
from delivery.domain.outcomes import Outcome, OutcomeKind
from delivery.domain.strain import Stop, Strain
from delivery.models import Provider
from delivery.providers import site
from delivery.services.queue import WORK
from delivery.services.routing import Route

logger = logging.getLogger(__name__)

MOST_KEPT = 100
WHO = actor.Actor("the send loop")
# By organisation and Route.key: what this process has heard lately. Each worker judges for itself; one that stops,
# stops all.
_strains: OrderedDict[tuple[int, str], Strain] = OrderedDict()


def note(route: Route, outcomes: Sequence[Outcome]) -> None:
    """Take in the outcomes of a flight. What has neither an account nor EMAIL_URL behind it cannot be paused."""
    if not outcomes or (route.account_id is None and route.provider is not site.PROVIDER):
        return
    if route.is_probe:
        _end_probe(route, outcomes)
        return
    key = (tenancy.required(), route.key)
    known = _strains.setdefault(key, Strain())
    _strains.move_to_end(key)
    if len(_strains) > MOST_KEPT:
        _strains.popitem(last=False)
    stop = known.judge(route.name, outcomes)
    if stop is not None:
        _pause(_account(route), stop)
        _strains.pop(key, None)


def _account(route: Route) -> int:
    """The row to pause. EMAIL_URL has none until it is paused in this organisation for the first time."""
    if route.account_id is not None:
        return route.account_id
    row, is_new = Provider.objects.get_or_create(
        kind=site.PROVIDER.name, channel=MessageChannel.EMAIL, defaults={"name": site.PROVIDER.label}
    )
    if is_new:
        audit.created(row)
    return row.pk


def _end_probe(route: Route, outcomes: Sequence[Outcome]) -> None:
    """One message tried whether the account works again."""
    assert route.account_id is not None
    if any(strain.is_good(outcome) for outcome in outcomes):
        _resume(route.account_id)
        return
    refused = next((each for each in outcomes if each.is_account_refused), None)
    tried = next((each for each in outcomes if each.kind != OutcomeKind.REFUSED), None)
    if tried is None:
        return  # the template failed, which says nothing about the provider: the next message tries
    said = refused or tried
    because = "account" if refused else "errors"
    _pause(route.account_id, Stop(because, f"{route.name} still fails: {said.answer}"[: strain.LONGEST_REASON]))


def _pause(account_id: int, stop: Stop) -> None:
    with transaction.atomic(), actor.acting(WHO):
        row = Provider.objects.select_for_update().filter(pk=account_id).first()
        if row is None or (row.paused_at is not None and not row.paused_because):
            return  # gone, or a person paused it
        logger.warning("Account %s is paused: %s", row.pk, stop.reason)
        with audit.changing(row, "pause"):
            row.paused_at = row.paused_at or clock.now()
            row.paused_reason, row.paused_because = stop.reason, stop.because
            row.pause_count += 1
            row.probe_at = clock.now() + strain.probe_after(stop.because, row.pause_count)
            row.save(update_fields=["paused_at", "paused_reason", "paused_because", "pause_count", "probe_at"])


def _resume(account_id: int) -> None:
    with transaction.atomic(), actor.acting(WHO):
        row = Provider.objects.select_for_update().filter(pk=account_id).first()
        if row is None or not row.paused_because:
            return
        with audit.changing(row, "resume"):
            row.paused_at, row.paused_reason, row.paused_because, row.probe_at = None, "", "", None
            row.pause_count = 0
            row.save(update_fields=["paused_at", "paused_reason", "paused_because", "pause_count", "probe_at"])
        doorbell.ring(WORK)


def reset() -> None:
    """Forget what was heard: for tests."""
    _strains.clear()
