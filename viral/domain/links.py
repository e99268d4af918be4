"""Share links, where they lead, and the words to share them with."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode, urlsplit, urlunsplit

from common.errors import Invalid

LONGEST = 500
CODE_PARAMETER = "referral_code"
MOST_PARAMETERS = 60


def checked_url(text: str, place: str) -> str:
    """An http(s) address with a host and nothing hidden in it. Raises `Invalid` naming `place`."""
    text = text.strip()
    wrong = Invalid(
        "The address is wrong.", details={place: "Write a whole address like https://shop.example/friends"}
    )
    if len(text) > LONGEST or not text.isprintable() or any(sign in text for sign in ' "<>\\^`{|}'):
        raise wrong
    try:
        parts = urlsplit(text)
        valid = parts.scheme in ("http", "https") and bool(parts.hostname) and not (parts.username or parts.password)
        _ = parts.port  # raises when it is no number
    except ValueError:
        raise wrong from None
    if not valid:
        raise wrong
    return text


def landing(landing_url: str, code: str, program_slug: str) -> str:
    """Where a share link leads: the programme's own page, with the code and campaign tags added. Nothing of it
    comes from the visitor."""
    parts = urlsplit(landing_url)
    added = {
        CODE_PARAMETER: code,
        "utm_source": "referral",
        "utm_medium": "invite",
        "utm_campaign": program_slug,
    }
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in added]
    return urlunsplit(parts._replace(query=urlencode([*kept, *added.items()])))


def code_in(address: object) -> str:
    """The referral code in a landing page's address; "" when there is none."""
    if not isinstance(address, str) or f"{CODE_PARAMETER}=" not in address:
        return ""
    try:
        pairs = parse_qsl(urlsplit(address[:4000]).query, max_num_fields=MOST_PARAMETERS)
    except ValueError:  # visitors may send anything as an address
        return ""
    return next((value for name, value in pairs if name == CODE_PARAMETER), "")


@dataclass(frozen=True)
class ShareKit:
    """A share link and ready-made ways to pass it on: addresses to open, and words to copy."""

    code: str
    link: str
    subject: str
    text: str
    email: str
    whatsapp: str
    x: str
    facebook: str


def share_kit(code: str, link: str, subject: str, text: str) -> ShareKit:
    """`{link}` in the text stands for the link; it is added when missing."""
    words = text.replace("{link}", link) if "{link}" in text else f"{text} {link}".strip()
    return ShareKit(
        code=code,
        link=link,
        subject=subject,
        text=words,
        email=f"mailto:?subject={quote(subject, safe='')}&body={quote(words, safe='')}",
        whatsapp=f"https://wa.me/?text={quote(words, safe='')}",
        x=f"https://twitter.com/intent/tweet?text={quote(words, safe='')}",
        facebook=f"https://www.facebook.com/sharer/sharer.php?u={quote(link, safe='')}",
    )
