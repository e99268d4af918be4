"""Fix who is addressed, which arm each of them gets and when: one statement, whatever the timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Organization
from campaigns.domain import recurrence, slots
from campaigns.models import Campaign, CampaignRun, PassedZones, TimedBy, Timing
from campaigns.selectors import audience
from campaigns.services import arms, habits
from campaigns.services.arms import Planned
from common import clock, tenancy
from experiments import services as experiments
from experiments.models import Experiment

# Plan: one index scan per segment on one_open_membership, an anti-join for those left out, a key look-up per
# contact for the living. `ORDER BY` makes target ids follow the moments, and the sending follows ids. Who waits for
# the winner of a first test comes last.
INSERT_SQL = """
WITH {before} written AS (
    INSERT INTO campaigns_target (
           organization_id, campaign_id, run_id, occurrence, contact_id, created_at, arm_id, send_at, timed_by)
    SELECT %(organization)s, %(campaign)s, %(run)s, %(occurrence)s, contact_id, %(now)s, arm_id, send_at, timed_by
    FROM ({moments}) AS target
    ORDER BY waits, send_at NULLS FIRST, contact_id
    ON CONFLICT (campaign_id, contact_id, occurrence) DO NOTHING
    RETURNING id, arm_id, timed_by)
SELECT timed_by, count(*), count(arm_id), coalesce(max(id) FILTER (WHERE arm_id IS NOT NULL), 0)
FROM written GROUP BY 1
"""
AT_ONCE = f"""
SELECT contact_id, NULL::bigint AS arm_id, false AS waits, NULL::timestamptz AS send_at, '' AS timed_by
FROM ({audience.CONTACTS_SQL}) AS chosen
"""
# Everybody with the zone of their clock (the organisation's where theirs is not known), the arm they have or draw,
# and the `place` in the plan where their moment stands: the campaign's (''), that of an arm with a time of its own,
# or that of the rest, who wait for the winner.
PEOPLE = """
people AS MATERIALIZED (
    SELECT drawn.*, CASE WHEN arm_id = ANY(%(timed_arms)s::bigint[]) THEN arm_id::text
                         WHEN waits THEN 'rest' ELSE '' END AS place
    FROM (
        SELECT contact.id AS contact_id, coalesce(known.zone, %(home)s) AS zone, {arm} AS arm_id,
               %(tests)s AND {arm} IS NULL AS waits
        FROM ({contacts}) AS chosen
        JOIN audience_contact contact ON contact.id = chosen.contact_id
        LEFT JOIN unnest(%(zones)s::text[]) AS known(zone) ON known.zone = contact.timezone
        {draw}) AS drawn)
"""
# An arm once given stays: who got one in an earlier send of a recurring campaign keeps it.
DRAW = """
LEFT JOIN experiments_assignment held
  ON held.organization_id = %(organization)s AND held.experiment_id = %(experiment)s AND held.contact_id = contact.id
LEFT JOIN LATERAL {draw} AS share ON true
"""
WALL = """
wall AS (SELECT * FROM unnest(%(wall_places)s::text[], %(wall_zones)s::text[], %(wall_moments)s::timestamptz[])
                    AS wall(place, zone, send_at))
"""
BY_WALL = """
SELECT people.contact_id, people.arm_id, people.waits, wall.send_at, '' AS timed_by
FROM people LEFT JOIN wall ON wall.place = people.place AND wall.zone = people.zone
"""
# A contact's hours of the next 24, each with what the contact read then and what everybody's habit says for it
# (slots.priors); the best of them, if the contact is known at all. Plan: one_reading_hour, a handful of rows each.
OWN = f"""
slot AS (
    SELECT * FROM unnest(%(slot_places)s::text[], %(slot_zones)s::text[], %(slot_hours)s::int[],
                         %(slot_weekdays)s::int[], %(slot_moments)s::timestamptz[], %(slot_priors)s::float8[])
               AS slot(place, zone, hour, weekday, send_at, prior)),
