"""What people allowed us, with proof, and the addresses we must not use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts import audit
from audience.domain.incoming import email_address
from audience.models import Consent, ConsentState, MessageChannel, Suppression, Topic
from audience.notices import AttributeChange, ContactsChanged
from audience.services import survivors
from common import clock, outbox
from common.errors import Invalid

BLOCK = 5000
NOTICE_BLOCK = 2000


def grant_consent(
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str = "",
    proof: dict[str, Any] | None = None,
) -> None:
    """Add a grant to the ledger of each contact: `topic_id` None means all topics. Raises `Invalid`."""
    _write(ConsentState.GRANTED, contact_ids, channel, topic_id, how, wording, proof or {})


def withdraw_consent(
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str = "",
    proof: dict[str, Any] | None = None,
) -> None:
    """Add a withdrawal to the ledger of each contact: `topic_id` None means all topics. Raises `Invalid`."""
    _write(ConsentState.WITHDRAWN, contact_ids, channel, topic_id, how, wording, proof or {})


def _write(
    state: ConsentState,
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str,
    proof: dict[str, Any],
) -> None:
    _check_channel(channel)
    if not how.strip():
        raise Invalid(
            "Say how the consent was given or withdrawn, e.g. a form or an import.", details={"how": "empty"}
        )
    if topic_id is not None and not Topic.objects.filter(pk=topic_id).exists():
        raise Invalid(f"There is no topic {topic_id}.", details={"topic": "unknown"})
    now = clock.now()
    with transaction.atomic():
        people = survivors.hold(contact_ids)
        Consent.objects.bulk_create(
            [
                Consent(
                    contact_id=contact_id,
                    channel=channel,
                    topic_id=topic_id,
                    state=state,
                    how=how[:100],
                    wording=wording,
                    proof=proof,
                    happened_at=now,
                )
                for contact_id in people
            ],
            batch_size=BLOCK,
        )
        changes = [AttributeChange(contact_id, f"consent.{channel}", after=state.value) for contact_id in people]
        for start in range(0, len(changes), NOTICE_BLOCK):
            outbox.publish(ContactsChanged(changes=changes[start : start + NOTICE_BLOCK]))


def suppress(channel: str, address: str, reason: str) -> Suppression:
    """Never send to this address again. An address that is suppressed already keeps its first reason."""
    _check_channel(channel)
    clean = _clean(channel, address)
    with transaction.atomic():
        row, is_new = Suppression.objects.get_or_create(
            channel=channel, address=clean, defaults={"reason": reason[:100]}
        )
        if is_new:
            audit.created(row)
    return row


def unsuppress(row: Suppression) -> None:
    """Allow sending to the address again, as far as consent does."""
    with transaction.atomic():
        audit.deleted(row)
        row.delete()


def _clean(channel: str, address: str) -> str:
    clean = email_address(address) if channel == MessageChannel.EMAIL else address.strip()
    if not clean or len(clean) > 320:
        raise Invalid(f'"{address[:60]}" is not an address of {channel}.', details={"address": "not an address"})
    return clean


def _check_channel(channel: str) -> None:
    if channel not in MessageChannel.values:
        raise Invalid(
            f'Unknown channel "{channel}"; known: {", ".join(MessageChannel.values)}.', details={"channel": "unknown"}
        )
