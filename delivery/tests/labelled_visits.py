"""Visits as mail programs, proxies, scanners and people make them, each story labelled by who made it.

Built from what vendors document and senders observe: Apple's Mail Privacy Protection fetches all pictures through a
proxy that calls itself only “Mozilla/5.0”; Gmail and Yahoo fetch through proxies that bear their names, at opening
and sometimes in the moment of arrival; gateways (Barracuda, Mimecast, Proofpoint, Microsoft Defender …) follow the
links of a mail within seconds, by their own name or by a browser's; chat programs fetch previews of forwarded links.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from delivery.domain.machines import CLICK, OPEN, TRAP, Seen

SENT = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
OLD_CHROME = "Mozilla/5.0 (Windows NT 6.1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/72.0.3626.121 Safari/537.36"
EDGE = f"{CHROME} Edg/141.0.0.0"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6"
    " Mobile/15E148 Safari/604.1"
)
MAIL_APP = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148"
)
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
    " Mobile Safari/537.36"
)
OUTLOOK = "Microsoft Office/16.0 (Windows NT 10.0; Microsoft Outlook 16.0.18129; Pro)"
THUNDERBIRD = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Thunderbird/128.4.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
YAHOO = "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html"
APPLE = "Mozilla/5.0"

A, B, C, D = (f"https://shop.example/{name}" for name in "abcd")


@dataclass(frozen=True)
class Visit:
    """One visit `after` so many seconds, and whether a machine made it."""

    kind: str
    after: float
    user_agent: str
    is_machine: bool
    url: str = ""
    is_browserlike: bool | None = None
    is_probe: bool = False

    def seen(self) -> Seen:
        moment = SENT + timedelta(seconds=self.after)
        return Seen(self.kind, moment, self.user_agent, self.url, self.is_probe, self.is_browserlike)


def opened(after: float, user_agent: str, *, machine: bool = False) -> Visit:
    return Visit(OPEN, after, user_agent, machine)


def clicked(after: float, user_agent: str, url: str = A, *, machine: bool = False, tls: bool | None = None) -> Visit:
    return Visit(CLICK, after, user_agent, machine, url, tls)


def scan(start: float, step: float, user_agent: str, *, tls: bool | None = None) -> list[Visit]:
    """A machine follows every link."""
    return [clicked(start + step * n, user_agent, url, machine=True, tls=tls) for n, url in enumerate((A, B, C, D))]


STORIES: dict[str, list[Visit]] = {
    # --- people ---
    "reads in Gmail, clicks later": [opened(3_600, GMAIL), clicked(3_660, CHROME, tls=True)],
    "reads in Gmail at once": [opened(25, GMAIL), clicked(40, ANDROID, tls=True)],
    "reads in Yahoo": [opened(7_200, YAHOO), clicked(7_230, EDGE, B, tls=True)],
    "reads in Apple Mail without privacy protection": [opened(600, MAIL_APP), clicked(620, IPHONE, tls=True)],
    "Apple's proxy, then a real click": [opened(5, APPLE, machine=True), clicked(900, IPHONE, tls=True)],
    "Outlook without pictures, clicks": [clicked(1_800, EDGE, C, tls=True)],
    "Thunderbird": [opened(300, THUNDERBIRD), clicked(330, FIREFOX, tls=True)],
    "opens many times": [opened(after, GMAIL) for after in (60, 400, 90_000)],
    "two links, one after the other": [opened(100, GMAIL), clicked(110, CHROME, A), clicked(130, CHROME, B)],
    "double click on one link": [opened(50, GMAIL), clicked(60, CHROME, A), clicked(60.4, CHROME, A)],
    "middle-clicks two products": [opened(80, GMAIL), clicked(90, FIREFOX, A), clicked(91.6, FIREFOX, B)],
    "waits for the code and is quick": [opened(4, MAIL_APP), clicked(7, IPHONE, tls=True)],
    "comes back after days": [opened(86_400, GMAIL), clicked(400_000, CHROME, D, tls=True)],
    "an old browser over TLS": [opened(500, THUNDERBIRD), clicked(520, OLD_CHROME, tls=False)],
    "plain http": [opened(70, GMAIL), clicked(95, CHROME)],
    "checked at the click, then the person arrives": [
        opened(3_000, MAIL_APP), clicked(3_010, "SafeLinks", machine=True), clicked(3_012, EDGE, tls=True),
    ],
    "three links over a quarter of an hour": [
        opened(100, GMAIL), clicked(120, CHROME, A), clicked(500, CHROME, B), clicked(980, CHROME, C),
    ],
    "forwards into a chat, the friend clicks": [
        opened(600, GMAIL), clicked(900, "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)", machine=True),
        clicked(960, ANDROID, tls=True),
    ],
    "sends the link by messenger": [
        clicked(5_000, "WhatsApp/2.24.20 A", machine=True), clicked(5_100, IPHONE, tls=True),
    ],
    "reads in Outlook for Windows with pictures": [opened(900, OUTLOOK), clicked(930, EDGE, tls=True)],
    # --- machines ---
    "Apple's proxy alone": [opened(3, APPLE, machine=True), opened(40_000, APPLE, machine=True)],
    "Gmail fetches on arrival": [opened(1.5, GMAIL, machine=True)],
    "Yahoo fetches on arrival": [opened(2, YAHOO, machine=True)],
    "Barracuda by name": scan(8, 1.2, "Barracuda Sentinel (EE)"),
    "Mimecast by name": [opened(5, "Mimecast", machine=True), *scan(5, 0.3, "Mimecast")],
    "a gateway disguised as Chrome, all links at once": scan(30, 0.2, CHROME),
    "a gateway disguised, one link a second": scan(45, 0.9, CHROME, tls=False),
    "a gateway that takes its time, without a browser's headers": scan(120, 20, CHROME, tls=False),
    "a sandbox with a real browser, in the first seconds": scan(4, 1.0, CHROME, tls=True),
    "one link at once, nothing opened": [clicked(1, CHROME, machine=True, tls=True)],
    "one link after five seconds, nothing opened": [clicked(5, EDGE, machine=True, tls=True)],
    "a crawler that takes every link, also the hidden one": [
        clicked(300, CHROME, A, machine=True), clicked(312, CHROME, B, machine=True),
        Visit(TRAP, 318, CHROME, is_machine=True),
    ],
    "a probe by HEAD": [Visit(CLICK, 60, CHROME, is_machine=True, url=A, is_probe=True)],
    "a browser that prefetches": [Visit(CLICK, 700, CHROME, is_machine=True, url=A, is_probe=True)],
    "a script": [clicked(1_000, "python-requests/2.32.3", machine=True), clicked(1_001, "curl/8.9.1", machine=True)],
    "no name": [opened(90, "", machine=True), clicked(95, "", machine=True)],
    "Bing's preview": [clicked(20, "Mozilla/5.0 (compatible; bingbot/2.0)", machine=True)],
    "headless Chrome by its name": scan(200, 30, CHROME.replace("Chrome/", "HeadlessChrome/")),
    "Outlook asks whether a link exists": [
        clicked(400, "Microsoft Office Existence Discovery", machine=True), opened(398, OUTLOOK),
        clicked(400.2, OUTLOOK, machine=True),
    ],
}  # fmt: skip
# What no sign betrays, kept so that the measure stays honest.
HARD: dict[str, list[Visit]] = {
    "a scanner with a real browser that follows one link after an hour": [
        clicked(3_600, CHROME, machine=True, tls=True)
    ],
    "a scanner that fetches the pictures first, then one link": [
        opened(20, CHROME, machine=True), clicked(24, CHROME, machine=True, tls=True),
    ],
    "a person who clicks two links within one second": [
        opened(50, GMAIL), clicked(60, CHROME, A), clicked(60.7, CHROME, B),
    ],
    "a person without pictures, in the first ten seconds": [clicked(8, EDGE, tls=True)],
}  # fmt: skip
