"""What an event says about how its contact came: campaign tags, ad click ids, the referring page.

Tags win over click ids, click ids over the referrer; an event that says nothing is a direct visit and no touch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from attribution.domain import channels
from attribution.domain.channels import CLICK_IDS, Channel

LONGEST = 200
MOST_PARAMETERS = 60
TAGS = ("source", "medium", "campaign")
ADDRESSES = ("url", "$current_url")
REFERRERS = ("referrer", "$referrer")
PROPERTY_NAMES = (*(f"utm_{tag}" for tag in TAGS), *CLICK_IDS, *ADDRESSES, *REFERRERS)


@dataclass(frozen=True)
class Visit:
    """How a contact came. `campaign` is the name in the tag, "" when there is none."""

    channel: Channel
    source: str
    medium: str = ""
    campaign: str = ""


def of_event(properties: Mapping[str, Any], campaign: Any, page: Any) -> Visit | None:
    """The visit an event tells of, from its properties, `context.campaign` and `context.page`; None when direct."""
    page = page if isinstance(page, dict) else {}
    address = _text(page.get("url")) or _first(properties, ADDRESSES)
    query = _query(address)
    tags = _tags(properties, campaign if isinstance(campaign, dict) else {}, query)
    clicked = next((name for name in CLICK_IDS if _text(properties.get(name)) or query.get(name)), None)
    if any(tags.values()):
        return _tagged(tags, clicked)
    if clicked:
        source, channel = CLICK_IDS[clicked]
        return Visit(channel, source)
    return _referred(_text(page.get("referrer")) or _first(properties, REFERRERS), address)


def _tagged(tags: Mapping[str, str], clicked: str | None) -> Visit:
    source, channel = CLICK_IDS[clicked] if clicked else ("", Channel.OTHER)
    source = tags["source"] or source
    if tags["medium"] or not clicked:
        channel = channels.of_utm(source, tags["medium"])
    return Visit(channel, source, tags["medium"], tags["campaign"])


def _tags(properties: Mapping[str, Any], campaign: Mapping[str, Any], query: Mapping[str, str]) -> dict[str, str]:
    # Segment writes utm_campaign as context.campaign.name.
    inside = {"source": "source", "medium": "medium", "campaign": "name"}
    return {
        tag: _text(properties.get(f"utm_{tag}")) or _text(campaign.get(inside[tag])) or query.get(f"utm_{tag}", "")
        for tag in TAGS
    }


def _referred(referrer: str, address: str) -> Visit | None:
    host = _host(referrer)
    if not host or _site(host) == _site(_host(address)):
        return None
    source, channel = channels.of_site(host)
    return Visit(channel, source[:LONGEST])


def _site(host: str) -> str:
    return host.removeprefix("www.")


def _host(address: str) -> str:
    if not address.startswith(("http://", "https://")):
        return ""
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:  # an address like http://[ has no host; visitors may send anything
        return ""


def _query(address: str) -> dict[str, str]:
    """The query of an address; the first of a repeated parameter counts. Hostile addresses have none."""
    if "?" not in address:
        return {}
    try:
        pairs = parse_qsl(urlsplit(address).query, max_num_fields=MOST_PARAMETERS)
    except ValueError:
        return {}
    return {name: _text(value) for name, value in reversed(pairs)}


def _first(properties: Mapping[str, Any], names: tuple[str, ...]) -> str:
    return next((text for name in names if (text := _text(properties.get(name)))), "")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    # An address may be long, and percent-encoding may carry a NUL that text columns cannot hold.
    return value.replace("\x00", "").strip()[: LONGEST if "://" not in value else 4000]
