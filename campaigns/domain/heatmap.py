"""A mail with its clicks drawn on it: each link says how many clicked, the warmer the more."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

LINK = re.compile(r"""<(a|area)\b((?:[^>"']|"[^"]*"|'[^']*')*)>""", re.IGNORECASE)
HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
WARMTHS = 5
STYLE = """<style>
a[data-warmth]{position:relative!important;outline:3px solid #b8b8b8;outline-offset:1px}
a[data-warmth="1"]{outline-color:#f2c14e}a[data-warmth="2"]{outline-color:#f29e4c}
a[data-warmth="3"]{outline-color:#ee7b30}a[data-warmth="4"]{outline-color:#d94f2b}
a[data-warmth="5"]{outline-color:#b3231a}
a[data-warmth]>b[data-clicks]{position:absolute;z-index:9;bottom:100%;left:-3px;padding:2px 7px;border-radius:99px;
background:#222;color:#fff;font:600 11px/1.3 system-ui,sans-serif;white-space:nowrap}
</style>"""


@dataclass(frozen=True)
class Clicked:
    """People who clicked an address, and of them by the place where they did."""

    people: int
    places: Mapping[int, int]


@dataclass(frozen=True)
class Place:
    """A link of the mail: its number from the top, its address, as which of `of` links to that address it stands
    there, and who clicked it. Number 0: clicked, but not here; `nth` 0: nothing told where."""

    number: int
    url: str
    nth: int
    of: int
    people: int


def places(mail: str, clicked: Mapping[str, Clicked]) -> list[Place]:
    """The web links of a mail in order, then what was clicked and does not stand in it. `clicked`: by address.

    Of several links to one address each has its own count. What stands once has all of its address, also the clicks
    that told no place.
    """
    found = [address for each in LINK.finditer(mail) if _is_web(address := _address(each[2]))]
    of, nth = Counter(found), Counter[str]()
    listed: list[Place] = []
    for number, url in enumerate(found, start=1):
        nth[url] += 1
        here = clicked.get(url, Clicked(0, {}))
        people = here.people if of[url] == 1 else here.places.get(nth[url], 0)
        listed.append(Place(number, url, nth[url], of[url], people))
    for url, there in clicked.items():
        left = {0: there.people} if not of[url] else there.places if of[url] > 1 else {}
        listed += [Place(0, url, at, of[url], count) for at, count in left.items() if not 0 < at <= of[url]]
    return listed


def drawn(mail: str, listed: Sequence[Place]) -> str:
    """The mail with a mark on each of its `places`."""
    most, whole = max((place.people for place in listed), default=0), sum(place.people for place in listed)
    coming = (place for place in listed if place.number)

    def mark(found: re.Match[str]) -> str:
        if not _is_web(_address(found[2])):
            return found[0]
        count = next(coming).people
        if found[1].lower() != "a":
            return found[0]
        share = f" · {count / whole:.0%}" if count else ""
        warmth = -(-count * WARMTHS // most) if most else 0
        return f'<a data-warmth="{warmth}"{found[2]}><b data-clicks>{count:,}{share}</b>'

    marked = LINK.sub(mark, mail)
    head = HEAD.search(marked)
    at = head.end() if head else 0
    return marked[:at] + STYLE + marked[at:]


def _is_web(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def _address(attributes: str) -> str:
    found = HREF.search(attributes)
    return html.unescape(found[1] or found[2] or found[3] or "").strip() if found else ""
