"""Learn when people read, from what they opened and clicked (machines are left out by delivery)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models import Organization
from campaigns.domain import slots
from campaigns.models import Campaign, CampaignStatus, ReadingHabit, Timing
from common import clock, doorbell, tenancy

LEARNED_DAYS = 180
STALE = timedelta(days=1)
AGING = timedelta(hours=20)  # Beat learns anew before a campaign would have to wait for it
COMING = (CampaignStatus.DRAFT, CampaignStatus.SCHEDULED)
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

FORGET_SQL = "DELETE FROM campaigns_readinghour WHERE organization_id = %(organization)s"
# Plan: messages_handed_over for the last half year, one pass, contacts by their key; one aggregate. Only those whose
# campaigns go out at best times pay for it, once a day. pg_timezone_names reads files: once, into memory.
LEARN_SQL = """
WITH known AS MATERIALIZED (SELECT name FROM pg_timezone_names), engaged AS (
    SELECT coalesce(contact.merged_into_id, contact.id) AS contact_id,
           moment.happened_at AT TIME ZONE coalesce(known.name, %(home)s) AS wall
    FROM delivery_message message
    JOIN audience_contact contact
      ON contact.id = message.contact_id AND contact.organization_id = message.organization_id
    LEFT JOIN known ON known.name = contact.timezone
    CROSS JOIN LATERAL (VALUES (message.opened_at), (message.clicked_at)) AS moment(happened_at)
    WHERE message.organization_id = %(organization)s AND message.handed_at > %(since)s
      AND moment.happened_at IS NOT NULL)
INSERT INTO campaigns_readinghour (organization_id, contact_id, hour_of_week, count)
SELECT %(organization)s, contact_id, (extract(isodow FROM wall)::int - 1) * 24 + extract(hour FROM wall)::int,
       count(*)
FROM engaged GROUP BY 2, 3
"""
WHOLE_SQL = """
SELECT hour_of_week, sum(count)::bigint FROM campaigns_readinghour
WHERE organization_id = %(organization)s GROUP BY 1
"""


def is_stale() -> bool:
    """Whether what is known of the organisation's contacts is older than a day, or nothing."""
    return not ReadingHabit.objects.filter(learned_at__gt=clock.now() - STALE).exists()


def refresh_everywhere() -> None:
    """Learn anew for organisations that go on sending at best times, before what they know is stale."""
    aging = doorbell.organizations_with("campaigns_readinghabit", "learned_at <= %s", [clock.now() - AGING])
    for organization_id in sorted(aging):
        with tenancy.organization(organization_id):
            if Campaign.objects.filter(timing=Timing.BEST, status__in=COMING).exists():
                learn(AGING)


def learn(age: timedelta = STALE) -> ReadingHabit:
    """Read the ledger of half a year anew where what is known has this age; of two that want to, the second finds it
    done."""
    with transaction.atomic():
        ReadingHabit.objects.get_or_create(defaults={"learned_at": NEVER, "hours": []})
        habit = ReadingHabit.objects.select_for_update().get()
        if habit.learned_at > clock.now() - age:
            return habit
        habit.hours, habit.learned_at = _learned(), clock.now()
        habit.save()
    return habit


def hours() -> list[int]:
    """Opens and clicks of everybody by hour of the week; empty where nothing was learned."""
    habit = ReadingHabit.objects.first()
    return list(habit.hours) if habit is not None else []


def _learned() -> list[int]:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "home": Organization.objects.get().timezone,
        "since": clock.now() - timedelta(days=LEARNED_DAYS),
    }
    whole = [0] * (slots.HOURS * slots.WEEKDAYS)
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(FORGET_SQL, parameters)
        cursor.execute(LEARN_SQL, parameters)
        cursor.execute(WHOLE_SQL, parameters)
        for hour, count in cursor.fetchall():
            whole[hour] = count
    return whole
