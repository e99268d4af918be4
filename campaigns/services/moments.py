"""When each person's message goes, as SQL: at once, by a clock on the wall, or by what the person usually reads.

`snapshots` asks it for one run with all that it may have, `crowd_targets` for many without arms. Each gives its
people: a query of `run_id, campaign_id, occurrence, contact_id`, and for clocks and habits the part `people`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from campaigns.domain import slots
from campaigns.models import TimedBy
from campaigns.services import habits

# Plan: one index scan per segment on one_open_membership, an anti-join for those left out, a key look-up per
# contact for the living. `ORDER BY` makes target ids follow the moments, and the sending follows ids. Who waits for
# the winner of a first test comes last.
INSERT_SQL = """
WITH {before} written AS (
    INSERT INTO campaigns_target (
           organization_id, campaign_id, run_id, occurrence, contact_id, created_at, arm_id, send_at, timed_by)
    SELECT %(organization)s, campaign_id, run_id, occurrence, contact_id, %(now)s, arm_id, send_at, timed_by
    FROM ({moments}) AS target
    ORDER BY run_id, waits, send_at NULLS FIRST, contact_id
    ON CONFLICT (campaign_id, contact_id, occurrence) DO NOTHING
    RETURNING id, run_id, arm_id, timed_by)
SELECT run_id, timed_by, count(*), count(arm_id), coalesce(max(id) FILTER (WHERE arm_id IS NOT NULL), 0)
FROM written GROUP BY 1, 2
"""
AT_ONCE = """
SELECT chosen.*, NULL::bigint AS arm_id, false AS waits, NULL::timestamptz AS send_at, '' AS timed_by
FROM ({contacts}) AS chosen
"""
# Everybody with the zone that stands for that of their clock (the organisation's where theirs is not known), and the
# arm they have or draw.
PEOPLE = """
SELECT chosen.*, coalesce(known.alike, %(home)s) AS zone, {arm} AS arm_id
FROM ({contacts}) AS chosen
JOIN audience_contact contact ON contact.id = chosen.contact_id
LEFT JOIN unnest(%(zones)s::text[], %(alike)s::text[]) AS known(zone, alike) ON known.zone = contact.timezone
{draw}
"""
# `people` has those rows with `waits`, the `place` in the plan where their moment on the wall stands, and the
# `start` from which their hours are counted.
WALL = """
wall AS (SELECT * FROM unnest(%(wall_places)s::text[], %(wall_zones)s::text[], %(wall_moments)s::timestamptz[])
                    AS wall(place, zone, send_at))
"""
ROW = "people.run_id, people.campaign_id, people.occurrence, people.contact_id, people.arm_id, people.waits"
BY_WALL = f"""
SELECT {ROW}, wall.send_at, '' AS timed_by
FROM people LEFT JOIN wall ON wall.place = people.place AND wall.zone = people.zone
"""
# A contact's hours of the next 24, each with what the contact read then and what everybody's habit says for it
# (slots.priors); the best of them, if the contact is known at all. Plan: one_reading_hour, a handful of rows each.
OWN = f"""
slot AS (
    SELECT * FROM unnest(%(slot_starts)s::text[], %(slot_zones)s::text[], %(slot_hours)s::int[],
                         %(slot_weekdays)s::int[], %(slot_moments)s::timestamptz[], %(slot_priors)s::float8[])
               AS slot(start, zone, hour, weekday, send_at, prior)),
usual AS (
    SELECT DISTINCT ON (start, zone) start, zone, send_at, prior FROM slot ORDER BY start, zone, prior DESC, send_at),
own AS (
    SELECT DISTINCT ON (start, contact_id) start, contact_id, send_at, score
    FROM (SELECT person.start, person.contact_id, slot.send_at,
                 sum(fact.count * CASE WHEN fact.hour_of_week / 24 = slot.weekday THEN 1 ELSE {slots.OTHER_DAY} END)
                 + max(slot.prior) AS score,
                 sum(sum(fact.count)) OVER (PARTITION BY person.start, person.contact_id) AS known
          FROM (SELECT DISTINCT start, zone, contact_id FROM people) AS person
          JOIN campaigns_readinghour fact
            ON fact.organization_id = %(organization)s AND fact.contact_id = person.contact_id
          JOIN slot
            ON slot.start = person.start AND slot.zone = person.zone AND slot.hour = fact.hour_of_week %% 24
          GROUP BY 1, 2, 3) AS scored
    WHERE known >= %(least_own)s
    ORDER BY start, contact_id, score DESC, send_at)
