"""Who gets the next piece of work: in turn, or whoever has least to do."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Any, Literal

from django.db import connection

from common import tenancy
from common.errors import Permanent

Method = Literal["in_turn", "least_busy"]

# The row's lock makes two engines take turns; a rolled back step gives its turns back.
TAKE_TURNS_SQL = """
INSERT INTO automations_rotation (organization_id, automation_id, step_id, position)
VALUES (%(organization)s, %(automation)s, %(step)s, %(count)s)
    ON CONFLICT (automation_id, step_id) DO UPDATE SET position = automations_rotation.position + %(count)s
RETURNING position - %(count)s
"""
# Those who still have a seat, locked against a second engine that counts the same people's work meanwhile. Writing a
# task for somebody takes a lock that does not quarrel with this one.
LOCK_SQL = """
SELECT id FROM accounts_member WHERE organization_id = %(organization)s AND id = ANY(%(members)s) AND is_active
 ORDER BY id FOR NO KEY UPDATE
"""
SEATS_SQL = """
SELECT id FROM accounts_member WHERE organization_id = %(organization)s AND id = ANY(%(members)s) AND is_active
 ORDER BY id
"""
# A statement of its own, so that it sees what the engine before us wrote. Plan: tasks_by_assignee per member; leads
# by the assignee's foreign key index. Counted up to MOST_COUNTED: people with more than that are equally busy.
LOADS_SQL = """
SELECT member_id,
       (SELECT count(*) FROM (SELECT 1 FROM automations_task AS task
                               WHERE task.organization_id = %(organization)s AND task.assignee_id = member_id
                                 AND task.status = 'open' LIMIT %(most)s) AS tasks)
     + (SELECT count(*) FROM (SELECT 1 FROM audience_contact AS lead
                               WHERE lead.organization_id = %(organization)s AND lead.assignee_id = member_id
                                 AND lead.merged_into_id IS NULL AND lead.status <> ALL(%(closed)s)
                               LIMIT %(most)s) AS leads)
  FROM unnest(%(members)s::bigint[]) AS member_id
"""
MOST_COUNTED = 5_000
# A lead with one of these statuses is nobody's work any more.
CLOSED = ("won", "lost", "customer", "closed", "churned")


def take(method: Method, member_ids: Sequence[int], count: int, *, automation_id: int, step_id: str) -> list[int]:
    """The members for the next `count` pieces of work of a step, in order; the same member may come again.

    `in_turn` goes round in the order of the members' ids. `least_busy` gives to whoever has the fewest open tasks and
    open leads, equals in turn. Members without a seat are passed over; raises `Permanent` when none is left.
    Locks what it counts until the transaction ends, so two engines never give by the same count.
    """
    named: dict[str, Any] = {
        "organization": tenancy.required(),
        "automation": automation_id,
        "step": step_id,
        "count": count,
        "members": sorted(set(member_ids)),
        "closed": list(CLOSED),
        "most": MOST_COUNTED,
    }
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(LOCK_SQL if method == "least_busy" else SEATS_SQL, named)
        takers = [int(row[0]) for row in cursor.fetchall()]
        if not takers:
            raise Permanent("None of the members of this step has a seat any more; publish it with others.")
        if len(takers) == 1:
            return takers * count
        cursor.execute(TAKE_TURNS_SQL, named)
        first = int(cursor.fetchone()[0]) % len(takers)
        takers = takers[first:] + takers[:first]
        if method == "in_turn":
            return [takers[turn % len(takers)] for turn in range(count)]
        cursor.execute(LOADS_SQL, named | {"members": takers})
        return _to_the_least_busy(takers, dict(cursor.fetchall()), count)


def _to_the_least_busy(takers: Sequence[int], loads: dict[int, int], count: int) -> list[int]:
    """Give one after the other, each time to the smallest load; equals in the order of `takers`."""
    queue = [(loads[member_id], turn, member_id) for turn, member_id in enumerate(takers)]
    heapq.heapify(queue)
    given = []
    for turn in range(len(takers), len(takers) + count):
        load, _, member_id = queue[0]
        heapq.heapreplace(queue, (load + 1, turn, member_id))
        given.append(member_id)
    return given
