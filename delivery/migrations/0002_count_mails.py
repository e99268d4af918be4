"""The ledger counts itself: what each statement adds to and takes from the mails that left.

Triggers of whole statements, so that no writer can forget: an UPDATE of a block appends a row for each sender,
recipient domain and quarter of an hour it touched, and nothing where the sums stay (old and new versions cancel out).
Measured: 0.5 ms for a flight of 50 mails, nothing for a claim (docs/adr/0020).
"""

from django.db import migrations

COUNTED = "organization_id, handed_at, sender_id, address, channel, source_type, status, attempts, bounced_at, complained_at, opened_at, clicked_at"
APPEND = """
INSERT INTO delivery_mailcount (organization_id, left_at, sender_id, recipient_domain, sent, delivered, deferred,
                                bounced, complained, opened, clicked)
SELECT organization_id, date_bin('15 minutes', handed_at, 'epoch'), sender_id, split_part(address, '@', 2), sum(sign),
       coalesce(sum(sign) FILTER (WHERE status = 'sent' AND bounced_at IS NULL), 0),
       coalesce(sum(sign) FILTER (WHERE attempts > 1), 0),
       coalesce(sum(sign) FILTER (WHERE status = 'failed' OR bounced_at IS NOT NULL), 0),
       coalesce(sum(sign) FILTER (WHERE complained_at IS NOT NULL), 0),
       coalesce(sum(sign) FILTER (WHERE opened_at IS NOT NULL), 0),
       coalesce(sum(sign) FILTER (WHERE clicked_at IS NOT NULL), 0)
  FROM ({source}) AS changed
 WHERE handed_at IS NOT NULL AND status IN ('sent', 'failed', 'uncertain', 'sending') AND channel = 'email'
   AND source_type <> 'test'
 GROUP BY 1, 2, 3, 4
HAVING sum(sign) <> 0
    OR coalesce(sum(sign) FILTER (WHERE status = 'sent' AND bounced_at IS NULL), 0) <> 0
    OR coalesce(sum(sign) FILTER (WHERE attempts > 1), 0) <> 0
    OR coalesce(sum(sign) FILTER (WHERE status = 'failed' OR bounced_at IS NOT NULL), 0) <> 0
    OR coalesce(sum(sign) FILTER (WHERE complained_at IS NOT NULL), 0) <> 0
    OR coalesce(sum(sign) FILTER (WHERE opened_at IS NOT NULL), 0) <> 0
    OR coalesce(sum(sign) FILTER (WHERE clicked_at IS NOT NULL), 0) <> 0
"""
BEFORE, AFTER = f"SELECT -1 AS sign, {COUNTED} FROM gone", f"SELECT 1 AS sign, {COUNTED} FROM made"
TRIGGERS = {
    "insert": (AFTER, "NEW TABLE AS made"),
    "update": (f"{BEFORE} UNION ALL {AFTER}", "OLD TABLE AS gone NEW TABLE AS made"),
    "delete": (BEFORE, "OLD TABLE AS gone"),
}


def _create(event: str) -> str:
    source, tables = TRIGGERS[event]
    return f"""
CREATE FUNCTION delivery_count_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN {APPEND.format(source=source)}; RETURN NULL; END $$;
CREATE TRIGGER count_{event} AFTER {event} ON delivery_message REFERENCING {tables}
    FOR EACH STATEMENT EXECUTE FUNCTION delivery_count_{event}();
"""


def _drop(event: str) -> str:
    return f"DROP TRIGGER count_{event} ON delivery_message; DROP FUNCTION delivery_count_{event}();"


class Migration(migrations.Migration):
    dependencies = [("delivery", "0001_tables")]
    replaces = [("delivery", "0016_count_mails")]

    operations = [migrations.RunSQL("".join(map(_create, TRIGGERS)), "".join(map(_drop, TRIGGERS)))]
