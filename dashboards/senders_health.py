"""Does our mail still leave, and in good standing? One line of the health page."""

from __future__ import annotations

from django.urls import reverse

from dashboards.checks import CRITICAL, HEALTHY, WARNING, Check
from delivery import standing


def senders() -> Check:
    """Paused domains and campaigns, and records of sending domains that broke."""
    title, target = "Senders", "none paused, every record good"
    link = reverse("delivery:deliverability")
    stops = standing.stops()
    if stops:
        text = f"{len(stops)} paused: {', '.join(stop.title for stop in stops[:3])}"
        return Check(title, CRITICAL, text, target, stops[0].advice, link)
    broken = [warning.text for warning in standing.warnings()]
    if broken:
        to_do = "Somebody changed the zone. Open the domain and write the record as the page says."
        return Check(title, WARNING, " ".join(broken), target, to_do, link)
    return Check(title, HEALTHY, "nothing is paused, no record broke", target, link=link)
