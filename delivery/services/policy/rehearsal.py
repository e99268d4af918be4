"""What the judge would say now: the claim's own statement, read and not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q

from common import clock, tenancy
from delivery.models import Content, Message, MessageStatus, Weight
from delivery.services.policy import judge, limits, standing

# One message that nobody wrote, as the ledger would have it, beside those of the ledger.
IMAGINED = f"""
SELECT 0::bigint AS id, %(imagined_contact)s::bigint AS contact_id, %(imagined_content)s::bigint AS content_id,
       %(now)s::timestamptz AS run_at, %(imagined_channel)s::text AS channel, %(imagined_kind)s::text AS kind,
       %(imagined_source_type)s::text AS source_type, %(imagined_source)s::bigint AS source_id,
       %(imagined_topic)s::bigint AS topic_id, ''::text AS address, %(imagined_weight)s::int AS weight,
       2 AS priority, %(imagined_expiry)s::timestamptz AS expires_at
 UNION ALL {standing.LEDGER}
"""
MOST_RIVALS = 200


@dataclass(frozen=True)
class Imagined:
    """A message that might be written. `content` says by which channel and of which kind."""

    content: Content
    source_type: str
    source_id: int
    topic_id: int | None = None
    weight: int = Weight.NORMAL
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Verdict:
    """`status` is what the claim would write: sending, queued (until `resume_at`), refused, held or cancelled."""

    status: str
    reason: str
    resume_at: datetime | None


def rehearse(message: Message) -> Verdict:
    """What would become of a waiting message if its turn came now, with what else is due for the contact."""
    rivals = _rivals(message.contact_id, message.channel, message.weight)
    return _read(message.pk, [message.pk, *(pk for pk in rivals if pk != message.pk)], standing.LEDGER, {})


def imagine(contact_id: int, what: Imagined) -> Verdict:
    """What would become of a message to this contact if it were due now."""
    values = {
        "imagined_contact": contact_id,
        "imagined_content": what.content.pk,
        "imagined_channel": str(what.content.channel),
        "imagined_kind": str(what.content.kind),
        "imagined_source_type": str(what.source_type),
        "imagined_source": what.source_id,
        "imagined_topic": what.topic_id,
        "imagined_weight": int(what.weight),
        "imagined_expiry": what.expires_at,
    }
    return _read(0, _rivals(contact_id, what.content.channel, what.weight), IMAGINED, values)


def _rivals(contact_id: int, channel: str, weight: int) -> list[int]:
    """What else is due for the contact by this channel, and what is weightier by any other."""
    due = Message.objects.filter(
        Q(channel=channel) | Q(weight__gt=weight),
        contact_id=contact_id, status=MessageStatus.QUEUED, run_at__lte=clock.now(),
    )  # fmt: skip
    return list(due.values_list("pk", flat=True)[:MOST_RIVALS])


def _read(asked: int, ids: Sequence[int], messages: str, more: dict[str, Any]) -> Verdict:
    statement = f"{judge.verdict_sql(messages)} SELECT status, reason, resume_at FROM verdict WHERE id = %(asked)s"
    policy = limits.current()
    with tenancy.engine(), connection.cursor() as cursor:
        values = judge.parameters(list(ids), policy, clock.now(), messages, **more)
        cursor.execute(statement, values | {"asked": asked, "organization": tenancy.required()})
        return Verdict(*cursor.fetchone())
