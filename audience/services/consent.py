"""What people allowed us, with proof, and the addresses we must not use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db import transaction

from accounts import audit
from audience.domain.incoming import email_address
from audience.models import Consent, ConsentRequest, ConsentState, MessageChannel, Suppression, Topic
from audience.notices import AttributeChange, ContactsChanged
from audience.services import opt_in, survivors
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
    *,
    is_confirmed: bool = False,
    is_claimed: bool = False,
) -> list[int]:
    """Add a grant to the ledger of each contact: `topic_id` None means all topics. Raises `Invalid`.

    Where new subscriptions must be confirmed, a yes that is not `is_confirmed` (nobody proved that it is theirs)
    becomes a request instead, and a mail asks for the click. Where it is only claimed (`is_claimed`: whoever says yes
    may be anybody who knows the address), who said no before is asked everywhere. Returns those who were asked.
    """
    _check(channel, topic_id, how)
    with transaction.atomic():
        asked = []
        if not is_confirmed:
            asked = opt_in.ask(contact_ids, channel, topic_id, how, wording, proof or {}, is_claimed=is_claimed)
        granted = sorted(set(contact_ids) - set(asked)) if asked else contact_ids
        if granted:
            _write(ConsentState.GRANTED, granted, channel, topic_id, how, wording, proof or {})
    return asked


def confirm(request: ConsentRequest, proof: dict[str, Any]) -> bool:
    """The click that proves a request; `proof` says from where. False when it came too late, or when the contact
    has another address by now."""
    with transaction.atomic():
        held = ConsentRequest.objects.select_for_update().get(pk=request.pk)
        if held.confirmed_at is not None:
            return True
        # Whoever has another address by now has not proved that one.
        if held.expires_at <= clock.now() or held.contact.email != held.address:
            return False
        held.confirmed_at = clock.now()
        held.save(update_fields=["confirmed_at"])
        requested = {"requested_at": held.requested_at.isoformat(), "requested_with": held.proof}
        how = f"{held.how}, confirmed by link"[:100]
        told = {**requested, **proof, "address": held.address, "request_id": held.pk}
        _write(ConsentState.GRANTED, [held.contact_id], held.channel, held.topic_id, how, held.wording, told)
    return True


def withdraw_consent(
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str = "",
    proof: dict[str, Any] | None = None,
) -> list[int]:
    """Add a withdrawal to the ledger of each contact: `topic_id` None means all topics. Raises `Invalid`.

    A no needs no proof, so nobody is asked: returns an empty list, as `grant_consent` does where that is so.
    """
    _write(ConsentState.WITHDRAWN, contact_ids, channel, topic_id, how, wording, proof or {})
    return []


def _check(channel: str, topic_id: int | None, how: str) -> None:
    _check_channel(channel)
    if not how.strip():
        raise Invalid(
            "Say how the consent was given or withdrawn, e.g. a form or an import.", details={"how": "empty"}
        )
    if topic_id is not None and not Topic.objects.filter(pk=topic_id).exists():
        raise Invalid(f"There is no topic {topic_id}.", details={"topic": "unknown"})


def _write(
    state: ConsentState,
    contact_ids: Sequence[int],
    channel: str,
    topic_id: int | None,
    how: str,
    wording: str,
    proof: dict[str, Any],
) -> None:
    _check(channel, topic_id, how)
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
