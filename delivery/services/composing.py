"""From a claimed message of a channel other than e-mail to what its provider takes, looked up once for a block."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from accounts.models import Organization
from audience.domain import phones
from audience.models import Device, MessageChannel
from common import clock, tenancy
from delivery.domain import payloads, sms, utm
from delivery.domain.outcomes import Envelope
from delivery.links import Links, Signer
from delivery.models import Content, Message
from delivery.services import short_links, words
from delivery.services.claiming import Recipient
from delivery.services.words import CompiledMessage, Filled

KEPT_CONTENTS = 200
TEXTS = frozenset({MessageChannel.SMS, MessageChannel.WHATSAPP})
MOST_DEVICES = 20  # of one contact, the ones seen last
_kept: OrderedDict[tuple[int, str], CompiledMessage] = OrderedDict()


class NoWayThere(ValueError):
    """The contact has no address on this channel any more."""


class Desk:
    """Writes the messages of one block and channel."""

    def __init__(self, channel: str, recipients: Sequence[Recipient]) -> None:
        self._organization = Organization.objects.get(pk=tenancy.required())
        self._contents = Content.objects.in_bulk({each.content_id for each in recipients})
        self._signer = Signer()
        self._devices = _devices(recipients) if channel == MessageChannel.PUSH else {}
        self._queued_at: dict[int, Any] = {}
        if channel == MessageChannel.WEBHOOK:
            ids = [each.message_id for each in recipients]
            self._queued_at = dict(Message.objects.filter(pk__in=ids).values_list("pk", "created_at"))
        self._write: Callable[[Recipient, Filled], Envelope] = {
            MessageChannel.SMS.value: self._text,
            MessageChannel.WHATSAPP.value: self._text,
            MessageChannel.PUSH.value: self._push,
            MessageChannel.IN_APP.value: self._in_app,
            MessageChannel.SLACK.value: self._note,
            MessageChannel.WEBHOOK.value: self._call,
        }[channel]

    def envelope(self, recipient: Recipient) -> Envelope:
        """The message to one recipient. Raises what rendering raises."""
        content = self._contents[recipient.content_id]
        compiled = _compiled(content)
        values = words.values_of(
            recipient.fields,
            recipient.attributes,
            recipient.variables,
            compiled.defaults,
            self._organization.name,
        )
        values["unsubscribe_url"] = self._links(recipient).unsubscribe()
        filled = compiled.render(values)
        if "text" in filled and recipient.channel in TEXTS:
            filled["text"] = short_links.shorten(recipient, filled["text"], {values["unsubscribe_url"]})
        return self._write(recipient, filled)

    def _links(self, recipient: Recipient) -> Links:
        return Links(self._organization.pk, recipient.message_id, self._signer, recipient.utm_campaign)

    def _key(self, recipient: Recipient) -> str:
        return f"{self._organization.pk}-{recipient.message_id}"

    def _text(self, recipient: Recipient, filled: Filled) -> Envelope:
        number = phones.normal(recipient.address, str(recipient.fields["country"] or ""))
        if number is None:
            raise NoWayThere(f"“{recipient.address}” is not a phone number that messages can go to")
        payload = payloads.Text(
            filled.get("text", ""), filled.get("template_id", ""), filled.get("template_variables", {})
        )
        parts = sms.size(payload.text).segments if recipient.channel == MessageChannel.SMS else 1
        return Envelope(recipient.message_id, "", number, b"", payload, self._key(recipient), max(1, parts))

    def _push(self, recipient: Recipient, filled: Filled) -> Envelope:
        devices = self._devices.get(recipient.contact_id, [])
        if not devices:
            raise NoWayThere("the contact has no device that takes push messages")
        key, url = self._key(recipient), filled.get("url", "")
        if utm.is_web_address(url):
            marked = utm.with_utm(url, {"utm_source": utm.SOURCE, "utm_medium": recipient.channel})
            url = self._links(recipient).click(marked)
        parts = tuple(
            Envelope(
                recipient.message_id,
                "",
                device.token,
                b"",
                payloads.Push(
                    filled["title"],
                    filled["body"],
                    device,
                    f"gs-{key}",
                    url,
                    filled.get("icon", ""),
                    filled.get("image", ""),
                ),
                f"{key}-{device.id}",
            )
            for device in devices
        )
        return Envelope(recipient.message_id, "", "", b"", payloads.ToDevices(parts), key)

    def _in_app(self, recipient: Recipient, filled: Filled) -> Envelope:
        days = filled.pop("days", None)
        expires_at = clock.now() + timedelta(days=days) if days else None
        payload = payloads.InApp(recipient.contact_id, expires_at=expires_at, **filled)
        return Envelope(recipient.message_id, "", "", b"", payload, self._key(recipient))

    def _note(self, recipient: Recipient, filled: Filled) -> Envelope:
        return Envelope(recipient.message_id, "", "", b"", payloads.Note(filled["text"]), self._key(recipient))

    def _call(self, recipient: Recipient, filled: Filled) -> Envelope:
        queued_at = self._queued_at[recipient.message_id]
        payload = payloads.Call(filled["type"], filled["data"], recipient.contact_id, queued_at)
        return Envelope(recipient.message_id, "", "", b"", payload, self._key(recipient))


def _compiled(content: Content) -> CompiledMessage:
    """The compiled templates of published content; compiled once per process."""
    key = (content.pk, content.checksum)
    if key not in _kept:
        _kept[key] = words.compile_message(content.channel, content.fields, content.defaults)
        if len(_kept) > KEPT_CONTENTS:
            _kept.popitem(last=False)
    return _kept[key]


def _devices(recipients: Sequence[Recipient]) -> Mapping[int, list[payloads.Device]]:
    """contact id → its devices, the one seen last first. One query for the block."""
    found: dict[int, list[payloads.Device]] = defaultdict(list)
    rows = Device.objects.filter(contact_id__in={each.contact_id for each in recipients}).order_by("-last_seen_at")
    for row in rows:
        if len(found[row.contact_id]) < MOST_DEVICES:
            found[row.contact_id].append(payloads.Device(row.pk, row.kind, row.token, row.keys))
    return found
