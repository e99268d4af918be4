"""What came of campaigns, counted every hour until nothing changes any more: what forecasts learn from."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.db import connection

from accounts.models import Organization
from campaigns.domain.forecast import ORDER_DAYS
from common import clock, doorbell, tenancy
from segments.patterns import meaning

FINAL_DAYS = 28

# Plan: campaigns that are not final (few), and for each messages_by_source once, the click's contacts by
# event_by_contact (a range of one week each), and its targets by one_target_per_contact.
COUNT_SQL = """
WITH due AS MATERIALIZED (
    SELECT campaign.id, coalesce(template.channel, '') AS channel, coalesce(template.kind, '') AS kind,
           EXISTS (SELECT 1 FROM campaigns_offer offer WHERE offer.organization_id = %(organization)s
                      AND offer.campaign_id = campaign.id) AS has_offers
      FROM campaigns_campaign campaign
      LEFT JOIN campaigns_emailtemplate template
        ON template.id = campaign.template_id AND template.organization_id = %(organization)s
      LEFT JOIN campaigns_campaignoutcome outcome
        ON outcome.campaign_id = campaign.id AND outcome.organization_id = %(organization)s
     WHERE campaign.organization_id = %(organization)s AND campaign.status = ANY(%(begun)s)
       AND outcome.is_final IS NOT TRUE
)
INSERT INTO campaigns_campaignoutcome (
       organization_id, campaign_id, channel, kind, has_offers, target_count, sent_count, open_count, click_count,
       conversion_count, revenue_minor, revenue_squares, currency, began_at, last_sent_at, counted_at, is_final)
SELECT %(organization)s, due.id, due.channel, due.kind, due.has_offers, target.count, ledger.sent, ledger.opened,
       ledger.clicked,
       CASE WHEN due.has_offers THEN target.converted ELSE bought.count END,
       CASE WHEN due.has_offers THEN target.value ELSE bought.value END,
       CASE WHEN due.has_offers THEN target.squares ELSE bought.squares END,
       %(currency)s, coalesce(ledger.first_at, target.first_at), coalesce(ledger.last_at, target.first_at), %(now)s,
       coalesce(ledger.last_at, target.first_at) < %(final_before)s
  FROM due
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE status = 'sent') AS sent, count(opened_at) AS opened,
              count(clicked_at) AS clicked, min(sent_at) AS first_at, max(sent_at) AS last_at
         FROM delivery_message message
        WHERE message.organization_id = %(organization)s AND message.source_type = 'campaign'
          AND message.source_id = due.id) AS ledger
 CROSS JOIN LATERAL (
       SELECT count(*) FILTER (WHERE NOT is_held_out) AS count, count(converted_at) AS converted,
              min(created_at) AS first_at,
              coalesce(sum(conversion_value_minor) FILTER (WHERE conversion_currency = %(currency)s), 0) AS value,
              coalesce(sum(conversion_value_minor::float8 ^ 2) FILTER (WHERE conversion_currency = %(currency)s), 0)
                  AS squares
         FROM campaigns_target target
        WHERE target.organization_id = %(organization)s AND target.campaign_id = due.id
          AND NOT target.is_held_out) AS target
 CROSS JOIN LATERAL (
       SELECT count(*) AS count, coalesce(sum(first.value), 0) AS value,
              coalesce(sum(first.value::float8 ^ 2), 0) AS squares
         FROM delivery_message message
        CROSS JOIN LATERAL (
              SELECT CASE WHEN event.currency = %(currency)s THEN event.value_minor ELSE 0 END AS value
                FROM audience_event event
               WHERE event.organization_id = %(organization)s AND event.contact_id = message.contact_id
                 AND event.definition_id = %(purchase)s AND event.happened_at >= message.clicked_at
                 AND event.happened_at < message.clicked_at + %(order_span)s
               ORDER BY event.happened_at LIMIT 1) AS first
        WHERE NOT due.has_offers AND message.organization_id = %(organization)s AND message.source_type = 'campaign'
          AND message.source_id = due.id AND message.clicked_at IS NOT NULL) AS bought
 WHERE ledger.sent > 0 OR (due.has_offers AND target.count > 0)
    ON CONFLICT (campaign_id) DO UPDATE SET
       channel = excluded.channel, kind = excluded.kind, has_offers = excluded.has_offers,
       target_count = excluded.target_count, sent_count = excluded.sent_count, open_count = excluded.open_count,
       click_count = excluded.click_count, conversion_count = excluded.conversion_count,
       revenue_minor = excluded.revenue_minor, revenue_squares = excluded.revenue_squares,
       currency = excluded.currency, began_at = excluded.began_at, last_sent_at = excluded.last_sent_at,
       counted_at = excluded.counted_at, is_final = excluded.is_final
"""
BEGUN = ["active", "paused", "completed", "cancelled", "archived"]


def count_everywhere() -> None:
    """The hourly round over every organisation that has campaigns with outcomes still open."""
    for organization_id in sorted(doorbell.organizations_with("campaigns_campaign", "status = ANY(%s)", [BEGUN])):
        with tenancy.organization(organization_id):
            count_outcomes()


def count_outcomes() -> int:
    """Count what came of every campaign that is not final; returns how many."""
    now, purchase = clock.now(), meaning.load().definition_id
    parameters: dict[str, Any] = {
        "organization": tenancy.required(), "now": now, "begun": BEGUN, "purchase": purchase,
        "currency": Organization.objects.get().currency, "order_span": timedelta(days=ORDER_DAYS),
        "final_before": now - timedelta(days=FINAL_DAYS),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, parameters)
        counted: int = cursor.rowcount
    return counted
