"""What the members of each segment bought: counted with the patterns, once a night or when they are asked for."""

from __future__ import annotations

from django.db import connection

from common import clock, money, tenancy
from segments.patterns.facts import Facts

# Plan: open memberships once, hashed against the work's table `buyer`; a row for each segment.
COUNT_SQL = """
INSERT INTO segments_segmentfigures
  (organization_id, segment_id, buyer_count, transaction_count, spent_minor, currency, window_days, counted_at)
SELECT %(organization)s, segment.id, coalesce(bought.buyers, 0), coalesce(bought.times, 0),
       round(coalesce(bought.spent, 0) * %(minor)s)::bigint, %(currency)s, %(window)s, %(at)s
FROM segments_segment segment
LEFT JOIN (
    SELECT membership.segment_id, count(*) AS buyers, sum(buyer.recent) AS times, sum(buyer.spent) AS spent
    FROM segments_membership membership
    JOIN buyer ON buyer.contact_id = membership.contact_id AND buyer.recent > 0
    WHERE membership.organization_id = %(organization)s AND membership.left_at IS NULL GROUP BY 1) bought
  ON bought.segment_id = segment.id
WHERE segment.organization_id = %(organization)s
ON CONFLICT (segment_id) DO UPDATE SET
  buyer_count = excluded.buyer_count, transaction_count = excluded.transaction_count,
  spent_minor = excluded.spent_minor, currency = excluded.currency, window_days = excluded.window_days,
  counted_at = excluded.counted_at"""


def keep(facts: Facts) -> None:
    """Write the figures of every segment; inside the transaction that made the facts."""
    values = {
        "organization": tenancy.required(), "currency": facts.currency.code, "at": clock.now(),
        "window": facts.meaning.window_days, "minor": 10 ** money.exponent(facts.currency.code),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(COUNT_SQL, values)
