"""Which links of a campaign's mail were clicked: people and scanners apart."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import connection

from campaigns.models import Campaign
from common import tenancy
from delivery.models import SourceType

MOST_LINKS = 400  # addresses, and their places

# Plan: the engagement of a campaign's messages by a hash join of messages_by_source and engagement_by_message; only
# clicks are read. Where many messages were sent and few clicked, the planner goes by clicks.
CLICKS_SQL = f"""
SELECT engagement.url, engagement.place, grouping(engagement.place),
       count(DISTINCT engagement.message_id) FILTER (WHERE NOT engagement.is_machine),
       count(*) FILTER (WHERE NOT engagement.is_machine),
       count(DISTINCT engagement.message_id) FILTER (WHERE engagement.is_machine)
FROM delivery_message message
JOIN delivery_engagement engagement
  ON engagement.message_id = message.id AND engagement.organization_id = message.organization_id
 AND engagement.kind = 'click'
WHERE message.organization_id = %(organization)s
  AND message.source_type = %(source_type)s AND message.source_id = %(campaign)s
GROUP BY GROUPING SETS ((engagement.url), (engagement.url, engagement.place))
ORDER BY 3 DESC, 4 DESC, 6 DESC, 1, 2 LIMIT {MOST_LINKS}
"""


@dataclass(frozen=True)
class LinkClicks:
    """One address of the mail. `people` clicked it `clicks` times; `machines` are mails whose link was checked.

    `places`: people by the place where they clicked it, from the first link to it on; 0 is where it was not told.
    """

    url: str
    people: int = 0
    clicks: int = 0
    machines: int = 0
    places: dict[int, int] = field(default_factory=dict)


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
        found: dict[str, LinkClicks] = {}
        for url, place, is_whole, people, clicks, machines in cursor.fetchall():  # addresses first, then their places
            if is_whole:
                found[url] = LinkClicks(url, people, clicks, machines)
            elif url in found and people:
                found[url].places[place] = people
        return list(found.values())
