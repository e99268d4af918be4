"""Opens and clicks that no person made: prefetching proxies, link scanners, scripts.

No single sign is enough: scanners of mail gateways bear the names of browsers, and a person's mail program
fetches pictures through a proxy. So a visit is judged by its name, its headers and its haste, and together with the
other visits of the same message: nobody follows two links in one second, or a link that nobody can see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

OPEN, CLICK, TRAP = "open", "click", "trap"

# What each sign means, for people who ask.
SIGNALS = {
    "probe": "It only probed the address, or said that it prefetches.",
    "nameless": "It did not say what program it is.",
    "robot": "The program calls itself a robot, a scanner or a library.",
    "proxy": "A privacy proxy fetches every picture, read or not.",
    "prefetch": "An image proxy fetched it in the moment the mail arrived.",
    "haste": "It came sooner after sending than a person can read.",
    "disguise": "It bears a browser's name without a browser's headers.",
    "burst": "It followed several links at once.",
    "trap": "It also followed a link that people cannot see.",
}

ROBOTS = re.compile(
    r"bot\b|bot/|crawler|spider|slurp|scanner|barracuda|mimecast|proofpoint|symantec|trendmicro|fortiguard|sophos|"
    r"forcepoint|cisco|ironport|bitdefender|kaspersky|virustotal|safelinks|urldefense|checkpoint|"
    r"bingpreview|facebookexternalhit|slackbot|whatsapp|telegrambot|linkpreview|headlesschrome|phantomjs|zgrab|"
    r"curl/|wget/|python-|python/|aiohttp|go-http-client|java/|okhttp|libwww|apache-httpclient|node-fetch|axios|"
    r"ruby|cloudmark|vade|existence discovery",
    re.IGNORECASE,
)
# Outlook fetches pictures by this name when a person reads, and asks by it what a link is before a browser opens it.
OFFICE = re.compile(r"microsoft office|ms-office", re.IGNORECASE)
# These fetch when a person opens the mail, and sometimes at once when it arrives.
IMAGE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|ggpht\.com", re.IGNORECASE)
# Apple's Mail Privacy Protection fetches every picture with exactly this name.
PRIVACY_PROXY = "Mozilla/5.0"
# Browsers that have sent Fetch Metadata (Sec-Fetch-Mode: navigate) over TLS for years: who bears such a name and does
# not send it is no browser. Chrome 76, Firefox 90, Safari 16.4; iOS counts by its own version.
BROWSERS = re.compile(r"Chrome/(?P<chrome>\d+)|Firefox/(?P<firefox>\d+)|Version/(?P<safari>\d+)[.\d]* .*Safari/")
FIRST_WITH_METADATA = {"chrome": 80, "firefox": 90, "safari": 17}

ALWAYS_TOO_SOON = timedelta(seconds=2)
TOO_SOON_UNOPENED = timedelta(seconds=10)  # a click before any picture of the mail was fetched
PREFETCH_WINDOW = timedelta(seconds=10)
PAIR_WINDOW = timedelta(seconds=1)  # two different links
BURST_WINDOW = timedelta(seconds=3)  # three different links
TRAP_WINDOW = timedelta(minutes=1)


@dataclass(frozen=True)
class Seen:
    """One visit of a message's addresses: `kind` is open, click or trap, `url` where a click leads."""

    kind: str
    happened_at: datetime
    user_agent: str = ""
    url: str = ""
    is_probe: bool = False
    is_browserlike: bool | None = None


def judge(visits: Sequence[Seen], sent_at: datetime | None, *, has_pictures: bool = True) -> list[str]:
    """The signal of each visit of one message (a key of SIGNALS), or "" for one that a person made.

    `has_pictures`: whether an open of it would have been seen. Who taps on a text at once has read it nevertheless.
    """
    signals = [_alone(visit, sent_at) for visit in visits]
    clicks = [place for place, visit in enumerate(visits) if visit.kind == CLICK]
    traps = [visit.happened_at for visit in visits if visit.kind == TRAP]
    opens = [
        visit.happened_at
        for visit, signal in zip(visits, signals, strict=True)
        if visit.kind == OPEN and signal in ("", "prefetch")
    ]
    for place in clicks:
        visit = visits[place]
        if any(abs(visit.happened_at - moment) <= TRAP_WINDOW for moment in traps):
            signals[place] = "trap"
        elif not signals[place]:
            others = [visits[other] for other in clicks if other != place]
            signals[place] = _together(visit, others, opens, sent_at if has_pictures else None)
    return signals


def _alone(visit: Seen, sent_at: datetime | None) -> str:
    if visit.kind == TRAP:
        return "trap"
    if visit.is_probe:
        return "probe"
    name = visit.user_agent.strip()
    if not name:
        return "nameless"
    if ROBOTS.search(name) or (visit.kind == CLICK and OFFICE.search(name)):
        return "robot"
    age = visit.happened_at - sent_at if sent_at else None
    if visit.kind == OPEN:
        if name == PRIVACY_PROXY:
            return "proxy"
        return "prefetch" if IMAGE_PROXIES.search(name) and (age is None or age < PREFETCH_WINDOW) else ""
    if visit.is_browserlike is False and _sends_metadata(name):
        return "disguise"
    return "haste" if age is not None and age < ALWAYS_TOO_SOON else ""


def _sends_metadata(name: str) -> bool:
    found = BROWSERS.search(name)
    if found is None:
        return False
    versions: Mapping[str, str | None] = found.groupdict()
    return any(int(version) >= FIRST_WITH_METADATA[browser] for browser, version in versions.items() if version)


def _together(visit: Seen, others: Sequence[Seen], opens: Sequence[datetime], sent_at: datetime | None) -> str:
    """What the company of a click says about it."""
    near = {other.url for other in others if abs(other.happened_at - visit.happened_at) <= BURST_WINDOW} - {visit.url}
    pair = {other.url for other in others if abs(other.happened_at - visit.happened_at) <= PAIR_WINDOW} - {visit.url}
    if pair or len(near) >= 2:
        return "burst"
    is_early = sent_at is not None and visit.happened_at - sent_at < TOO_SOON_UNOPENED
    return "haste" if is_early and not any(moment <= visit.happened_at for moment in opens) else ""
