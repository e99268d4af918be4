"""May these messages go? Decided for a whole block in one statement, inside the transaction that claims it.

A refusal is a sentence in the ledger. Quiet hours postpone; a paused source holds. Caps count the ledger and
the block itself, so two messages to one contact in one block keep to them too.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import connection

from accounts.models import Organization
from common import tenancy
from delivery.domain import quiet
from delivery.models import DeliveryPolicy

ERASED = "The contact was erased."
MERGED = "The contact was merged into another one."
NO_ADDRESS = "The contact has no usable e-mail address."
NO_PHONE = "The contact has no usable phone number."
NO_DEVICE = "The contact has no device that takes push messages."
SUPPRESSED = "The address is on the suppression list."
WITHDRAWN = "The contact unsubscribed."
NO_CONSENT = "The contact has not agreed to marketing e-mail."
OVER_CAP = "The contact has had as many messages in 24 hours as the delivery policy allows."
TOO_SOON = "The contact's last message is too recent for the delivery policy."

REFUSALS = (ERASED, MERGED, NO_ADDRESS, NO_PHONE, NO_DEVICE, SUPPRESSED, WITHDRAWN, NO_CONSENT, OVER_CAP, TOO_SOON)

# The same rule as domain.addresses, for a whole set; what slips through is caught again before the envelope.
PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$"  # E.164
ADDRESS_PATTERN = r'^[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\".]+(\.[^\s@<>()\[\],;:\\".]+)+$'

# What can change at any time until a message leaves: the contact, its consent, suppression, its source.
# Plan: nested loops over the block's ids; contact by primary key, consent by consent_latest (LIMIT 1),
# suppression and hold by their unique indexes. `organization_id + 0` is no index condition: of an organisation
# that is newer than the last ANALYZE, PostgreSQL thinks that it has one row per table, and would walk all rows
# of the organisation for each message (minutes for a block) instead of a look-up by key.
STANDING_SQL = """
SELECT message.id, message.contact_id, message.run_at, message.channel,
       recipient.address, coalesce(contact.timezone, '') AS timezone,
       message.kind = 'marketing' AND message.source_type <> 'test' AS is_marketing,
       CASE WHEN hold.is_final THEN 'cancelled'
            WHEN hold.id IS NOT NULL THEN 'held' ELSE '' END AS hold,
       CASE WHEN contact.id IS NULL THEN %(ERASED)s
            WHEN contact.merged_into_id IS NOT NULL THEN %(MERGED)s
            WHEN message.channel = 'email'
                 AND (recipient.address !~ %(ADDRESS_PATTERN)s OR length(recipient.address) > 254) THEN %(NO_ADDRESS)s
            WHEN message.channel IN ('sms', 'whatsapp') AND recipient.address !~ %(PHONE_PATTERN)s THEN %(NO_PHONE)s
            WHEN message.channel = 'push' AND NOT EXISTS (
                 SELECT 1 FROM audience_device AS device
                  WHERE device.organization_id = %(organization)s AND device.contact_id = message.contact_id)
                 THEN %(NO_DEVICE)s
            WHEN suppression.id IS NOT NULL THEN %(SUPPRESSED)s
            WHEN message.kind <> 'marketing' OR message.source_type = 'test' THEN ''
            WHEN consent.state = 'withdrawn' THEN %(WITHDRAWN)s
            -- What waits inside the app that somebody opened needs no leave, but stops when it is unwanted.
            WHEN consent.state IS NULL AND %(requires_consent)s AND message.channel <> 'in_app' THEN %(NO_CONSENT)s
            ELSE '' END AS refusal
  FROM delivery_message AS message
  LEFT JOIN audience_contact AS contact
         ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
  LEFT JOIN LATERAL (
       -- A test goes to a colleague instead of the contact whose words it shows. In-app messages and devices
       -- are found by the contact; Slack and webhooks go where their provider is set up to go.
       SELECT lower(btrim(CASE WHEN message.source_type = 'test' AND message.address <> '' THEN message.address
                               WHEN message.channel = 'email' THEN contact.email
                               WHEN message.channel IN ('sms', 'whatsapp')
                               THEN regexp_replace(contact.phone, '[^0-9+]', '', 'g')
                               ELSE '' END)) AS address) AS recipient ON true
  LEFT JOIN LATERAL (
       SELECT entry.id FROM audience_suppression AS entry
        WHERE entry.organization_id = %(organization)s AND entry.channel = message.channel
          AND entry.address = recipient.address LIMIT 1) AS suppression ON true
  LEFT JOIN delivery_hold AS hold
         ON hold.organization_id = %(organization)s AND hold.source_type = message.source_type
        AND hold.source_id = message.source_id
  LEFT JOIN LATERAL (
       SELECT entry.state FROM audience_consent AS entry
        WHERE entry.organization_id = %(organization)s AND entry.contact_id = message.contact_id
          AND entry.channel = message.channel
          AND (entry.topic_id IS NULL OR entry.topic_id = message.topic_id)
        ORDER BY entry.happened_at DESC, entry.id DESC LIMIT 1) AS consent ON message.kind = 'marketing'
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s)
"""

# Plan: the block's contacts probe messages_against_caps, a range of one day each.
JUDGE_SQL = f"""
WITH standing AS MATERIALIZED ({STANDING_SQL}),
timed AS (
    SELECT standing.*, CASE WHEN is_marketing THEN zone.resume_at END AS resume_at
      FROM standing
      LEFT JOIN unnest(%(zones)s::text[], %(resumes)s::timestamptz[]) AS zone(name, resume_at)
             ON zone.name = standing.timezone),
