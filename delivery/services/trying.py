"""Trying an account out: one made-up message, handed over at once, and the provider's own answer."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from accounts import audit
from accounts.models import Organization
from audience.domain import phones
from audience.models import Device, MessageChannel
from common import clock, tenancy
from common.errors import Invalid, Permanent
from delivery import providers
from delivery.domain import addresses, mime, payloads
from delivery.domain.mime import Letter
from delivery.domain.outcomes import Envelope, Outcome, OutcomeKind
from delivery.models import Provider
from delivery.providers.contract import ProviderUnavailable
from delivery.services import letters
from delivery.services.routing import whole_settings

TRIED_AT_AN_ADDRESS = frozenset(
    {MessageChannel.EMAIL, MessageChannel.SMS, MessageChannel.WHATSAPP, MessageChannel.PUSH}
)
WORDS = "This is a test. If you can read it, the account works."


def try_provider(row: Provider, to: str) -> Outcome:
    """Hand over one test message to `to`; what became of it. Nothing enters the ledger, the try is in the audit log.

    Raises `Invalid` for an address that the channel cannot have.
    """
    kind = providers.of_kind(row.kind)
    envelope = _envelope(row, to.strip(), wants_bytes=kind.wants_bytes)
    outcome = _hand_over(row, envelope)
    audit.record("test", row, after={"to": to, "outcome": outcome.kind.value, "answer": outcome.answer[:300]})
    return outcome


def _hand_over(row: Provider, envelope: Envelope) -> Outcome:
    try:
        connection = providers.of_kind(row.kind).connect(whole_settings(row))
    except (ProviderUnavailable, Permanent) as error:
        return Outcome(OutcomeKind.UNTRIED, str(error))
    try:
        for _, outcome in connection.deliver(_one(envelope)):
            return outcome
        return Outcome(OutcomeKind.UNTRIED, "The provider did not take the message.")
    finally:
        connection.close()


def _one(envelope: Envelope) -> Iterator[Envelope]:
    yield envelope


def _envelope(row: Provider, to: str, *, wants_bytes: bool) -> Envelope:
    """The test message as this channel's provider takes it."""
    key = f"test-{uuid.uuid4()}"
    if row.channel == MessageChannel.EMAIL:
        return _mail(row, to, key, wants_bytes=wants_bytes)
    if row.channel in (MessageChannel.SMS, MessageChannel.WHATSAPP):
        number = phones.normal(to)
        if number is None:
            raise _unusable(to, "a phone number with its country code")
        return Envelope(0, "", number, b"", payloads.Text(WORDS), key)
    if row.channel == MessageChannel.PUSH:
        return _push(row, to, key)
    if row.channel == MessageChannel.SLACK:
        return Envelope(0, "", "", b"", payloads.Note(WORDS), key)
    return Envelope(0, "", "", b"", payloads.Call("groundswell.test", {"text": WORDS}, 0, clock.now()), key)


def _push(row: Provider, to: str, key: str) -> Envelope:
    """To the device of a contact that was seen last."""
    kind = providers.of_kind(row.kind).device_kind
    devices = Device.objects.filter(kind=kind, contact__email=to.lower())
    found = devices.order_by("-last_seen_at").first() if to else None
    if found is None:
        raise _unusable(to, "the e-mail address of a contact with such a device")
    device = payloads.Device(found.pk, found.kind, found.token, found.keys)
    return Envelope(0, "", found.token, b"", payloads.Push(f"Test of {row.name}", WORDS, device, key), key)


def _unusable(to: str, what: str) -> Invalid:
    sentence = f"“{to}” is not {what}."
    return Invalid(sentence, details={"to": sentence})


def _mail(row: Provider, to: str, key: str, *, wants_bytes: bool) -> Envelope:
    address = addresses.normal(to)
    if address is None:
        raise _unusable(to, "an e-mail address")
    organization = Organization.objects.get(pk=tenancy.required())
    sender = row.senders.first()
    signed = letters.senders({sender.pk if sender else None}, organization.name)[sender.pk if sender else None]
    letter = Letter(
        message_id=f"{key}@groundswell.invalid",
        sent_at=clock.now(),
        sender_name=signed.name,
        sender_address=signed.address,
        recipient_name="",
        recipient_address=address,
        subject=f"Test of {row.name}",
        html="",
        text=WORDS,
        reply_to=signed.reply_to,
        headers=letters.mailbox_headers(providers.of_kind(row.kind)),
    )
    return Envelope(0, signed.address, address, mime.build(letter) if wants_bytes else b"", letter, key)
