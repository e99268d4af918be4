"""From a claimed message to the bytes that leave: content, sender and headers of a block, looked up once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q

from accounts.models import Organization
from common import clock, tenancy
from delivery import providers
from delivery.domain import addresses, mime
from delivery.domain.mime import Letter
from delivery.domain.outcomes import Envelope
from delivery.links import Links, Signer
from delivery.models import Content, MessageKind, Sender
from delivery.services import rendering
from delivery.services.claiming import Recipient
from delivery.services.rendering import Rendered
from delivery.services.routing import Route

ORGANIZATION_HEADER = "X-Groundswell-Organization"


class NotAnAddress(ValueError):
    """The address passed the policy's pattern and still cannot go into an envelope."""


@dataclass(frozen=True)
class From:
    """Who signs a mail."""

    name: str
    address: str
    reply_to: str


class Office:
    """Writes the letters of one block."""

    def __init__(self, recipients: Sequence[Recipient], route: Route) -> None:
        self._organization = Organization.objects.get(pk=tenancy.required())
        self._contents = Content.objects.in_bulk({each.content_id for each in recipients})
        self._senders = senders({each.sender_id for each in recipients}, self._organization.name)
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        self._message_host = host if "." in host and not host[-1].isdigit() else f"{host}.groundswell.invalid"
        self._signer = Signer()
        self._for_mailbox = route.account_id is None and providers.is_mailbox(providers.configured_url())
        self._wants_bytes = route.provider.wants_bytes

    def envelope(self, recipient: Recipient) -> Envelope:
        """The mail to one recipient. Raises what rendering raises."""
        address = addresses.normal(recipient.address)
        if address is None:
            raise NotAnAddress(f"“{recipient.address}” is not an address that mail can go to")
        links = Links(self._organization.pk, recipient.message_id, self._signer)
        rendered = self._rendered(recipient, links)
        signed = self._senders[recipient.sender_id if recipient.sender_id in self._senders else None]
        letter = Letter(
            message_id=f"{recipient.message_id}.{self._organization.pk}@{self._message_host}",
            sent_at=clock.now(),
            sender_name=signed.name,
            sender_address=signed.address,
            recipient_name=str(recipient.fields["name"]),
            recipient_address=address,
            subject=" ".join(rendered.subject.split()),
            html=rendered.html,
            text=rendered.text,
            reply_to=signed.reply_to,
            headers=self._headers(recipient, links),
        )
        data = mime.build(letter) if self._wants_bytes else b""
        key = f"{self._organization.pk}-{recipient.message_id}"
        return Envelope(recipient.message_id, signed.address, address, data, letter, key)

    def _rendered(self, recipient: Recipient, links: Links) -> Rendered:
        content = self._contents[recipient.content_id]
        compiled = rendering.compiled_content(content.pk, content.checksum, content)
        contact = rendering.contact_values(recipient.fields, recipient.attributes, compiled.defaults)
        values = rendering.values_for(contact, recipient.variables, compiled.defaults, self._organization.name)
        rendering.add_links(values, links)
        return compiled.render(values)

    def _headers(self, recipient: Recipient, links: Links) -> tuple[tuple[str, str], ...]:
        headers: tuple[tuple[str, str], ...] = ()
        if recipient.kind == MessageKind.MARKETING:
            # RFC 8058: both headers, and the address takes a POST without cookies.
            headers += (
                ("List-Unsubscribe", f"<{links.unsubscribe()}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            )
        if self._for_mailbox:
            headers += ((ORGANIZATION_HEADER, str(self._organization.pk)),)
        return headers


def senders(ids: set[int | None], organization_name: str) -> dict[int | None, From]:
    """The senders of a block by id; None is the default one."""
    found: dict[int | None, From] = {None: From(organization_name, settings.DEFAULT_FROM_EMAIL, "")}
    wanted = Q(is_default=True) | Q(pk__in=[each for each in ids if each is not None])
    for sender in Sender.objects.filter(wanted):
        signed = From(sender.name, sender.address, sender.reply_to)
        if sender.is_default:
            found[None] = signed
        found[sender.pk] = signed
    return found
