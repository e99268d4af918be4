"""Opens and clicks that no person made: prefetching proxies, link scanners, scripts."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

# Programs that fetch by themselves. Scanners of mail gateways often bear a browser's name; timing catches those.
ROBOTS = re.compile(
    r"bot\b|crawler|spider|slurp|scanner|barracuda|mimecast|proofpoint|symantec|trendmicro|fortiguard|sophos|"
    r"forcepoint|cisco|ironport|bitdefender|kaspersky|virustotal|safelinks|urldefense|microsoft office|"
    r"bingpreview|facebookexternalhit|slackbot|whatsapp|telegrambot|linkpreview|headlesschrome|phantomjs|"
    r"curl/|wget/|python-|python/|go-http-client|java/|okhttp|libwww|apache-httpclient|node-fetch|axios|ruby",
    re.IGNORECASE,
)
# These fetch when a person opens the mail, and sometimes at once when it arrives.
IMAGE_PROXIES = re.compile(r"GoogleImageProxy|YahooMailProxy|ggpht\.com", re.IGNORECASE)
# Apple's Mail Privacy Protection fetches every picture with exactly this name.
APPLE_PREFETCH = "Mozilla/5.0"
CLICK_TOO_SOON = timedelta(seconds=1)
PREFETCH_WINDOW = timedelta(seconds=10)


def is_machine(kind: str, user_agent: str, sent_at: datetime | None, happened_at: datetime) -> bool:
    """Whether an `open` or a `click` was more likely made by a machine than by a person."""
    if not user_agent or ROBOTS.search(user_agent):
        return True
    age = happened_at - sent_at if sent_at else None
    if kind == "click":
        return age is not None and age < CLICK_TOO_SOON
    if user_agent.strip() == APPLE_PREFETCH:
        return True
    return bool(IMAGE_PROXIES.search(user_agent)) and (age is None or age < PREFETCH_WINDOW)