usual AS (
    SELECT DISTINCT ON (place, zone) place, zone, send_at, prior FROM slot ORDER BY place, zone, prior DESC, send_at),
own AS (
    SELECT DISTINCT ON (contact_id) contact_id, send_at, score
    FROM (SELECT people.contact_id, slot.send_at,
                 sum(fact.count * CASE WHEN fact.hour_of_week / 24 = slot.weekday THEN 1 ELSE {slots.OTHER_DAY} END)
                 + max(slot.prior) AS score,
                 sum(sum(fact.count)) OVER (PARTITION BY people.contact_id) AS known
          FROM people
          JOIN campaigns_readinghour fact
            ON fact.organization_id = %(organization)s AND fact.contact_id = people.contact_id
          JOIN slot ON slot.place = people.place AND slot.zone = people.zone AND slot.hour = fact.hour_of_week %% 24
          GROUP BY 1, 2) AS scored
    WHERE known >= %(least_own)s
    ORDER BY contact_id, score DESC, send_at)
"""
BY_HABIT = f"""
SELECT people.contact_id, people.arm_id, people.waits,
       CASE WHEN usual.zone IS NULL THEN wall.send_at WHEN own.score > usual.prior THEN own.send_at
            WHEN %(knows_habit)s THEN usual.send_at ELSE wall.send_at END AS send_at,
       CASE WHEN usual.zone IS NULL THEN '' WHEN own.score > usual.prior THEN '{TimedBy.OWN}'
            WHEN %(knows_habit)s THEN '{TimedBy.ORGANIZATION}' ELSE '{TimedBy.FALLBACK}' END AS timed_by
FROM people
LEFT JOIN usual ON usual.place = people.place AND usual.zone = people.zone
LEFT JOIN own ON own.contact_id = people.contact_id
LEFT JOIN wall ON wall.place = people.place AND wall.zone = people.zone
"""
LEAST_OWN = 3  # opens and clicks before one speaks of a contact's habit
REST = "rest"
FIELDS = ["snapshot_at", "target_count", "timed_by", "test_through_id", "test_count"]


@dataclass(frozen=True)
class Wall:
    """At what time people of a place get it by their clocks, not before `earliest`; for dates, on `day`."""

    place: str
    at: time
    earliest: datetime
    day: date | None = None


def write(run: CampaignRun, chosen: audience.Chosen, experiment: Experiment | None) -> None:
    """Write the run's targets, and on the run how many there are, who is in a first test, and what their moments
    were chosen from. `experiment` runs, and is held by the caller."""
    now = clock.now()
    tests = experiment is not None and bool(run.campaign.test_percent)
    statement, values = _statement(run, experiment, now, tests=tests)
    parameters = audience.parameters(chosen) | values
    parameters |= {"campaign": run.campaign_id, "run": run.pk, "now": now, "occurrence": occurrence(run)}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    run.snapshot_at = now
    run.target_count = sum(count for _, count, _, _ in rows)
    run.timed_by = {name: count for name, count, _, _ in rows if name}
    if tests:
        run.test_count = sum(in_test for _, _, in_test, _ in rows)
        run.test_through_id = max((through for _, _, _, through in rows), default=0)
    if experiment is not None:
        arms.assign(run, experiment)


def occurrence(run: CampaignRun) -> int:
    """What keeps a contact from being addressed twice: the campaign, and for recurring ones which of its sends."""
    return run.number if run.campaign.timing == Timing.RECURRING else 0


def _statement(
    run: CampaignRun, experiment: Experiment | None, now: datetime, *, tests: bool
) -> tuple[str, dict[str, Any]]:
    """The statement of the campaign's timing, and what it binds beside the audience."""
    campaign, home = run.campaign, Organization.objects.get().timezone
    timed = [each for each in arms.planned(campaign) if each.plan.send_at is not None] if experiment else []
    walls = _walls(run, timed, now, home) if run.content_id is not None else []
    is_best = campaign.timing == Timing.BEST and run.content_id is not None
    if experiment is None and not walls and not is_best:
        return INSERT_SQL.format(before="", moments=AT_ONCE), {}
    people, values = _people(experiment, timed, home, tests=tests)
    values |= _wall_columns(walls, at_once=campaign.passed_zones == PassedZones.NOW, latest=is_best)
    if not is_best:
        return INSERT_SQL.format(before=f"{people}, {WALL},", moments=BY_WALL), values
    starts = {"": now} | ({REST: _rest_at(campaign, now)} if tests else {})
    return INSERT_SQL.format(before=f"{people}, {WALL}, {OWN},", moments=BY_HABIT), values | _slot_columns(starts)


