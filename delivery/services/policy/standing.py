"""What can stop a message at any time until it leaves: the contact, its consent, suppression, its source.

Looked at twice: by the claim (judge.py), and again before each flight (settling.py).
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audience.selectors import LATEST_CONSENT
from common import tenancy
from delivery.models import DeliveryPolicy
from delivery.services.policy import sentences

# The same rule as domain.addresses, for a whole set; what slips through is caught again before the envelope.
PHONE_PATTERN = r"^\+[1-9][0-9]{6,14}$"  # E.164
ADDRESS_PATTERN = r'^[^\s@<>()\[\],;:\\"]+@[^\s@<>()\[\],;:\\".]+(\.[^\s@<>()\[\],;:\\".]+)+$'

# What is judged: rows of the ledger by id. `organization_id + 0` is no index condition: of an organisation that
# is newer than the last ANALYZE, PostgreSQL thinks that it has one row per table, and would walk all rows of the
# organisation for each message (minutes for a block) instead of a look-up by key.
COLUMNS = """id, contact_id, content_id, run_at, channel, kind, source_type, source_id, topic_id, address, weight,
       priority, expires_at"""
LEDGER = f"SELECT {COLUMNS} FROM delivery_message WHERE organization_id + 0 = %(organization)s AND id = ANY(%(ids)s)"

# Plan: nested loops over the block; contact by primary key, consent by consent_latest (LIMIT 1), suppression,
# hold and preference by their unique indexes.
STANDING = """
SELECT message.id, message.contact_id, message.content_id, message.run_at, message.channel, message.kind,
       message.source_type, message.source_id, message.topic_id, message.weight, message.priority,
       message.expires_at, recipient.address, coalesce(contact.timezone, '') AS timezone, limited.is_limited,
       preference.frequency,
       CASE WHEN limited.is_limited AND preference.paused_until > %(now)s THEN preference.paused_until END
           AS paused_until,
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
            WHEN message.expires_at <= %(now)s THEN %(EXPIRED)s
            WHEN NOT limited.is_limited THEN ''
            WHEN consent.state = 'withdrawn' THEN %(WITHDRAWN)s
            -- What waits inside the app that somebody opened needs no leave, but stops when it is unwanted.
            WHEN consent.state IS NULL AND %(requires_consent)s AND message.kind = 'marketing'
                 AND message.channel <> 'in_app'
            THEN CASE WHEN EXISTS (
                     SELECT 1 FROM audience_consentrequest AS asked
                      WHERE asked.organization_id = %(organization)s AND asked.contact_id = message.contact_id
                        AND asked.channel = message.channel AND asked.confirmed_at IS NULL
                        AND asked.expires_at > %(now)s
                        AND (asked.topic_id IS NULL OR asked.topic_id = message.topic_id))
                 THEN %(UNCONFIRMED)s ELSE %(NO_CONSENT)s END
            WHEN preference.paused_until > %(now)s
                 AND (message.expires_at IS NULL OR message.expires_at <= preference.paused_until) THEN %(PAUSED)s
            ELSE '' END AS refusal
  FROM ({messages}) AS message
  LEFT JOIN audience_contact AS contact
         ON contact.id = message.contact_id AND contact.organization_id + 0 = %(organization)s
  CROSS JOIN LATERAL (
       SELECT message.kind <> 'transactional' AND message.source_type <> 'test' AS is_limited) AS limited
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
  LEFT JOIN delivery_preference AS preference
         ON preference.organization_id = %(organization)s AND preference.contact_id = message.contact_id
  LEFT JOIN LATERAL (
       SELECT entry.state FROM audience_consent AS entry
        WHERE entry.organization_id = %(organization)s AND entry.contact_id = message.contact_id
          AND entry.channel = message.channel
          AND (entry.topic_id IS NULL OR entry.topic_id = message.topic_id)
        ORDER BY {latest} LIMIT 1) AS consent ON limited.is_limited
"""


def sql(messages: str = LEDGER) -> str:
    """The statement over `messages`, a query that yields COLUMNS."""
    return STANDING.replace("{messages}", messages).replace("{latest}", LATEST_CONSENT)


STANDING_SQL = sql()


def parameters(ids: list[int], policy: DeliveryPolicy, now: datetime) -> dict[str, Any]:
    """What STANDING_SQL binds."""
    return {
        "ERASED": sentences.ERASED,
        "MERGED": sentences.MERGED,
        "NO_ADDRESS": sentences.NO_ADDRESS,
        "NO_PHONE": sentences.NO_PHONE,
        "NO_DEVICE": sentences.NO_DEVICE,
        "SUPPRESSED": sentences.SUPPRESSED,
        "EXPIRED": sentences.EXPIRED,
        "WITHDRAWN": sentences.WITHDRAWN,
        "UNCONFIRMED": sentences.UNCONFIRMED,
        "NO_CONSENT": sentences.NO_CONSENT,
        "PAUSED": sentences.PAUSED,
        "ADDRESS_PATTERN": ADDRESS_PATTERN,
        "PHONE_PATTERN": PHONE_PATTERN,
        "organization": tenancy.required(),
        "ids": ids,
        "now": now,
        "requires_consent": policy.requires_consent,
    }
