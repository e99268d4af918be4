"""Targets follow people: when two contacts turn out to be one, so do their targets."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection, transaction

from audience.notices import ContactsMerged
from common import tenancy

# `person` lists every contact id of a merge beside the id that survives, itself included.
PERSON_SQL = (
    "SELECT * FROM unnest(%(contacts)s::bigint[], %(survivors)s::bigint[]) AS person(contact_id, survivor_id)"
)

# One target per person and campaign (of a recurring one: and send) stays: the first, since messages go out in that
# order and a message that went to it must not be repeated. It keeps the furthest state of all. Plan:
# target_of_contact, a few rows each.
KEEP_SQL = f"""
WITH person AS ({PERSON_SQL}), kept AS (
    SELECT target.campaign_id, target.occurrence, person.survivor_id, min(target.id) AS id,
           min(target.viewed_at) AS viewed_at, min(target.converted_at) AS converted_at,
           (array_agg(target.conversion_value_minor ORDER BY target.converted_at))[1] AS value_minor,
           (array_agg(target.conversion_currency ORDER BY target.converted_at))[1] AS currency
    FROM campaigns_target target JOIN person USING (contact_id)
    WHERE target.organization_id = %(organization)s
    GROUP BY 1, 2, 3 HAVING count(*) > 1)
UPDATE campaigns_target target
SET viewed_at = kept.viewed_at, converted_at = kept.converted_at,
    conversion_value_minor = kept.value_minor, conversion_currency = kept.currency,
    status = CASE WHEN kept.converted_at IS NOT NULL THEN 'converted'
                  WHEN kept.viewed_at IS NOT NULL THEN 'viewed'
                  WHEN target.status = 'expired' THEN 'expired' ELSE 'eligible' END
FROM kept WHERE target.id = kept.id AND target.organization_id = %(organization)s
"""
# What was given to, or taken by, a target that goes is the one's that stays.
FOLLOW_SQL = f"""
WITH person AS ({PERSON_SQL}), gone AS (
    SELECT target.id, min(stays.id) AS stays_id
    FROM campaigns_target target JOIN person USING (contact_id)
    JOIN person other ON other.survivor_id = person.survivor_id
    JOIN campaigns_target stays ON stays.contact_id = other.contact_id AND stays.organization_id = %(organization)s
     AND stays.campaign_id = target.campaign_id AND stays.occurrence = target.occurrence
    WHERE target.organization_id = %(organization)s GROUP BY target.id HAVING min(stays.id) < target.id),
code AS (
    UPDATE campaigns_offercode code SET target_id = gone.stays_id FROM gone
    WHERE code.target_id = gone.id AND NOT EXISTS (
      SELECT 1 FROM campaigns_offercode own WHERE own.offer_id = code.offer_id AND own.target_id = gone.stays_id))
UPDATE campaigns_redemption taken SET target_id = gone.stays_id FROM gone
WHERE taken.target_id = gone.id AND NOT EXISTS (
  SELECT 1 FROM campaigns_redemption own
  WHERE own.offer_id = taken.offer_id AND own.target_id = gone.stays_id AND own.order_id = taken.order_id)
"""
DROP_SQL = f"""
WITH person AS ({PERSON_SQL})
DELETE FROM campaigns_target target USING person
WHERE target.organization_id = %(organization)s AND target.contact_id = person.contact_id
  AND EXISTS (SELECT 1 FROM campaigns_target earlier JOIN person other ON other.contact_id = earlier.contact_id
              WHERE earlier.organization_id = %(organization)s AND earlier.campaign_id = target.campaign_id
                AND earlier.occurrence = target.occurrence
                AND other.survivor_id = person.survivor_id AND earlier.id < target.id)
"""
MOVE_SQL = f"""
WITH person AS ({PERSON_SQL})
UPDATE campaigns_target target SET contact_id = person.survivor_id
FROM person
WHERE target.organization_id = %(organization)s AND target.contact_id = person.contact_id
  AND person.contact_id <> person.survivor_id
"""


def follow_merges(merges: Sequence[ContactsMerged]) -> None:
    """Move the targets of merged contacts to the contact that stayed. Idempotent."""
    survivors = _final_survivors(merges)
    people = survivors | {pk: pk for pk in survivors.values()}
    parameters: dict[str, int | list[int]] = {
        "organization": tenancy.required(),
        "contacts": list(people),
        "survivors": list(people.values()),
    }
    with transaction.atomic(), tenancy.engine(), connection.cursor() as cursor:
        for statement in (KEEP_SQL, FOLLOW_SQL, DROP_SQL, MOVE_SQL):
            cursor.execute(statement, parameters)


def _final_survivors(merges: Sequence[ContactsMerged]) -> dict[int, int]:
    """Merged id → the id at the end of its chain (A into B, B into C: both into C)."""
    step = {merge.merged_id: merge.survivor_id for merge in merges}

    def end(pk: int) -> int:
        while pk in step:
            pk = step[pk]
        return pk

    return {pk: end(pk) for pk in step}