def _people(
    experiment: Experiment | None, timed: Sequence[Planned], home: str, *, tests: bool
) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {
        "home": home,
        "zones": list(slots.zones()),
        "timed_arms": [each.arm.pk for each in timed],
        "tests": tests,
    }
    if experiment is None:
        return PEOPLE.format(contacts=audience.CONTACTS_SQL, arm="NULL::bigint", draw=""), values
    draw = experiments.arms_sql(experiment)
    values |= draw.parameters | {"experiment": experiment.pk}
    arm = "coalesce(held.arm_id, share.arm_id)"
    return PEOPLE.format(contacts=audience.CONTACTS_SQL, arm=arm, draw=DRAW.format(draw=draw.sql)), values


def _walls(run: CampaignRun, timed: Sequence[Planned], now: datetime, home: str) -> list[Wall]:
    """The times of day of the campaign, of arms that have their own, and of those who wait for the winner."""
    campaign, day, at = run.campaign, None, None
    if campaign.timing in (Timing.LOCAL, Timing.BEST):
        at = campaign.local_time
    elif campaign.timing == Timing.RECURRING:
        again = recurrence.parse(campaign.recurrence)
        if again.zone == "contact" and run.planned_at is not None:
            at, day = again.at, again.day_of(run.planned_at, ZoneInfo(home))
    walls = [Wall(str(each.arm.pk), each.plan.send_at, now, day) for each in timed if each.plan.send_at is not None]
    if at is not None:
        walls += [Wall("", at, now, day), Wall(REST, at, _rest_at(campaign, now))]
    return walls


def _rest_at(campaign: Campaign, now: datetime) -> datetime:
    """When the rest follows at the latest; their moments are counted from there, whoever decides sooner."""
    return now + timedelta(hours=campaign.test_hours or 0)


def _wall_columns(walls: Sequence[Wall], *, at_once: bool, latest: bool) -> dict[str, Any]:
    """`latest`: none goes later than best times may."""
    rows = [
        (wall.place, zone, min(moment, wall.earliest + slots.LATEST) if latest else moment)
        for wall in walls
        for zone, moment in zip(
            slots.zones(), slots.by_zone(wall.at, wall.earliest, day=wall.day, at_once=at_once), strict=True
        )
    ]
    return {
        "wall_places": [place for place, _, _ in rows],
        "wall_zones": [zone for _, zone, _ in rows],
        "wall_moments": [moment for _, _, moment in rows],
    }


def _slot_columns(starts: dict[str, datetime]) -> dict[str, Any]:
    """The hours to choose from, for each place from its start on."""
    habit = habits.hours()
    ahead = [(place, slot) for place, start in starts.items() for slot in slots.hours_ahead(start, habit)]
    return {
        "slot_places": [place for place, _ in ahead],
        "slot_zones": [slot.zone for _, slot in ahead],
        "slot_hours": [slot.hour for _, slot in ahead],
        "slot_weekdays": [slot.weekday for _, slot in ahead],
        "slot_moments": [slot.send_at for _, slot in ahead],
        "slot_priors": [slot.prior for _, slot in ahead],
        "knows_habit": sum(habit) >= slots.LEAST_TO_KNOW,
        "least_own": LEAST_OWN,
    }
