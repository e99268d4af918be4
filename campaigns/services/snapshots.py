"""Fix who is addressed, which arm each of them gets and when: one statement, whatever the timing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection

from accounts.models import Organization
from campaigns.domain import recurrence
from campaigns.models import Campaign, CampaignRun, PassedZones, Timing
from campaigns.selectors import audience
from campaigns.services import arms, moments
from campaigns.services.arms import Planned
from campaigns.services.moments import Wall
from common import clock, tenancy
from experiments import services as experiments
from experiments.models import Experiment

CONTACTS = f"""
SELECT %(run)s::bigint AS run_id, %(campaign)s::bigint AS campaign_id, %(occurrence)s AS occurrence, contact_id
FROM ({audience.CONTACTS_SQL}) AS included
"""
# The `place` where a moment stands: the campaign's (''), that of an arm with a time of its own, or that of the rest,
# who wait for the winner. Hours are counted from the same.
PEOPLE = """
people AS MATERIALIZED (
    SELECT placed.*, placed.place AS start
    FROM (SELECT drawn.*, %(tests)s AND arm_id IS NULL AS waits,
                 CASE WHEN arm_id = ANY(%(timed_arms)s::bigint[]) THEN arm_id::text
                      WHEN %(tests)s AND arm_id IS NULL THEN 'rest' ELSE '' END AS place
          FROM ({drawn}) AS drawn) AS placed)
"""
# An arm once given stays: who got one in an earlier send of a recurring campaign keeps it.
DRAW = """
LEFT JOIN experiments_assignment held
  ON held.organization_id = %(organization)s AND held.experiment_id = %(experiment)s AND held.contact_id = contact.id
LEFT JOIN LATERAL {draw} AS share ON true
"""
REST = "rest"
FIELDS = ["snapshot_at", "target_count", "timed_by", "test_through_id", "test_count"]


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
    run.target_count = sum(count for _, _, count, _, _ in rows)
    run.timed_by = {name: count for _, name, count, _, _ in rows if name}
    if tests:
        run.test_count = sum(in_test for _, _, _, in_test, _ in rows)
        run.test_through_id = max((through for _, _, _, _, through in rows), default=0)
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
        return moments.at_once(CONTACTS), {}
    people, values = _people(experiment, timed, tests=tests)
    if not is_best:
        return moments.by_wall(people), values | moments.columns(home, now, walls, {})
    starts = {"": now} | ({REST: _rest_at(campaign, now)} if tests else {})
    return moments.by_habit(people), values | moments.columns(home, now, walls, starts)


def _people(experiment: Experiment | None, timed: Sequence[Planned], *, tests: bool) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"timed_arms": [each.arm.pk for each in timed], "tests": tests}
    arm, draw = "NULL::bigint", ""
    if experiment is not None:
        drawn = experiments.arms_sql(experiment)
        values |= drawn.parameters | {"experiment": experiment.pk}
        arm, draw = "coalesce(held.arm_id, share.arm_id)", DRAW.format(draw=drawn.sql)
    return PEOPLE.format(drawn=moments.PEOPLE.format(contacts=CONTACTS, arm=arm, draw=draw)), values


def _walls(run: CampaignRun, timed: Sequence[Planned], now: datetime, home: str) -> list[Wall]:
    """The times of day of the campaign, of arms that have their own, and of those who wait for the winner."""
    campaign = run.campaign
    own = wall(run, now, home)
    at_once, latest = campaign.passed_zones == PassedZones.NOW, campaign.timing == Timing.BEST
    day = own.day if own is not None else None
    walls = [
        Wall(str(each.arm.pk), each.plan.send_at, now, day, at_once, latest)
        for each in timed
        if each.plan.send_at is not None
    ]
    if own is not None:
        walls += [own, Wall(REST, own.at, _rest_at(campaign, now), own.day, at_once, latest)]
    return walls


def wall(run: CampaignRun, now: datetime, home: str, place: str = "") -> Wall | None:
    """The time of day of the run's campaign by each contact's clock; None where it has none."""
    campaign, day, at = run.campaign, None, None
    if campaign.timing in (Timing.LOCAL, Timing.BEST):
        at = campaign.local_time
    elif campaign.timing == Timing.RECURRING:
        again = recurrence.parse(campaign.recurrence)
        if again.zone == "contact" and run.planned_at is not None:
            at, day = again.at, again.day_of(run.planned_at, ZoneInfo(home))
    if at is None:
        return None
    at_once = campaign.passed_zones == PassedZones.NOW
    return Wall(place, at, now, day, at_once, latest=campaign.timing == Timing.BEST)


def _rest_at(campaign: Campaign, now: datetime) -> datetime:
    """When the rest follows at the latest; their moments are counted from there, whoever decides sooner."""
    return now + timedelta(hours=campaign.test_hours or 0)
