"""The event table, partitioned by month, and the keys of counted message ids.

Plans these indexes serve: `event_by_contact` answers a probe for one contact, kind and window and the
timeline; `event_by_definition` answers a full build from the index alone.
"""

from django.db import migrations

FORWARD = """
CREATE SEQUENCE audience_event_id_seq AS bigint CACHE 1;
CREATE TABLE audience_event (
    id bigint NOT NULL DEFAULT nextval('audience_event_id_seq'),
    organization_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    identity_id bigint,
    definition_id bigint NOT NULL,
    message_key uuid NOT NULL,
    happened_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    properties jsonb NOT NULL DEFAULT '{}',
    context jsonb NOT NULL DEFAULT '{}',
    value_minor bigint,
    currency varchar(3),
    PRIMARY KEY (id, happened_at)
) PARTITION BY RANGE (happened_at);
ALTER SEQUENCE audience_event_id_seq OWNED BY audience_event.id;
CREATE INDEX event_by_contact ON audience_event (organization_id, contact_id, definition_id, happened_at);
CREATE INDEX event_by_definition ON audience_event (organization_id, definition_id, happened_at, contact_id);
CREATE TABLE audience_eventkey (
    organization_id bigint NOT NULL,
    message_key uuid NOT NULL,
    PRIMARY KEY (organization_id, message_key)
);
-- Room on each page for the new version of a contact that was seen again.
ALTER TABLE audience_contact SET (fillfactor = 85);
"""


class Migration(migrations.Migration):
    dependencies = [("audience", "0001_tables")]

    operations = [migrations.RunSQL(FORWARD, "DROP TABLE audience_event; DROP TABLE audience_eventkey;")]
