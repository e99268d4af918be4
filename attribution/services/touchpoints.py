"""Events → touchpoints, and the conversions they may change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection
from django.utils.text import slugify

from accounts import audit
from attribution.domain import visits
from attribution.domain.channels import Channel, of_utm
from attribution.models import Touchpoint, TouchpointKind
from attribution.services.writing import writing
from audience.message_events import MessageEvent, names_of
from audience.models import Contact
from campaigns.models import Campaign
from common import clock, doorbell, tenancy
from delivery.domain.utm import SOURCE

CLICKS = names_of(MessageEvent.CLICKED)  # event name → channel of the message
# Announced by referral programmes, for both sides; the invitation reached the invitee.
INVITATIONS = ("referral_clicked", "referral_signed_up")

# Plan: one probe of the event table's primary key per wanted event, and per click one of the message's.
# Only events that may tell of a touch come back, and of their properties only the names we read.
CANDIDATES_SQL = """
SELECT event.id, event.contact_id, definition.name, event.happened_at,
       (SELECT jsonb_object_agg(entry.key, entry.value) FROM jsonb_each(event.properties) AS entry
        WHERE entry.key = ANY(%(names)s)),
       event.context -> 'campaign', event.context -> 'page',
       message.id, CASE WHEN message.source_type = 'campaign' THEN message.source_id END,
       coalesce(nullif(message.utm_campaign, ''), campaign.name, message.source_type || '-' || message.source_id)
FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS wanted(id, happened_at)
JOIN audience_event AS event ON event.id = wanted.id AND event.happened_at = wanted.happened_at
     AND event.organization_id = %(organization)s
JOIN audience_eventdefinition AS definition ON definition.id = event.definition_id
LEFT JOIN delivery_message AS message ON message.organization_id = %(organization)s
     AND message.id = CASE WHEN definition.name = ANY(%(clicks)s)
                            AND event.properties ->> 'message_id' ~ '^[0-9]{1,18}$'
                           THEN (event.properties ->> 'message_id')::bigint END
LEFT JOIN campaigns_campaign AS campaign ON campaign.organization_id = %(organization)s
     AND message.source_type = 'campaign' AND campaign.id = message.source_id
WHERE definition.name = ANY(%(clicks)s) OR definition.name = ANY(%(invitations)s)
   OR event.properties ?| %(names)s OR event.context ?| ARRAY['campaign', 'page']
"""
INSERT_SQL = """
INSERT INTO attribution_touchpoint (organization_id, event_id, contact_id, kind, channel, source, medium,
                                    campaign_id, campaign_name, message_id, happened_at)
SELECT %(organization)s, row.*
FROM unnest(%(event_id)s::bigint[], %(contact_id)s::bigint[], %(kind)s::text[], %(channel)s::text[],
            %(source)s::text[], %(medium)s::text[], %(campaign_id)s::bigint[], %(campaign_name)s::text[],
            %(message_id)s::bigint[], %(happened_at)s::timestamptz[]) AS row
ON CONFLICT (organization_id, event_id) DO NOTHING
RETURNING contact_id, happened_at
"""
# Marks rows that are marked already as well: the mark seen here may just be worked and taken away.
# Plan: per touch a range of conversion_by_contact.
MARK_SQL = """
UPDATE attribution_conversion AS conversion SET status = 'pending', run_at = %(now)s
FROM unnest(%(contacts)s::bigint[], %(moments)s::timestamptz[]) AS touched(contact_id, happened_at),
     attribution_goal AS goal
WHERE conversion.organization_id = %(organization)s AND conversion.contact_id = touched.contact_id
  AND goal.id = conversion.goal_id AND conversion.happened_at >= touched.happened_at
  AND conversion.happened_at < touched.happened_at + make_interval(days => goal.look_back_days)
