"""Where people clicked: the mail with its links marked, and the same as a list."""

from __future__ import annotations

from dataclasses import dataclass

from audience.models import Contact
from campaigns import selectors
from campaigns.domain import heatmap
from campaigns.models import Campaign, Target
from campaigns.selectors import LinkClicks
from common.errors import Invalid
from dashboards.campaign.lines import people
from delivery.models import Content
from delivery.services import preview


@dataclass(frozen=True)
class LinkLine:
    """A link of the mail, or one that was clicked and does not stand in the mail as this person got it."""

    places: str
    url: str
    people: int
    share: str
    machines: int
    address: str


@dataclass(frozen=True)
class Heatmap:
    """`mail` is HTML for a sandboxed frame, empty where there is none to show."""

    mail: str
    shown_as: str
    lines: list[LinkLine]


def heatmap_of(campaign: Campaign) -> Heatmap | None:
    """The mail as somebody got it with its clicks; None for a campaign that sent nothing."""
    run = campaign.runs.filter(content__isnull=False).select_related("content").order_by("-pk").first()
    if run is None or run.content is None:
        return None
    clicks = selectors.link_clicks(campaign)
    somebody = _somebody(campaign)
    rendered = _rendered(run.content, somebody)
    counted = {link.url: link.people for link in clicks}
    mail, places = heatmap.drawn(rendered, counted) if rendered else ("", [])
    return Heatmap(mail, str(somebody or ""), _lines(campaign, clicks, places))


def _somebody(campaign: Campaign) -> Contact | None:
    target = Target.objects.filter(campaign=campaign).select_related("contact").order_by("contact_id").first()
    return target.contact if target is not None else None


def _rendered(content: Content, contact: Contact | None) -> str:
    """The words of that time for a contact of today, whom a value may meanwhile lack."""
    if contact is None:
        return ""
    try:
        return preview.render_preview(content, contact).html
    except Invalid:
        return ""


def _lines(campaign: Campaign, clicks: list[LinkClicks], places: list[heatmap.Place]) -> list[LinkLine]:
    known = {link.url: link for link in clicks}
    whole = sum(link.people for link in clicks)
    order = dict.fromkeys([*(place.url for place in places), *known])
    lines = []
    for url in order:
        link = known.get(url, LinkClicks(url, 0, 0, 0))
        numbers = ", ".join(str(place.number) for place in places if place.url == url)
        share = f"{link.people / whole:.0%}" if whole else "–"
        lines.append(LinkLine(numbers, url, link.people, share, link.machines, people(campaign, link=url)))
    return sorted(lines, key=lambda line: -line.people)
