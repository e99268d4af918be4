"""What has yet to be told: who should be in an audience against who may be there, by one statement.

Who should be: open members of the segment that are living, agreed to the channel for all topics as their last word,
are not suppressed there and have an address. A sync that ends should have nobody. Planners of one sync take turns, so
the last one saw everything; rows that are being told right now are left alone and planned again once that is settled.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection, transaction

from audience.selectors import LATEST_CONSENT
from common import clock, doorbell, tenancy
from integrations.models import AudienceSync, SyncedContact, SyncStatus

# Plan: for everybody one pass each over the open members, the consents of the channel and the rows of the sync; for a
# few (`contact_id = ANY`) probes of membership_by_contact, consent_latest and one_row_per_contact_and_sync.
PLAN_SQL = """
WITH agreed AS (
  SELECT last.contact_id FROM (
    SELECT DISTINCT ON (entry.contact_id) entry.contact_id, entry.state FROM audience_consent entry
    WHERE entry.organization_id = %(organization)s AND entry.channel = %(channel)s AND entry.topic_id IS NULL
      {among_entry}
    ORDER BY entry.contact_id, {latest}) last
  WHERE last.state = 'granted'
), wanted AS MATERIALIZED (
  SELECT contact.id AS contact_id, md5(contact.email || E'\\n' || contact.phone) AS fingerprint
  FROM segments_membership stay
  JOIN audience_contact contact ON contact.id = stay.contact_id AND contact.organization_id = %(organization)s
  JOIN agreed ON agreed.contact_id = stay.contact_id
  WHERE stay.organization_id = %(organization)s AND stay.segment_id = %(segment)s AND stay.left_at IS NULL
    AND %(is_kept)s AND contact.merged_into_id IS NULL AND (contact.email <> '' OR contact.phone <> '') {among_stay}
    AND NOT EXISTS (SELECT 1 FROM audience_suppression blocked WHERE blocked.organization_id = %(organization)s
      AND blocked.channel = %(channel)s AND blocked.address IN (contact.email, contact.phone))
), known AS MATERIALIZED (
  SELECT row.*, wanted.fingerprint AS wanted FROM integrations_syncedcontact row
  LEFT JOIN wanted ON wanted.contact_id = row.contact_id
  WHERE row.organization_id = %(organization)s AND row.sync_id = %(sync)s AND row.contact_id IS NOT NULL
    AND row.status <> 'claimed' {among_row}
), outdated AS (
  INSERT INTO integrations_syncedcontact
    (organization_id, sync_id, contact_id, change, fingerprint, identifiers, may_be_there, status, error)
  SELECT %(organization)s, %(sync)s, NULL, 'remove', fingerprint, identifiers, true, 'pending', '' FROM known
  WHERE may_be_there AND wanted <> fingerprint
  RETURNING 1
), added AS (
  INSERT INTO integrations_syncedcontact AS row
    (organization_id, sync_id, contact_id, change, fingerprint, identifiers, may_be_there, status, error)
  SELECT %(organization)s, %(sync)s, contact_id, 'add', fingerprint, '{{}}', false, 'pending', '' FROM wanted
  ON CONFLICT (sync_id, contact_id) WHERE contact_id IS NOT NULL DO UPDATE
    SET change = 'add', status = 'pending', error = '', fingerprint = excluded.fingerprint
  WHERE row.status <> 'claimed' AND (row.fingerprint <> excluded.fingerprint OR row.change = 'remove')
  RETURNING 1
), leaving AS (
  UPDATE integrations_syncedcontact row SET change = 'remove', status = 'pending', error = '' FROM known
  WHERE row.id = known.id AND known.wanted IS NULL AND known.may_be_there AND known.change = 'add'
  RETURNING 1
), dropped AS (
  DELETE FROM integrations_syncedcontact row USING known
  WHERE row.id = known.id AND known.wanted IS NULL AND NOT known.may_be_there
)
SELECT (SELECT count(*) FROM outdated) + (SELECT count(*) FROM added) + (SELECT count(*) FROM leaving)"""
AMONG = "AND {column}.contact_id = ANY(%(contacts)s::bigint[])"


def plan(sync_id: int, contact_ids: Collection[int] | None = None) -> int:
    """Note what a sync has yet to tell, of everybody or of these contacts; returns how many changes were noted."""
    with transaction.atomic():
        sync = AudienceSync.objects.select_for_update(no_key=True).filter(pk=sync_id).first()
        if sync is None:
            return 0
        noted = _note(sync, contact_ids)
        if contact_ids is None:
            AudienceSync.objects.filter(pk=sync.pk).update(planned_at=clock.now())
        if noted:
            doorbell.ring("audience_pushes")
    return noted


def plan_segment(segment_id: int, contact_ids: Collection[int]) -> None:
    """Contacts entered or left a segment."""
    for sync_id in AudienceSync.objects.filter(segment=segment_id).order_by("pk").values_list("pk", flat=True):
        plan(sync_id, contact_ids)


def plan_contacts(contact_ids: Iterable[int]) -> None:
    """Contacts have other addresses, said something else, became one or are gone."""
    touched = sorted(set(contact_ids))
    if not touched:
        return
    for sync_id in AudienceSync.objects.order_by("pk").values_list("pk", flat=True):
        plan(sync_id, touched)


def send_again(sync: AudienceSync) -> None:
    """Everybody who is there, or was refused, is told anew with the next push."""
    rows = SyncedContact.objects.filter(sync=sync, status__in=["done", "failed"])
    rows.update(status="pending", error="")


def _note(sync: AudienceSync, contact_ids: Collection[int] | None) -> int:
    columns = {"among_entry": "entry", "among_stay": "stay", "among_row": "row"}
    among = {place: "" if contact_ids is None else AMONG.format(column=column) for place, column in columns.items()}
    values: dict[str, Any] = {
        "organization": tenancy.required(), "sync": sync.pk, "segment": sync.segment_id, "channel": sync.channel,
        "is_kept": sync.status != SyncStatus.ENDING, "contacts": sorted(contact_ids or ()),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        # Nobody knows how many rows `wanted` has: for everybody a nested loop over it would never end.
        cursor.execute(f"SET LOCAL enable_nestloop = {'off' if contact_ids is None else 'on'}")
        cursor.execute(PLAN_SQL.format(latest=LATEST_CONSENT, **among), values)
        noted: int = cursor.fetchone()[0]
        cursor.execute("SET LOCAL enable_nestloop = on")
    return noted