ranked AS (
    SELECT marked.*,
           CASE WHEN is_counted THEN row_number() OVER (
                PARTITION BY contact_id, channel, is_counted ORDER BY run_at, id) - 1 END AS earlier_in_block
      FROM (SELECT *, is_marketing AND hold = '' AND refusal = '' AND resume_at IS NULL AS is_counted
              FROM timed) AS marked),
capped AS (
    SELECT ranked.*,
           CASE WHEN earlier_in_block + past.day_count >= %(most_per_day)s THEN %(OVER_CAP)s
                WHEN %(hours_between)s > 0 AND (earlier_in_block > 0 OR past.last_at > %(too_soon_after)s)
                THEN %(TOO_SOON)s ELSE '' END AS cap_refusal
      FROM ranked
      LEFT JOIN LATERAL (
           SELECT count(*) FILTER (WHERE before.claimed_at > %(day_ago)s) AS day_count,
                  max(before.claimed_at) AS last_at
             FROM delivery_message AS before
            WHERE before.organization_id = %(organization)s AND before.contact_id = ranked.contact_id
              AND before.kind = 'marketing' AND before.source_type <> 'test' AND before.channel = ranked.channel
              AND before.claimed_at > %(caps_since)s
              AND before.status IN ('sending', 'sent', 'uncertain')) AS past
             ON ranked.earlier_in_block IS NOT NULL),
verdict AS (
    SELECT id, address, resume_at,
           CASE WHEN hold <> '' THEN hold
                WHEN refusal <> '' OR coalesce(cap_refusal, '') <> '' THEN 'refused'
                WHEN resume_at IS NOT NULL THEN 'queued' ELSE 'sending' END AS status,
           CASE WHEN hold <> '' THEN '' ELSE coalesce(nullif(refusal, ''), cap_refusal, '') END AS reason
      FROM capped)
UPDATE delivery_message AS message
   SET status = verdict.status, reason = verdict.reason,
       run_at = coalesce(CASE WHEN verdict.status = 'queued' THEN verdict.resume_at END, message.run_at),
       address = CASE WHEN verdict.status = 'sending' THEN verdict.address ELSE message.address END,
       claimed_at = CASE WHEN verdict.status = 'sending' THEN %(now)s::timestamptz END,
       lease_token = CASE WHEN verdict.status = 'sending' THEN %(token)s::uuid END
  FROM verdict
 WHERE message.id = verdict.id AND message.organization_id + 0 = %(organization)s
RETURNING message.id, message.status, message.source_type, message.source_id
"""

ZONES_SQL = """
SELECT DISTINCT contact.timezone
  FROM delivery_message AS message
  JOIN audience_contact AS contact
    ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
 WHERE message.organization_id + 0 = %(organization)s AND message.id = ANY(%(ids)s) AND message.kind = 'marketing'
"""

SENTENCES = {
    "ERASED": ERASED,
    "MERGED": MERGED,
    "NO_ADDRESS": NO_ADDRESS,
    "SUPPRESSED": SUPPRESSED,
    "WITHDRAWN": WITHDRAWN,
    "NO_CONSENT": NO_CONSENT,
    "OVER_CAP": OVER_CAP,
    "TOO_SOON": TOO_SOON,
    "ADDRESS_PATTERN": ADDRESS_PATTERN,
    "NO_PHONE": NO_PHONE,
    "NO_DEVICE": NO_DEVICE,
    "PHONE_PATTERN": PHONE_PATTERN,
}


def current() -> DeliveryPolicy:
    """The organisation's policy, or the defaults when it set none."""
    policy = DeliveryPolicy.objects.first()
    if policy is None:
        policy = DeliveryPolicy()
        policy.clean_fields(exclude=["organization_id"])  # turns the default times from text into times
    return policy


def standing_parameters(ids: list[int], policy: DeliveryPolicy) -> dict[str, Any]:
    """What STANDING_SQL binds."""
    return SENTENCES | {
        "organization": tenancy.required(),
        "ids": ids,
        "requires_consent": policy.requires_consent,
    }


def judge_parameters(ids: list[int], policy: DeliveryPolicy, now: datetime) -> dict[str, Any]:
    """What JUDGE_SQL binds, the lease apart."""
    zones, resumes = _quiet_zones(ids, policy, now)
    between = timedelta(hours=policy.hours_between)
    day = timedelta(hours=24)
    return standing_parameters(ids, policy) | {
        "zones": zones,
        "resumes": resumes,
        "now": now,
        "most_per_day": policy.most_per_day,
        "hours_between": policy.hours_between,
        "day_ago": now - day,
        "too_soon_after": now - between,
        "caps_since": now - max(day, between),
    }


def _quiet_zones(ids: list[int], policy: DeliveryPolicy, now: datetime) -> tuple[list[str], list[datetime]]:
    """The zones of the block's contacts in which it is quiet now, and when that ends.

    Computed in Python: a contact's zone is whatever a client sent, and PostgreSQL would refuse the statement.
    """
    if policy.quiet_from == policy.quiet_until:
        return [], []
    with connection.cursor() as cursor:
        cursor.execute(ZONES_SQL, {"organization": tenancy.required(), "ids": ids})
        names = [row[0] for row in cursor.fetchall()]
    home = quiet.zone(Organization.objects.get(pk=tenancy.required()).timezone) or quiet.zone("UTC")
    assert home is not None
    ends = {
        name: quiet.resume_at(now, quiet.zone(name) or home, policy.quiet_from, policy.quiet_until) for name in names
    }
    known = {name: end for name, end in ends.items() if end is not None}
    return list(known), list(known.values())
