"""Two contacts became one: what we keep for the one that went goes to the one that stayed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import connection

from common import clock, tenancy

# A survivor who is inside the same workflow, or was by the same cause, keeps that run: nobody gets it twice.
STATEMENTS = (
    """
    UPDATE automations_automationrun AS run
       SET status = 'cancelled', finished_at = %(now)s, step_id = '',
           error = 'Merged into contact ' || %(survivor)s || ', who is in this workflow already.'
     WHERE run.organization_id = %(organization)s AND run.contact_id = %(merged)s
       AND run.status IN ('running', 'held', 'failed')
       AND EXISTS (SELECT 1 FROM automations_automationrun AS other
                    WHERE other.automation_id = run.automation_id AND other.contact_id = %(survivor)s
                      AND (other.entry_key = run.entry_key
                           OR other.inside_key = run.inside_key AND other.status IN ('running', 'held', 'failed')))
    """,
    """
    UPDATE automations_automationrun AS run SET contact_id = %(survivor)s
     WHERE run.organization_id = %(organization)s AND run.contact_id = %(merged)s
       AND NOT EXISTS (SELECT 1 FROM automations_automationrun AS other
                        WHERE other.automation_id = run.automation_id AND other.contact_id = %(survivor)s
                          AND other.entry_key = run.entry_key)
    """,
    # What the one did counts for the other now: whoever waits for something is looked at again.
    """
    UPDATE automations_automationrun SET run_at = %(now)s
     WHERE organization_id = %(organization)s AND contact_id = %(survivor)s
       AND status IN ('running', 'held') AND wakes_on <> '{}' AND run_at > %(now)s
    """,
    """
    UPDATE automations_task SET contact_id = %(survivor)s
     WHERE organization_id = %(organization)s AND contact_id = %(merged)s
    """,
    """
    UPDATE automations_notification SET contact_id = %(survivor)s
     WHERE organization_id = %(organization)s AND contact_id = %(merged)s
    """,
)


# Most merges are of people we hold nothing for: they were anonymous a moment ago.
KNOWN_SQL = """
SELECT contact_id FROM automations_automationrun
       WHERE organization_id = %(organization)s AND contact_id = ANY(%(ids)s)
UNION SELECT contact_id FROM automations_task WHERE organization_id = %(organization)s AND contact_id = ANY(%(ids)s)
UNION SELECT contact_id FROM automations_notification
       WHERE organization_id = %(organization)s AND contact_id = ANY(%(ids)s)
"""


def repoint(merged: Sequence[tuple[int, int]]) -> None:
    """Hand runs, tasks and notifications of merged contacts to their survivors, pair by pair in this order.

    Repeating it changes nothing.
    """
    if not merged:
        return
    named: dict[str, Any] = {"organization": tenancy.required(), "now": clock.now()}
    ids = sorted({contact_id for pair in merged for contact_id in pair})
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(KNOWN_SQL, named | {"ids": ids})
        known = {row[0] for row in cursor.fetchall()}
        for merged_id, survivor_id in merged:
            if merged_id not in known:
                continue
            for statement in STATEMENTS:
                cursor.execute(statement, named | {"merged": merged_id, "survivor": survivor_id})
            known.add(survivor_id)
