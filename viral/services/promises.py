"""Rewards that other rooms promise: into the ledger once, whatever is told twice."""

from __future__ import annotations

from typing import Any

from django.db import connection

from audience.notices import RewardsPromised
from common import clock, tenancy

# Plan: one probe of the contact's primary key and of one_reward_per_source for each promise.
PROMISED_SQL = """
INSERT INTO viral_reward (organization_id, contact_id, side, kind, amount, currency, status, reason, source_key,
                          created_at, decided_at)
SELECT %(organization)s, coalesce(contact.merged_into_id, contact.id), '', %(kind)s, %(amount)s,
       CASE WHEN %(kind)s = 'points' THEN '' ELSE coalesce(nullif(%(currency)s, ''), organization.currency) END,
       CASE WHEN %(needs_approval)s THEN 'pending' ELSE 'approved' END, %(reason)s, promised.key, %(now)s,
       CASE WHEN %(needs_approval)s THEN NULL ELSE %(now)s::timestamptz END
  FROM unnest(%(contacts)s::bigint[], %(keys)s::text[]) AS promised(contact_id, key)
  JOIN audience_contact AS contact
    ON contact.id = promised.contact_id AND contact.organization_id = %(organization)s
  JOIN accounts_organization AS organization ON organization.id = %(organization)s
    ON CONFLICT DO NOTHING
"""


def keep_promises(notice: RewardsPromised) -> None:
    """Book what was promised; a promise that is booked already stays as it is."""
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "contacts": [one.contact_id for one in notice.promised],
        "keys": [one.key for one in notice.promised],
        "kind": notice.kind,
        "amount": notice.amount,
        "currency": notice.currency,
        "needs_approval": notice.needs_approval,
        "reason": notice.reason,
        "now": clock.now(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(PROMISED_SQL, parameters)
