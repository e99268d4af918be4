"""Two contacts became one: what we keep for the one that went goes to the one that stayed."""

from __future__ import annotations

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
                      AND (other.entry_key = run.entry_key OR other.status IN ('running', 'held', 'failed')))
    """,
    """
    UPDATE automations_automationrun AS run SET contact_id = %(survivor)s
     WHERE run.organization_id = %(organization)s AND run.contact_id = %(merged)s
       AND NOT EXISTS (SELECT 1 FROM automations_automationrun AS other
                        WHERE other.automation_id = run.automation_id AND other.contact_id = %(survivor)s
                          AND other.entry_key = run.entry_key)
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


def repoint(merged_id: int, survivor_id: int) -> None:
    """Hand runs, tasks and notifications of a merged contact to its survivor. Repeating changes nothing."""
    parameters: dict[str, Any] = {
        "merged": merged_id,
        "survivor": survivor_id,
        "now": clock.now(),
        "organization": tenancy.required(),
    }
    with tenancy.engine(), connection.cursor() as cursor:
        for statement in STATEMENTS:
            cursor.execute(statement, parameters)
