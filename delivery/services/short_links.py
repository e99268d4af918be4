"""Links in texts that count clicks: written down before the text leaves, followed when somebody taps."""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass

from django.db import DatabaseError

from common import tenancy
from delivery import links
from delivery.domain import short_links, utm
from delivery.domain.short_links import Place
from delivery.models import ShortLink
from delivery.services.claiming import Recipient

logger = logging.getLogger(__name__)
TYPICAL_MESSAGE = 10_000_000  # of a number as long as most will be


@dataclass(frozen=True)
class Followed:
    """A short link: whose it is, the address that the text named, and where it leads with its marks."""

    organization_id: int
    message_id: int
    url: str
    goal: str


def shorten(recipient: Recipient, text: str, kept: Collection[str] = ()) -> str:
    """The text of a message with short links for its web addresses, `kept` ones apart; again gives the same."""
    organization_id = tenancy.required()
    short, addresses = short_links.replaced(
        text, lambda place: links.short(Place(organization_id, recipient.message_id, place)), kept
    )
    rows = [
        ShortLink(
            message_id=recipient.message_id, place=place, url=address, utm_campaign=recipient.utm_campaign[:200]
        )
        for place, address in enumerate(addresses)
    ]
    try:
        ShortLink.objects.bulk_create(
            rows, update_conflicts=True, unique_fields=["message", "place"], update_fields=["url"]
        )
    except DatabaseError:
        # The message goes all the same, and its links lead where they should.
        logger.exception("The links of message %s are not tracked.", recipient.message_id)
        return text
    return short


def sample(text: str) -> str:
    """The text as long as it will be, for counting."""
    organization_id = tenancy.required()
    return short_links.replaced(text, lambda place: links.short(Place(organization_id, TYPICAL_MESSAGE, place)))[0]


def follow(token: str) -> Followed | None:
    """Where a short link leads; None for what is not one of ours, or was erased with its message."""
    place = links.read_short(token)
    if place is None:
        return None
    with tenancy.organization(place.organization_id):
        rows = ShortLink.objects.filter(message_id=place.message_id, place=place.place)
        found = rows.values_list("url", "utm_campaign", "message__channel").first()
    if found is None:
        return None
    url, campaign, channel = found
    return Followed(place.organization_id, place.message_id, url, utm.marked(url, campaign, channel))
