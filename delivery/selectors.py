"""Reads of this room."""

from __future__ import annotations

from common import clock, doorbell


def organizations_due() -> list[int]:
    """Organisations with messages to send, or with leases that ran out. Plan: queued_messages, sending_messages."""
    now = clock.now()
    condition = "(status = 'queued' AND run_at <= %s) OR (status = 'sending' AND lease_expires_at < %s)"
    return doorbell.organizations_with("delivery_message", condition, [now, now])