"""


@dataclass(frozen=True)
class Found:
    """A touchpoint as an event tells it."""

    event_id: int
    contact_id: int
    kind: str
    channel: str
    source: str
    medium: str
    campaign_id: int | None
    campaign_name: str
    message_id: int | None
    happened_at: datetime


def record(events: Sequence[tuple[int, datetime]]) -> None:
    """Write the touchpoints that these events (id, moment) tell of and mark the conversions they may change.

    The number of statements does not depend on the number of events. Call it inside `writing()`.
    """
    found = _with_campaigns(touch for row in _candidates(events) if (touch := _read(row)))
    if not found:
        return
    columns = {name: [getattr(touch, name) for touch in found] for name in Found.__dataclass_fields__}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(INSERT_SQL, columns | {"organization": tenancy.required()})
        mark(cursor.fetchall())


def mark(touched: Sequence[tuple[int, datetime]]) -> None:
    """Mark the conversions within whose look-back these touches (contact, moment) fall, to be credited again."""
    if not touched:
        return
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(
            MARK_SQL,
            {
                "organization": tenancy.required(),
                "now": clock.now(),
                "contacts": [contact_id for contact_id, _ in touched],
                "moments": [moment for _, moment in touched],
            },
        )
    doorbell.ring("credits")


def add_offline(
    contact: Contact,
    *,
    happened_at: datetime,
    source: str = "",
    campaign: Campaign | None = None,
    campaign_name: str = "",
) -> Touchpoint:
    """Note a meeting outside the net (a fair, a call, a leaflet); credits follow."""
    with writing():
        touchpoint = Touchpoint.objects.create(
            contact=contact,
            kind=TouchpointKind.OFFLINE,
            channel=Channel.OFFLINE,
            source=source,
            campaign=campaign,
            campaign_name=campaign_name or (campaign.name if campaign else ""),
            happened_at=happened_at,
        )
        audit.created(touchpoint)
        mark([(contact.pk, happened_at)])
    return touchpoint


def _candidates(events: Sequence[tuple[int, datetime]]) -> list[tuple[Any, ...]]:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "ids": [event_id for event_id, _ in events],
        "moments": [moment for _, moment in events],
        "names": [*visits.PROPERTY_NAMES, "is_machine", "role", "campaign_name"],
        "clicks": list(CLICKS),
        "invitations": list(INVITATIONS),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(CANDIDATES_SQL, parameters)
        return list(cursor.fetchall())


def _read(row: tuple[Any, ...]) -> Found | None:
    event_id, contact_id, name, happened_at, properties, campaign, page, message_id, campaign_id, label = row
    properties = _decode(properties) or {}
    if name in CLICKS:
        if properties.get("is_machine") is True:
            return None
        medium = CLICKS[name]
        kind, visit = TouchpointKind.CLICK, visits.Visit(of_utm(SOURCE, medium), SOURCE, medium, label or "")
    elif name in INVITATIONS:
        if properties.get("role") != "invitee":
            return None
        named = str(properties.get("campaign_name") or "")
        kind, visit = TouchpointKind.REFERRAL, visits.Visit(Channel.REFERRAL, "referral", "invite", named[:200])
    else:
        kind, found = TouchpointKind.VISIT, visits.of_event(properties, _decode(campaign), _decode(page))
        if found is None:
            return None
        visit = found
    return Found(
        event_id, contact_id, kind, visit.channel, visit.source, visit.medium,
        campaign_id, visit.campaign, message_id, happened_at,
    )  # fmt: skip


def _decode(document: str | None) -> Any:
    return None if document is None else msgspec.json.decode(document)


def _with_campaigns(touches: Iterable[Found]) -> list[Found]:
    """Tags that name one of our campaigns point at it."""
    found = list(touches)
    names = {touch.campaign_name for touch in found if touch.campaign_id is None and touch.campaign_name}
    known = _campaigns_by_tag() if names else {}
    return [
        replace(touch, campaign_id=known.get(touch.campaign_name)) if touch.campaign_id is None else touch
        for touch in found
    ]


def _campaigns_by_tag() -> dict[str, int]:
    """Campaign ids by the tags that links in their mails carry: their own, or their name as a slug, or their number.

    The newest campaign of a tag counts; an organisation has thousands of campaigns at most.
    """
    rows = list(Campaign.objects.order_by("pk").values_list("pk", "utm_campaign", "name"))
    numbered = {f"campaign-{pk}": pk for pk, _, _ in rows}
    return numbered | {tag or slugify(name): pk for pk, tag, name in rows if tag or slugify(name)}
