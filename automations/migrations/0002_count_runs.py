"""Workflows count themselves: what each statement adds to and takes from where people stand and what was done.

Triggers of whole statements, so that no writer can forget (docs/adr/0020). They sum the rows a statement changed and
join nothing, so that one plan is right for one row and for a hundred thousand. A statement writes rows of one
organisation, whose zone says which day it is.
"""

from django.db import migrations

ZONE = """coalesce((SELECT timezone FROM accounts_organization WHERE id = (SELECT organization_id FROM {rows} LIMIT 1)), 'UTC')"""
# Where people stand: the new versions of the rows with a plus, the old ones with a minus.
STAND = """
INSERT INTO automations_runcount (organization_id, automation_id, version_id, status, step_id, people)
SELECT organization_id, automation_id, version_id, status,
       CASE WHEN status IN ('running', 'held', 'failed') THEN step_id ELSE '' END, sum(sign)
  FROM ({source}) AS changed
 GROUP BY 1, 2, 3, 4, 5 HAVING sum(sign) <> 0
"""
INTO = """
INSERT INTO automations_stepcount
       (organization_id, automation_id, version_id, step_id, outcome, way, day, slot, times)
"""
# Who left, by the day of leaving; a change of rows that had left before cancels out.
LEAVE = (
    INTO
    + """
SELECT organization_id, automation_id, version_id, '', status, '', (finished_at AT TIME ZONE {zone})::date, 0, sum(sign)
  FROM ({source}) AS changed
 WHERE finished_at IS NOT NULL
 GROUP BY 1, 2, 3, 5, 7 HAVING sum(sign) <> 0
"""
)
ENTER = (
    INTO
    + """
SELECT organization_id, automation_id, version_id, '', 'entered', '', (entered_at AT TIME ZONE {zone})::date, 0, count(*)
  FROM {source}
 GROUP BY 1, 2, 3, 7
"""
)
DO = (
    INTO
    + """
SELECT organization_id, automation_id, version_id, step_id, outcome, left(coalesce(detail->>'branch', ''), 100),
       (happened_at AT TIME ZONE {zone})::date, floor(4 * ln(1 + seconds::float8) / ln(2::float8)), count(*)
  FROM {source}
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8
"""
)
COUNTED = "organization_id, automation_id, version_id, status, step_id, finished_at"
BEFORE, AFTER = f"SELECT -1 AS sign, {COUNTED} FROM gone", f"SELECT 1 AS sign, {COUNTED} FROM made"
BOTH = f"{BEFORE} UNION ALL {AFTER}"


def _trigger(table: str, name: str, event: str, tables: str, body: str, rows: str) -> str:
    return f"""
CREATE FUNCTION automations_{name}() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE zone text := {ZONE.format(rows=rows)};
BEGIN {body} RETURN NULL; END $$;
CREATE TRIGGER {name} AFTER {event} ON {table} REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION automations_{name}();
"""


RUNS, STEPS = "automations_automationrun", "automations_steprun"
TRIGGERS = {
    "count_runs_made": (
        RUNS, "INSERT", "NEW TABLE AS made",
        STAND.format(source=AFTER) + ";" + ENTER.format(source="made", zone="zone") + ";"
        + LEAVE.format(source=AFTER, zone="zone") + ";", "made",
    ),
    "count_runs_moved": (
        RUNS, "UPDATE", "OLD TABLE AS gone NEW TABLE AS made",
        STAND.format(source=BOTH) + ";" + LEAVE.format(source=BOTH, zone="zone") + ";", "made",
    ),
    "count_runs_deleted": (RUNS, "DELETE", "OLD TABLE AS gone", STAND.format(source=BEFORE) + ";", "gone"),
    "count_steps_done": (STEPS, "INSERT", "NEW TABLE AS made", DO.format(source="made", zone="zone") + ";", "made"),
}  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("automations", "0001_tables")]
    replaces = [("automations", "0004_count_runs")]

    operations = [
        migrations.RunSQL(
            "".join(_trigger(table, name, *rest) for name, (table, *rest) in TRIGGERS.items()),
            "".join(
                f"DROP TRIGGER {name} ON {entry[0]}; DROP FUNCTION automations_{name}();"
                for name, entry in TRIGGERS.items()
            ),
        )
    ]
