"""Where readers stand lately, from what they did: the tone of a line follows it.

The weightiest fact counts: a complaint before everything, then a purchase of the last two weeks, then that they are
new (two weeks), then what they opened or clicked (machines apart), then how long they have been silent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain
from typing import Any

from django.db import connection

from audience.message_events import MessageEvent, names_of
from audience.models import EventDefinition
from campaigns.selectors.audience import CONTACTS_SQL
from common import clock, tenancy
from segments.patterns import meaning
from segments.rules import catalogue

SAMPLE = 1_000
FRESH = timedelta(days=14)  # of a purchase, of a contact
LIVELY = timedelta(days=30)  # since an open or a click
QUIET = timedelta(days=60)  # without any
LATE = timedelta(days=90)  # since the last purchase

# A thousand of the audience, then for each a probe per fact on event_by_contact (organization, contact, definition,
# moment): milliseconds, whatever the size of the audience. No sort: any thousand of the set will do.
STATES_SQL = f"""
WITH audience AS MATERIALIZED (SELECT contact_id FROM ({CONTACTS_SQL}) everybody LIMIT {SAMPLE}),
facts AS (
  SELECT contact.first_seen_at,
         (SELECT true FROM audience_event event WHERE event.organization_id = %(organization)s
          AND event.contact_id = contact.id AND event.definition_id = ANY(%(complained)s) LIMIT 1) AS complained,
         (SELECT max(latest.happened_at) FROM unnest(%(bought)s::bigint[]) definition(id) CROSS JOIN LATERAL (
            SELECT event.happened_at FROM audience_event event WHERE event.organization_id = %(organization)s
            AND event.contact_id = contact.id AND event.definition_id = definition.id
            AND event.happened_at <= %(now)s ORDER BY event.happened_at DESC LIMIT 1) latest) AS bought_at,
         (SELECT max(latest.happened_at) FROM unnest(%(engaged)s::bigint[]) definition(id) CROSS JOIN LATERAL (
            SELECT event.happened_at FROM audience_event event WHERE event.organization_id = %(organization)s
            AND event.contact_id = contact.id AND event.definition_id = definition.id
            AND event.happened_at <= %(now)s ORDER BY event.happened_at DESC LIMIT 1) latest) AS engaged_at
  FROM audience JOIN audience_contact contact ON contact.id = audience.contact_id
  WHERE contact.organization_id = %(organization)s)
SELECT CASE WHEN complained THEN 'complained'
            WHEN bought_at > %(fresh)s THEN 'just_bought'
            WHEN first_seen_at > %(fresh)s THEN 'new'
            WHEN engaged_at > %(lively)s THEN 'engaged'
            WHEN bought_at < %(late)s THEN 'at_risk'
            WHEN coalesce(engaged_at, first_seen_at) < %(quiet)s THEN 'quiet'
            ELSE '' END AS state, count(*)
FROM facts GROUP BY 1 ORDER BY 2 DESC, 1"""


@dataclass(frozen=True)
class Mood:
    """The state of most of an audience; empty when no half of it shares one. `share` is 0 to 1 of `asked`."""

    state: str = ""
    share: float = 0.0
    asked: int = 0


def of_segments(include: Sequence[int], exclude: Sequence[int] = ()) -> Mood:
    """Where most people of these segments stand: a state that at least half of those looked at share."""
    now = clock.now()
    values: dict[str, Any] = {
        "organization": tenancy.required(), "include": list(include), "exclude": list(exclude), "now": now,
        "fresh": now - FRESH, "lively": now - LIVELY, "quiet": now - QUIET, "late": now - LATE,
        **_definitions(),
    }  # fmt: skip
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(STATES_SQL, values)
        rows = cursor.fetchall()
    asked = sum(count for _, count in rows)
    if not asked or rows[0][1] * 2 < asked:
        return Mood(asked=asked)
    return Mood(rows[0][0], rows[0][1] / asked, asked)


def _definitions() -> dict[str, list[int]]:
    names = {
        "complained": [*names_of(MessageEvent.COMPLAINED)],
        "engaged": [*names_of(MessageEvent.OPENED), *names_of(MessageEvent.CLICKED)],
        "bought": [meaning.purchase_event(catalogue.load())],
    }
    known = dict(EventDefinition.objects.filter(name__in=[*chain(*names.values())]).values_list("name", "id"))
    return {fact: [known[name] for name in each if name in known] for fact, each in names.items()}
