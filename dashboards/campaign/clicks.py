"""Where people clicked: the mail with its links marked, and the same as a list."""

from __future__ import annotations

from dataclasses import dataclass

from audience.models import Contact
from campaigns import selectors
from campaigns.domain import heatmap
from campaigns.domain.heatmap import Clicked, Place
from campaigns.models import Campaign, Target
from campaigns.selectors import LinkClicks
from common.errors import Invalid
from dashboards.campaign.lines import people
from delivery.models import Content
from delivery.services import preview


@dataclass(frozen=True)
class LinkLine:
    """A link of the mail (`number` from the top), or one that was clicked and does not stand in the mail as this
    person got it; `place` says which of several links to its address."""

    number: int
    url: str
    place: str
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
    places = heatmap.places(rendered, {link.url: Clicked(link.people, link.places) for link in clicks})
    mail = heatmap.drawn(rendered, places) if rendered else ""
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


def _lines(campaign: Campaign, clicks: list[LinkClicks], places: list[Place]) -> list[LinkLine]:
    """Each place once; scanners are counted by address and told beside its first place."""
    machines = {link.url: link.machines for link in clicks}
    whole = sum(place.people for place in places)
    lines = []
    for place in places:
        told = {"place": place.nth} if place.of > 1 else {}
        share = f"{place.people / whole:.0%}" if whole else "–"
        rows = people(campaign, link=place.url, **told)
        checked = machines.pop(place.url, 0)
        lines.append(LinkLine(place.number, place.url, _place(place), place.people, share, checked, rows))
    lines += [
        LinkLine(0, url, "", 0, "–", count, people(campaign, link=url)) for url, count in machines.items() if count
    ]
    return sorted(lines, key=lambda line: -line.people)


def _place(place: Place) -> str:
    if place.of < 2:
        return ""
    if place.number:
        return f"link {place.nth} of {place.of} to it"
    return (
        f"link {place.nth} to it, in other people's mails"
        if place.nth
        else "in the plain text, or told without its place"
    )
