"""Which links of a campaign's mail were clicked: people and scanners apart."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection

from campaigns.models import Campaign
from common import tenancy
from delivery.models import SourceType

MOST_LINKS = 200

# Plan: the engagement of a campaign's messages by a hash join of messages_by_source and engagement_by_message; only
# clicks are read. Where many messages were sent and few clicked, the planner goes by clicks.
CLICKS_SQL = f"""
SELECT engagement.url, count(DISTINCT engagement.message_id) FILTER (WHERE NOT engagement.is_machine),
       count(*) FILTER (WHERE NOT engagement.is_machine),
       count(DISTINCT engagement.message_id) FILTER (WHERE engagement.is_machine)
FROM delivery_message message
JOIN delivery_engagement engagement
  ON engagement.message_id = message.id AND engagement.organization_id = message.organization_id
 AND engagement.kind = 'click'
WHERE message.organization_id = %(organization)s
  AND message.source_type = %(source_type)s AND message.source_id = %(campaign)s
GROUP BY 1 ORDER BY 2 DESC, 4 DESC, 1 LIMIT {MOST_LINKS}
"""


@dataclass(frozen=True)
class LinkClicks:
    """One address of the mail. `people` clicked it `clicks` times; `machines` are mails whose link was checked."""

    url: str
    people: int
    clicks: int
    machines: int


def link_clicks(campaign: Campaign) -> list[LinkClicks]:
    """The addresses that were clicked, the most clicked first."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            CLICKS_SQL,
            {
                "organization": tenancy.required(),
                "source_type": SourceType.CAMPAIGN.value,
                "campaign": campaign.pk,
            },
        )
        return [LinkClicks(*row) for row in cursor.fetchall()]
