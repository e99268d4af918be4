"""Fix who is addressed by each of many runs, and when, in one statement for each kind of timing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from django.db import connection

from accounts.models import Organization
from campaigns.models import CampaignRun, Timing
from campaigns.selectors import audience
from campaigns.services import moments, snapshots
from campaigns.services.moments import Wall
from common import clock, tenancy

CHOSEN = "ARRAY(SELECT segment_id FROM campaigns_campaignaudience WHERE campaign_id = run.campaign_id AND {which})"
CONTACTS_OF_RUN = audience.CONTACTS_SQL.replace("%(include)s", CHOSEN.format(which="NOT is_excluded")).replace(
    "%(exclude)s", CHOSEN.format(which="is_excluded")
)
# Plan: for each campaign its few segments, then as for one: one_open_membership, contacts by key.
CONTACTS = """
SELECT run.id AS run_id, run.campaign_id, run.occurrence, {place}person.contact_id
FROM unnest(%(runs)s::bigint[], %(campaigns)s::bigint[], %(occurrences)s::int[], %(places)s::text[])
  AS run(id, campaign_id, occurrence, place)
CROSS JOIN LATERAL ({contacts}) AS person
"""
PLAIN = CONTACTS.format(place="", contacts=CONTACTS_OF_RUN)
DRAWN = moments.PEOPLE.format(
    contacts=CONTACTS.format(place="run.place, ", contacts=CONTACTS_OF_RUN), arm="NULL::bigint", draw=""
)
PEOPLE = f"people AS MATERIALIZED (SELECT drawn.*, false AS waits, '' AS start FROM ({DRAWN}) AS drawn)"


def write(runs: Sequence[CampaignRun]) -> None:
    """Write the targets of runs without arms, and on each run how many there are and what their moments were
    chosen from."""
    now, home = clock.now(), Organization.objects.get().timezone
    for run in runs:
        run.snapshot_at, run.target_count, run.timed_by = now, 0, {}
    walls = {run.pk: snapshots.wall(run, now, home) for run in runs}
    best = [run for run in runs if run.campaign.timing == Timing.BEST]
    timed = [run for run in runs if run.campaign.timing != Timing.BEST and walls[run.pk] is not None]
    plain = [run for run in runs if run.campaign.timing != Timing.BEST and walls[run.pk] is None]
    places = _places([wall for wall in walls.values() if wall is not None])
    for statement, chosen, starts in (
        (moments.at_once(PLAIN), plain, {}),
        (moments.by_wall(PEOPLE), timed, {}),
        (moments.by_habit(PEOPLE), best, {"": now}),
    ):
        used = {wall: places[wall] for run in chosen if (wall := walls[run.pk]) is not None}
        if chosen:
            named = [used[wall].place if (wall := walls[run.pk]) is not None else "" for run in chosen]
            values = moments.columns(home, now, used.values(), starts) if used or starts else {}
            _insert(statement, chosen, values | {"places": named})


def _insert(statement: str, runs: Sequence[CampaignRun], values: dict[str, Any]) -> None:
    parameters: dict[str, Any] = {
        "organization": tenancy.required(),
        "now": runs[0].snapshot_at,
        "runs": [run.pk for run in runs],
        "campaigns": [run.campaign_id for run in runs],
        "occurrences": [snapshots.occurrence(run) for run in runs],
    }
    by_run = {run.pk: run for run in runs}
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(statement, parameters | values)
        for run_id, timed_by, count, _, _ in cursor.fetchall():
            by_run[run_id].target_count += count
            if timed_by:
                by_run[run_id].timed_by[timed_by] = count


def _places(walls: Sequence[Wall]) -> dict[Wall, Wall]:
    """Each different clock once, with a place of its own: at nine are many."""
    return {wall: replace(wall, place=str(number)) for number, wall in enumerate(dict.fromkeys(walls), start=1)}
