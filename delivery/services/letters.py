"""From a claimed message to the bytes that leave: content, sender and headers of a block, looked up once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.db.models import Q
from jinja2.exceptions import SecurityError

from accounts.models import Organization
from common import clock, tenancy
from delivery.domain import addresses, locales, mailboxes, mime
from delivery.domain.mime import Letter
from delivery.domain.outcomes import Envelope
from delivery.links import Links, Signer, reference
from delivery.models import Content, MessageKind, Sender
from delivery.providers import site
from delivery.providers.contract import Provider
from delivery.services import domains, rendering
from delivery.services.claiming import Recipient
from delivery.services.content import Parts
from delivery.services.rendering import Rendered
from delivery.services.routing import Route
from segments import selectors as segments

ORGANIZATION_HEADER = "X-Groundswell-Organization"


class NotAnAddress(ValueError):
    """The address passed the policy's pattern and still cannot go into an envelope."""


class SegmentGone(SecurityError):
    """The content asks for a segment that is no more: showing to nobody what was meant for some would be a lie."""


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
        asked = {segment for content in self._contents.values() for segment in content.segments}
        self._segments = segments.existing(asked)
        self._memberships = segments.standing_in(asked, [each.contact_id for each in recipients]) if asked else {}
        host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
        self._message_host = host if "." in host and not host[-1].isdigit() else f"{host}.groundswell.invalid"
        self._signer = Signer()
        self._for_mailbox = mailbox_headers(route.provider)
        self._wants_bytes = route.provider.wants_bytes
        self._dkim = domains.signers() if self._wants_bytes else {}

    def envelope(self, recipient: Recipient) -> Envelope:
        """The mail to one recipient. Raises what rendering raises."""
        address = addresses.normal(recipient.address)
        if address is None:
            raise NotAnAddress(f"“{recipient.address}” is not an address that mail can go to")
        links = Links(self._organization.pk, recipient.message_id, self._signer, recipient.utm_campaign)
        rendered = self._rendered(recipient, links)
        signed = self._senders[recipient.sender_id if recipient.sender_id in self._senders else None]
        letter = Letter(
            # What comes back, returns it: the signed reference says whose it is, and that it was ours.
            message_id=f"{reference(self._organization.pk, recipient.message_id)}@{self._message_host}",
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
        data = self._signed_bytes(letter) if self._wants_bytes else b""
        key = f"{self._organization.pk}-{recipient.message_id}"
        return Envelope(recipient.message_id, signed.address, address, data, letter, key)

    def _signed_bytes(self, letter: Letter) -> bytes:
        """The mail as it travels, signed where the domain has a key of its own in use."""
        data = mime.build(letter)
        signer = self._dkim.get(mailboxes.domain_of(letter.sender_address)) if self._dkim else None
        return signer.sign(data, letter.sent_at) if signer else data

    def _rendered(self, recipient: Recipient, links: Links) -> Rendered:
        content = self._contents[recipient.content_id]
        compiled = self._compiled(content, str(recipient.fields["locale"]))
        standing = self._standing_in(content, recipient.contact_id)
        contact = rendering.contact_values(recipient.fields, recipient.attributes, compiled.defaults, standing)
        values = rendering.values_for(contact, recipient.variables, compiled.defaults, self._organization.name)
        rendering.add_links(values, links)
        return compiled.render(values)

    def _compiled(self, content: Content, locale: str) -> rendering.Compiled:
        if not content.variants:
            return rendering.compiled_content(content.pk, content.checksum, content)
        chosen = locales.chosen(content.variants, locale)
        words = content if not chosen else Parts(**content.variants[chosen], defaults=content.defaults)
        return rendering.compiled_content(content.pk, content.checksum, words, chosen)

    def _standing_in(self, content: Content, contact_id: int) -> frozenset[int]:
        """The segments of the recipient among those that the content asks for."""
        if not content.segments:
            return frozenset()
        if gone := set(content.segments) - self._segments:
            raise SegmentGone(f"segment {min(gone)}, by which the message decides what to show, was deleted")
        return self._memberships.get(contact_id, frozenset())

    def _headers(self, recipient: Recipient, links: Links) -> tuple[tuple[str, str], ...]:
        headers = self._for_mailbox
        if recipient.kind != MessageKind.TRANSACTIONAL:
            # RFC 8058: both headers, and the address takes a POST without cookies.
            headers += (
                ("List-Unsubscribe", f"<{links.unsubscribe()}>"),
                ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
            )
        return headers


def mailbox_headers(provider: Provider) -> tuple[tuple[str, str], ...]:
    """What tells the built-in mailbox whose mail it is; nothing for any other server."""
    if provider is not site.PROVIDER or not site.is_mailbox():
        return ()
    return ((ORGANIZATION_HEADER, str(tenancy.required())),)


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
