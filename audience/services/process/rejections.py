"""The rejected list."""

from __future__ import annotations

from collections.abc import Sequence

from audience.models import RejectedEvent
from audience.services.process.decoding import Refusal


def store(refusals: Sequence[Refusal]) -> None:
    """Keep what could not be used, with the reason."""
    RejectedEvent.objects.bulk_create(
        [
            RejectedEvent(
                batch_id=refusal.batch_id,
                protocol=refusal.protocol,
                code=refusal.code,
                reason=refusal.reason.replace("\x00", "␀"),
                body=refusal.body,
                received_at=refusal.received_at,
            )
            for refusal in refusals
        ],
        batch_size=1000,
    )
