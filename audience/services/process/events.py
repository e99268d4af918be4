"""Events → the partitioned table, by COPY."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from django.db import connection

from audience.domain.incoming import Incoming
from audience.notices import RecordedEvent
from audience.services import partitions
from common import tenancy

COPY_SQL = """
COPY audience_event (id, organization_id, contact_id, definition_id, message_key, happened_at, received_at,
                     properties, context, value_minor, currency) FROM STDIN
"""
_encode = msgspec.json.Encoder().encode


def store(owned: Sequence[tuple[Incoming, int]], definitions: dict[str, int]) -> list[RecordedEvent]:
    """Write events of contacts, in the order given; returns what listeners need to know of them.

    Text COPY of lines made here: nothing in them needs escaping but the backslashes of JSON.
    """
    if not owned:
        return []
    partitions.ensure_months([message.happened_at for message, _ in owned])
    organization_id = tenancy.required()
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('audience_event_id_seq') FROM generate_series(1, %s)", [len(owned)])
        ids = [row[0] for row in cursor.fetchall()]
        lines = [
            _line(event_id, organization_id, contact_id, definitions[message.name], message)
            for event_id, (message, contact_id) in zip(ids, owned, strict=True)
        ]
        with cursor.copy(COPY_SQL) as copy:
            copy.write("".join(lines).encode())
    return [
        RecordedEvent(event_id, contact_id, definitions[message.name], message.name, message.happened_at)
        for event_id, (message, contact_id) in zip(ids, owned, strict=True)
    ]


def _line(event_id: int, organization_id: int, contact_id: int, definition_id: int, message: Incoming) -> str:
    value = r"\N" if message.value_minor is None else message.value_minor
    return (
        f"{event_id}\t{organization_id}\t{contact_id}\t{definition_id}\t{message.message_key}\t"
        f"{message.happened_at.isoformat()}\t{message.received_at.isoformat()}\t{_json(message.properties)}\t"
        f"{_json(message.context)}\t{value}\t{message.currency or chr(92) + 'N'}\n"
    )


def _json(value: dict[str, object]) -> str:
    return _encode(value).decode().replace("\\", "\\\\") if value else "{}"
