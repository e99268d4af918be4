"""Who follows a share link: people, and the robots that fetch previews."""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import date

# Preview fetchers and crawlers as they name themselves (each vendor's own documentation of its user agent).
ROBOTS = re.compile(
    r"bot\b|bot/|crawl|spider|preview|facebookexternalhit|facebot|whatsapp/|telegram|slack|discord|skype|embedly"
    r"|pinterest/|vkshare|curl/|wget/|python-requests|python-urllib|go-http-client|java/|okhttp|headless",
    re.IGNORECASE,
)


def is_robot(user_agent: str) -> bool:
    return not user_agent or ROBOTS.search(user_agent) is not None


def key(secret: str, day: date, code: str, address: str, user_agent: str) -> str:
    """The same visitor of a code on the same day, without keeping who it was: the secret and the day salt it."""
    told = "\n".join((day.isoformat(), code, address, user_agent))
    return hmac.new(secret.encode(), told.encode("utf-8", "replace"), hashlib.sha256).hexdigest()[:32]
