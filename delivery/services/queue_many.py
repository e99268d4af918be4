"""Messages of many sources in one statement: what a hundred small campaigns that begin at once would ask a hundred
times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import connection, transaction

from common import clock, doorbell, tenancy
from delivery.models import MessageKind, MessageStatus, Priority, SourceType
from delivery.services import holds
from delivery.services.queue import PRIORITIES, WORK

# Plan: contents, holds and contacts by their keys, for each row of the selection.
INSERT_SQL = """
WITH written AS (
INSERT INTO delivery_message (
       organization_id, idempotency_key, contact_id, variables, address, content_id, channel, kind, topic_id,
       source_type, source_id, sender_id, utm_campaign, priority, weight, expires_at, status, run_at, created_at)
SELECT %(organization)s, chosen.idempotency_key, chosen.contact_id, '{{}}'::jsonb, '', content.id, content.channel,
       content.kind, chosen.topic_id, %(source_type)s, chosen.source_id, chosen.sender_id,
       left(chosen.utm_campaign, 100),
       CASE WHEN content.kind = %(transactional)s THEN %(awaited)s ELSE %(priority)s END, chosen.weight,
       chosen.run_at + make_interval(hours => chosen.shelf_hours),
       CASE WHEN hold.id IS NULL THEN %(queued)s WHEN hold.is_final THEN %(cancelled)s ELSE %(held)s END,
       chosen.run_at, %(now)s
  FROM ({chosen}) AS chosen
  JOIN delivery_content AS content
    ON content.id = chosen.content_id AND content.organization_id = %(organization)s
  JOIN audience_contact AS contact
    ON contact.id = chosen.contact_id AND contact.organization_id + 0 = %(organization)s
  LEFT JOIN delivery_hold AS hold
    ON hold.organization_id = %(organization)s AND hold.source_type = %(source_type)s
   AND hold.source_id = chosen.source_id
 ORDER BY chosen.contact_id, chosen.idempotency_key
    ON CONFLICT (organization_id, idempotency_key) DO NOTHING
    RETURNING source_id)
SELECT source_id, count(*) FROM written GROUP BY 1
"""


def queue_sources(select_sql: str, parameters: Mapping[str, Any], *, source_type: SourceType) -> dict[int, int]:
    """Write a message for every row of a query that yields `contact_id, idempotency_key, content_id, source_id,
    topic_id, sender_id, utm_campaign, weight, shelf_hours, run_at`; returns how many were new, by source.

    The query runs as the tables' owner: it must name the organisation itself. `parameters` are bound by name.
    """
    common: dict[str, Any] = {
        "organization": tenancy.required(),
        "source_type": source_type.value,
        "transactional": MessageKind.TRANSACTIONAL.value,
        "awaited": int(Priority.AWAITED),
        "priority": int(PRIORITIES.get(source_type, Priority.PROMPT)),
        "queued": MessageStatus.QUEUED.value,
        "held": MessageStatus.HELD.value,
        "cancelled": MessageStatus.CANCELLED.value,
        "now": clock.now(),
    }
    with transaction.atomic():
        holds.keep_as_they_are()
        with tenancy.engine(), connection.cursor() as cursor:
            cursor.execute(INSERT_SQL.format(chosen=select_sql), {**parameters, **common})
            counts = dict(cursor.fetchall())
        doorbell.ring(WORK)
    return counts
