"""Fix who is addressed, and when each of them: one statement, whatever the timing."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Organization
from campaigns.domain import recurrence, slots
from campaigns.models import CampaignRun, PassedZones, TimedBy, Timing
from campaigns.selectors import audience
from campaigns.services import habits
from common import clock, tenancy

# Plan: one index scan per segment on one_open_membership, an anti-join for those left out, a key look-up per
# contact for the living. `ORDER BY` makes target ids follow the moments, and the sending follows ids.
INSERT_SQL = """
WITH {before} written AS (
    INSERT INTO campaigns_target (
           organization_id, campaign_id, run_id, occurrence, contact_id, created_at, send_at, timed_by)
    SELECT %(organization)s, %(campaign)s, %(run)s, %(occurrence)s, contact_id, %(now)s, send_at, timed_by
    FROM ({moments}) AS target
    ORDER BY send_at NULLS FIRST, contact_id
    ON CONFLICT (campaign_id, contact_id, occurrence) DO NOTHING
    RETURNING timed_by)
SELECT timed_by, count(*) FROM written GROUP BY 1
"""
AT_ONCE = f"SELECT contact_id, NULL::timestamptz AS send_at, '' AS timed_by FROM ({audience.CONTACTS_SQL}) AS chosen"
# Everybody with the zone of their clock: the organisation's where theirs is not known.
PEOPLE = f"""
people AS MATERIALIZED (
    SELECT contact.id AS contact_id, coalesce(known.zone, %(home)s) AS zone
    FROM ({audience.CONTACTS_SQL}) AS chosen
    JOIN audience_contact contact ON contact.id = chosen.contact_id
    LEFT JOIN unnest(%(zones)s::text[]) AS known(zone) ON known.zone = contact.timezone)
"""
WALL = "wall AS (SELECT * FROM unnest(%(zones)s::text[], %(moments)s::timestamptz[]) AS slot(zone, send_at))"
BY_WALL = """
SELECT people.contact_id, wall.send_at, '' AS timed_by FROM people LEFT JOIN wall ON wall.zone = people.zone
"""
# A contact's hours of the next 24, each with what the contact read then and what everybody's habit says for it
# (slots.priors); the best of them, if the contact is known at all. Plan: one_reading_hour, a handful of rows each.
OWN = f"""
slot AS (
    SELECT * FROM unnest(%(slot_zones)s::text[], %(slot_hours)s::int[], %(slot_weekdays)s::int[],
                         %(slot_moments)s::timestamptz[], %(slot_priors)s::float8[])
               AS slot(zone, hour, weekday, send_at, prior)),
usual AS (SELECT DISTINCT ON (zone) zone, send_at, prior FROM slot ORDER BY zone, prior DESC, send_at),
own AS (
    SELECT DISTINCT ON (contact_id) contact_id, send_at, score
    FROM (SELECT people.contact_id, slot.send_at,
                 sum(fact.count * CASE WHEN fact.hour_of_week / 24 = slot.weekday THEN 1 ELSE {slots.OTHER_DAY} END)
                 + max(slot.prior) AS score,
                 sum(sum(fact.count)) OVER (PARTITION BY people.contact_id) AS known
          FROM people
          JOIN campaigns_readinghour fact
            ON fact.organization_id = %(organization)s AND fact.contact_id = people.contact_id
          JOIN slot ON slot.zone = people.zone AND slot.hour = fact.hour_of_week %% 24
          GROUP BY 1, 2) AS scored
    WHERE known >= %(least_own)s
    ORDER BY contact_id, score DESC, send_at)
"""
BY_HABIT = f"""
SELECT people.contact_id,
       CASE WHEN own.score > usual.prior THEN own.send_at WHEN %(knows_habit)s THEN usual.send_at
            ELSE wall.send_at END AS send_at,
       CASE WHEN own.score > usual.prior THEN '{TimedBy.OWN}' WHEN %(knows_habit)s THEN '{TimedBy.ORGANIZATION}'
            ELSE '{TimedBy.FALLBACK}' END AS timed_by
FROM people LEFT JOIN usual ON usual.zone = people.zone LEFT JOIN own ON own.contact_id = people.contact_id
LEFT JOIN wall ON wall.zone = people.zone
"""
LEAST_OWN = 3  # opens and clicks before one speaks of a contact's habit


def write(run: CampaignRun, chosen: audience.Chosen) -> None:
    """Write the run's targets, and on the run how many there are and what their moments were chosen from."""
    now = clock.now()
    statement, values = _statement(run, now)
    parameters = audience.parameters(chosen) | values
    parameters |= {"campaign": run.campaign_id, "run": run.pk, "now": now, "occurrence": occurrence(run)}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        counts = dict(cursor.fetchall())
    run.target_count = sum(counts.values())
    run.timed_by = {name: count for name, count in counts.items() if name}
    run.snapshot_at = now


def occurrence(run: CampaignRun) -> int:
    """What keeps a contact from being addressed twice: the campaign, and for recurring ones which of its sends."""
    return run.number if run.campaign.timing == Timing.RECURRING else 0


def _statement(run: CampaignRun, now: datetime) -> tuple[str, dict[str, Any]]:
    """The statement of the campaign's timing, and what it binds beside the audience."""
    campaign = run.campaign
    if run.content_id is None or campaign.timing == Timing.AT:
        return INSERT_SQL.format(before="", moments=AT_ONCE), {}
    home = Organization.objects.get().timezone
    if campaign.timing == Timing.RECURRING:
        again = recurrence.parse(campaign.recurrence)
        if again.zone == "organization":
            return INSERT_SQL.format(before="", moments=AT_ONCE), {}
        assert run.planned_at is not None
        return _by_wall(run, again.at, now, home, again.day_of(run.planned_at, ZoneInfo(home)))
    if campaign.timing == Timing.LOCAL:
        assert campaign.local_time is not None
        return _by_wall(run, campaign.local_time, now, home, None)
    return _by_habit(campaign.local_time, now, home)


def _by_wall(run: CampaignRun, wall: time, now: datetime, home: str, day: date | None) -> tuple[str, dict[str, Any]]:
    at_once = run.campaign.passed_zones == PassedZones.NOW
    moments = slots.by_zone(wall, now, day=day, at_once=at_once)
    return INSERT_SQL.format(before=f"{PEOPLE}, {WALL},", moments=BY_WALL), {
        "home": home,
        "zones": list(slots.zones()),
        "moments": moments,
    }


def _by_habit(fallback: time | None, now: datetime, home: str) -> tuple[str, dict[str, Any]]:
    """`fallback`: the time for those of whom nothing is known; None: at once."""
    habit = habits.hours()
    ahead = list(slots.hours_ahead(now, habit))
    moments = slots.by_zone(fallback, now) if fallback is not None else [None] * len(slots.zones())
    return INSERT_SQL.format(before=f"{PEOPLE}, {WALL}, {OWN},", moments=BY_HABIT), {
        "home": home,
        "zones": list(slots.zones()),
        "moments": [moment and min(moment, now + slots.LATEST) for moment in moments],
        "slot_zones": [slot.zone for slot in ahead],
        "slot_hours": [slot.hour for slot in ahead],
        "slot_weekdays": [slot.weekday for slot in ahead],
        "slot_moments": [slot.send_at for slot in ahead],
        "slot_priors": [slot.prior for slot in ahead],
        "knows_habit": sum(habit) >= slots.LEAST_TO_KNOW,
        "least_own": LEAST_OWN,
    }
