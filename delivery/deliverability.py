"""What left and what came back: by sending domain and campaign straight from the ledger, for a day or so; by mailbox
provider from its counts (`MailCount`), for as long as anybody likes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from django.db import connection

from common import tenancy
from delivery import lanes
from delivery.domain import mailboxes
from delivery.domain.brakes import Tally

# Plan: messages_handed_over from `since` on, a group of few.
_LEFT = f"""
SELECT message.id, {lanes.SENDER_DOMAIN} AS sending_domain, message.source_type, message.source_id,
       message.handed_at, message.kind,
       message.status = 'failed' OR message.bounced_at IS NOT NULL AS bounced,
       message.complained_at IS NOT NULL AS complained
  FROM delivery_message AS message {lanes.SENDER_JOIN}
 WHERE message.organization_id = %(organization)s AND message.handed_at >= %(since)s AND message.handed_at < %(until)s
   AND message.status IN ('sent', 'failed', 'uncertain', 'sending')
   AND message.channel = 'email' AND message.source_type <> 'test'
"""

DOMAIN_TALLY_SQL = f"""
SELECT left_us.sending_domain, count(*), count(*) FILTER (WHERE bounced), count(*) FILTER (WHERE complained)
  FROM ({_LEFT}) AS left_us
  LEFT JOIN unnest(%(names)s::text[], %(froms)s::timestamptz[]) AS resumed(name, at)
         ON resumed.name = left_us.sending_domain
 WHERE resumed.at IS NULL OR left_us.handed_at > resumed.at
 GROUP BY 1
"""
CAMPAIGN_TALLY_SQL = f"""
SELECT left_us.source_id::text, count(*), count(*) FILTER (WHERE bounced), count(*) FILTER (WHERE complained)
  FROM ({_LEFT}) AS left_us
  LEFT JOIN unnest(%(names)s::text[], %(froms)s::timestamptz[]) AS resumed(name, at)
         ON resumed.name = left_us.source_id::text
 WHERE left_us.source_type = 'campaign' AND left_us.kind = 'marketing'
   AND (resumed.at IS NULL OR left_us.handed_at > resumed.at)
 GROUP BY 1
"""
# Plan: mail_counts_by_time; some rows a quarter of an hour, however many mails they count.
TRAFFIC_SQL = f"""
SELECT {lanes.SENDER_DOMAIN} AS sending_domain, coalesce(known.provider, %(other)s) AS provider,
       (message.left_at AT TIME ZONE %(zone)s)::date AS day, sum(sent), sum(delivered), sum(deferred), sum(bounced),
       sum(complained), sum(opened), sum(clicked)
  FROM delivery_mailcount AS message {lanes.SENDER_JOIN}
  LEFT JOIN unnest(%(mailbox_domains)s::text[], %(mailbox_providers)s::text[]) AS known(domain, provider)
         ON known.domain = message.recipient_domain
 WHERE message.organization_id = %(organization)s AND message.left_at >= date_bin('15 minutes', %(since)s, 'epoch')
   AND message.left_at < %(until)s
 GROUP BY 1, 2, 3
HAVING sum(sent) > 0
"""


def _parameters(since: datetime, until: datetime) -> dict[str, Any]:
    period = {"organization": tenancy.required(), "since": since, "until": until}
    return lanes.senders().parameters() | period


def _rows(statement: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchall()


def by_domain(since: datetime, until: datetime, resumed: Mapping[str, datetime] | None = None) -> dict[str, Tally]:
    """What each sending domain sent and what came back; for a resumed one only since then."""
    return _tallies(DOMAIN_TALLY_SQL, since, until, resumed or {})


def by_campaign(since: datetime, until: datetime, resumed: Mapping[str, datetime] | None = None) -> dict[str, Tally]:
    """The same by campaign number (as text)."""
    return _tallies(CAMPAIGN_TALLY_SQL, since, until, resumed or {})


def _tallies(statement: str, since: datetime, until: datetime, resumed: Mapping[str, datetime]) -> dict[str, Tally]:
    parameters = _parameters(since, until) | {"names": list(resumed), "froms": list(resumed.values())}
    return {name: Tally(*counts) for name, *counts in _rows(statement, parameters)}


@dataclass(frozen=True)
class Traffic:
    """Counts of mails by what became of them. Opened and clicked by people; deferred: needed more than one try."""

    sent: int = 0
    delivered: int = 0
    deferred: int = 0
    bounced: int = 0
    complained: int = 0
    opened: int = 0
    clicked: int = 0

    def __add__(self, other: Traffic) -> Traffic:
        return Traffic(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    def share(self, name: str) -> float | None:
        """One of the counts as a part of those sent; None without any."""
        return getattr(self, name) / self.sent if self.sent else None


@dataclass(frozen=True)
class Key:
    """From which sending domain, to which mailbox provider, on which day of the organisation's zone."""

    domain: str
    provider: str
    day: Any


def traffic(since: datetime, until: datetime, zone: str) -> dict[Key, Traffic]:
    """Everything that left in the period, by domain, provider and day; a quarter of an hour counts whole."""
    parameters = _parameters(since, until) | lanes.provider_arrays() | {"zone": zone, "other": mailboxes.OTHER}
    rows = _rows(TRAFFIC_SQL, parameters)
    return {Key(domain, provider, day): Traffic(*counts) for domain, provider, day, *counts in rows}


def add_up(parts: Mapping[Key, Traffic], name: str) -> dict[Any, Traffic]:
    """The traffic by one part of the key: domain, provider or day."""
    found: dict[Any, Traffic] = defaultdict(Traffic)
    for key, counts in parts.items():
        found[getattr(key, name)] += counts
    return dict(found)
