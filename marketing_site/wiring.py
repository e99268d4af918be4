"""Who listens to whom, and who works which rows: the one page to read for the flow of the river."""

from __future__ import annotations

from audience import services as audience
from common import doorbell, outbox
from common.doorbell import Work
from common.outbox import Subscription

# notice → listeners, in the order the river flows
SUBSCRIPTIONS: list[Subscription] = []


def _notices_due() -> list[int]:
    return doorbell.organizations_with("common_noticedelivery", "status = 'pending' AND run_at <= now()")


def _batches_due() -> list[int]:
    return doorbell.organizations_with("audience_ingestbatch", "status = 'pending' AND run_at <= now()")


WORK: list[Work] = [
    Work("ingest", "river", audience.process, _batches_due),
    Work("notices", "river", outbox.deliver, _notices_due),
]


def connect() -> None:
    """Hand both tables to the ground. Called once at start-up."""
    outbox.wire(SUBSCRIPTIONS)
    doorbell.wire(WORK)