"""
BY_HABIT = f"""
SELECT {ROW},
       CASE WHEN usual.zone IS NULL THEN wall.send_at WHEN own.score > usual.prior THEN own.send_at
            WHEN %(knows_habit)s THEN usual.send_at ELSE wall.send_at END AS send_at,
       CASE WHEN usual.zone IS NULL THEN '' WHEN own.score > usual.prior THEN '{TimedBy.OWN}'
            WHEN %(knows_habit)s THEN '{TimedBy.ORGANIZATION}' ELSE '{TimedBy.FALLBACK}' END AS timed_by
FROM people
LEFT JOIN usual ON usual.start = people.start AND usual.zone = people.zone
LEFT JOIN own ON own.start = people.start AND own.contact_id = people.contact_id
LEFT JOIN wall ON wall.place = people.place AND wall.zone = people.zone
"""
LEAST_OWN = 3  # opens and clicks before one speaks of a contact's habit


@dataclass(frozen=True)
class Wall:
    """At what time people of a place get it by their clocks, not before `earliest`; for dates, on `day`.

    `at_once`: where that time has passed they get it at once. `latest`: none goes later than best times may.
    """

    place: str
    at: time
    earliest: datetime
    day: date | None = None
    at_once: bool = False
    latest: bool = False


def at_once(contacts: str) -> str:
    """The statement for people of whom nobody waits for a moment."""
    return INSERT_SQL.format(before="", moments=AT_ONCE.format(contacts=contacts))


def by_wall(people: str) -> str:
    """The statement for clocks on the wall."""
    return INSERT_SQL.format(before=f"{people}, {WALL},", moments=BY_WALL)


def by_habit(people: str) -> str:
    """The statement for best times."""
    return INSERT_SQL.format(before=f"{people}, {WALL}, {OWN},", moments=BY_HABIT)


def columns(home: str, now: datetime, walls: Iterable[Wall], starts: Mapping[str, datetime]) -> dict[str, Any]:
    """What the statements bind: zones, the moment of each place in every zone, and the hours from each start on."""
    walls = list(walls)
    last = max([*(wall.earliest for wall in walls), *starts.values()], default=now)
    alike = slots.alike(now, last)
    among = sorted({*alike.values()})
    zones = {"zones": list(alike), "alike": list(alike.values()), "home": alike.get(home, home)}
    return zones | _wall_columns(walls, among) | (_slot_columns(starts, among) if starts else {})


def _wall_columns(walls: Iterable[Wall], among: Sequence[str]) -> dict[str, Any]:
    rows = [(wall.place, zone, _moment(wall, zone)) for wall in walls for zone in among]
    return {
        "wall_places": [place for place, _, _ in rows],
        "wall_zones": [zone for _, zone, _ in rows],
        "wall_moments": [moment for _, _, moment in rows],
    }


def _moment(wall: Wall, zone: str) -> datetime:
    moment = slots.first_at(wall.at, zone, wall.earliest, day=wall.day, at_once=wall.at_once)
    return min(moment, wall.earliest + slots.LATEST) if wall.latest else moment


def _slot_columns(starts: Mapping[str, datetime], among: Sequence[str]) -> dict[str, Any]:
    habit = habits.hours()
    ahead = [(start, slot) for start, at in starts.items() for slot in slots.hours_ahead(at, habit, among)]
    return {
        "slot_starts": [start for start, _ in ahead],
        "slot_zones": [slot.zone for _, slot in ahead],
        "slot_hours": [slot.hour for _, slot in ahead],
        "slot_weekdays": [slot.weekday for _, slot in ahead],
        "slot_moments": [slot.send_at for _, slot in ahead],
        "slot_priors": [slot.prior for _, slot in ahead],
        "knows_habit": sum(habit) >= slots.LEAST_TO_KNOW,
        "least_own": LEAST_OWN,
    }
