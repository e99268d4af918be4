"""Invitees who do what the programme asks for, what both sides earn by it, and orders that come back."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from django.db import connection

from audience import services as audience
from common import clock, tenancy
from viral.models import Program, Referral
from viral.services import arrivals
from viral.services.clicks import QUALIFIED, event

PAIRED = "SELECT pair.definition_id FROM unnest({programs}, {definitions}) AS pair(program_id, definition_id)"
GOALS = PAIRED.format(programs="%(programs)s::bigint[]", definitions="%(definitions)s::bigint[]")
REFUNDS = PAIRED.format(programs="%(refund_programs)s::bigint[]", definitions="%(refund_definitions)s::bigint[]")

# Plan: the referrals of these contacts by referral_by_invitee, each with one range of event_by_contact.
QUALIFY_SQL = f"""
UPDATE viral_referral AS referral
SET status = 'qualified', qualified_at = goal.happened_at, goal_event_id = goal.id, value_minor = goal.value_minor,
    currency = coalesce(goal.currency, ''), order_id = left(coalesce(goal.order_id, ''), 200)
FROM viral_referral AS open
CROSS JOIN LATERAL (
    SELECT event.id, event.happened_at, event.value_minor, event.currency, event.properties ->> 'order_id' AS order_id
    FROM audience_event AS event
    WHERE event.organization_id = %(organization)s AND event.contact_id = open.invitee_id
      AND event.definition_id IN ({GOALS} WHERE pair.program_id = open.program_id)
      AND event.happened_at >= open.signed_up_at AND coalesce(event.value_minor, 0) >= 0
    ORDER BY event.happened_at, event.id LIMIT 1) AS goal
WHERE referral.id = open.id AND open.organization_id = %(organization)s
  AND open.invitee_id = ANY(%(contacts)s) AND open.status = 'signed_up'
RETURNING referral.id
"""
# Once per referral and side, whoever else is at it: the unique constraint says so.
REWARD_SQL = """
INSERT INTO viral_reward (organization_id, referral_id, contact_id, side, kind, amount, currency, status, created_at,
                          decided_at)
SELECT %(organization)s, referral.id, side.contact_id, side.side, side.kind, side.amount,
       CASE WHEN side.kind = 'points' THEN '' ELSE coalesce(nullif(program.currency, ''), organization.currency) END,
       CASE WHEN program.requires_approval THEN 'pending' ELSE 'approved' END, %(now)s,
       CASE WHEN program.requires_approval THEN NULL ELSE %(now)s::timestamptz END
FROM viral_referral AS referral
JOIN viral_program AS program ON program.id = referral.program_id
JOIN accounts_organization AS organization ON organization.id = %(organization)s
CROSS JOIN LATERAL (VALUES
    ('inviter', referral.inviter_id, program.inviter_reward_kind, program.inviter_reward_amount),
    ('invitee', referral.invitee_id, program.invitee_reward_kind, program.invitee_reward_amount)
) AS side(side, contact_id, kind, amount)
WHERE referral.organization_id = %(organization)s AND referral.id = ANY(%(referrals)s)
  AND side.kind <> 'none' AND side.amount > 0
ON CONFLICT (referral_id, side) DO NOTHING
"""
REWARDED_SQL = """
UPDATE viral_referral AS referral SET status = 'rewarded', rewarded_at = %(now)s
WHERE referral.organization_id = %(organization)s AND referral.id = ANY(%(referrals)s)
  AND referral.status = 'qualified'
  AND EXISTS (SELECT 1 FROM viral_reward AS reward WHERE reward.referral_id = referral.id)
  AND NOT EXISTS (SELECT 1 FROM viral_reward AS reward
                  WHERE reward.referral_id = referral.id AND reward.status <> 'approved')
"""
# An order counts as given back when refunds that name it (or name none) reach its worth; a part of it does not.
REVERSE_SQL = f"""
UPDATE viral_referral AS referral SET status = 'rejected', reason = 'refunded', rejected_at = %(now)s
FROM viral_referral AS earned
CROSS JOIN LATERAL (
    SELECT bool_or(event.value_minor IS NULL) AS is_whole, sum(abs(event.value_minor)) AS value_minor
    FROM audience_event AS event
    WHERE event.organization_id = %(organization)s AND event.contact_id = earned.invitee_id
      AND event.happened_at >= earned.qualified_at
      AND (event.definition_id IN ({REFUNDS} WHERE pair.program_id = earned.program_id)
           OR (event.value_minor < 0 AND event.definition_id IN ({GOALS} WHERE pair.program_id = earned.program_id)))
      AND (coalesce(event.properties ->> 'order_id', '') IN ('', earned.order_id) OR earned.order_id = '')
) AS back
WHERE referral.id = earned.id AND earned.organization_id = %(organization)s
  AND earned.invitee_id = ANY(%(contacts)s) AND earned.status IN ('qualified', 'rewarded')
  AND (back.is_whole OR back.value_minor >= greatest(earned.value_minor, 1))
RETURNING referral.id
"""
TAKE_BACK_SQL = """
UPDATE viral_reward SET status = 'reversed', reason = %(why)s, decided_at = %(now)s
WHERE organization_id = %(organization)s AND referral_id = ANY(%(referrals)s) AND status <> 'reversed'
"""


def qualify(programs: Sequence[Program], contact_ids: Collection[int]) -> None:
    """Move the referrals of these invitees on: qualified, rewarded, or taken back. Idempotent, in any order."""
    parameters = _parameters(programs, contact_ids)
    qualified = _returned(QUALIFY_SQL, parameters)
    if qualified:
        grant(qualified)
        _announce(qualified)
    reversed_ids = _returned(REVERSE_SQL, parameters)
    if reversed_ids:
        take_back(reversed_ids, "The order that qualified was refunded.")


def grant(referral_ids: Sequence[int]) -> None:
    """Write what both sides earned, once; referrals whose rewards need no approval are rewarded."""
    _execute((REWARD_SQL, REWARDED_SQL), {"referrals": list(referral_ids)})


def settle_rewarded(referral_ids: Sequence[int]) -> None:
    """Referrals whose last reward was just approved are rewarded."""
    _execute((REWARDED_SQL,), {"referrals": list(referral_ids)})


def take_back(referral_ids: Sequence[int], why: str) -> None:
    """Reverse all rewards of these referrals."""
    _execute((TAKE_BACK_SQL,), {"referrals": list(referral_ids), "why": why[:200]})


def _parameters(programs: Sequence[Program], contact_ids: Collection[int]) -> dict[str, Any]:
    refunds = arrivals.definitions(programs, "refund_event_name")
    return {
        **arrivals.definitions(programs, "goal_event_name"),
        "refund_programs": refunds["programs"],
        "refund_definitions": refunds["definitions"],
        "contacts": list(contact_ids),
    }


def _returned(statement: str, parameters: dict[str, Any]) -> list[int]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, {**parameters, "organization": tenancy.required(), "now": clock.now()})
        return [row[0] for row in cursor.fetchall()]


def _execute(statements: Sequence[str], parameters: dict[str, Any]) -> None:
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement, {**parameters, "organization": tenancy.required(), "now": clock.now()})


def _announce(referral_ids: Sequence[int]) -> None:
    referrals = Referral.objects.filter(pk__in=referral_ids).select_related("code__program")
    events = []
    for referral in referrals:
        moment = referral.qualified_at or clock.now()
        for contact_id, role in ((referral.invitee_id, "invitee"), (referral.inviter_id, "inviter")):
            if contact_id is not None:
                events.append(event(referral, referral.code, QUALIFIED, contact_id, role, moment))
    audience.record(events)
