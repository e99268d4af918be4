"""A mail with its clicks drawn on it: each link says how many clicked, the warmer the more."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

LINK = re.compile(r"""<a\b((?:[^>"']|"[^"]*"|'[^']*')*)>""", re.IGNORECASE)
HREF = re.compile(r"""\bhref\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))""", re.IGNORECASE)
HEAD = re.compile(r"<head\b[^>]*>", re.IGNORECASE)
WARMTHS = 5
STYLE = """<style>
a[data-warmth]{position:relative!important;outline:3px solid #b8b8b8;outline-offset:1px}
a[data-warmth="1"]{outline-color:#f2c14e}a[data-warmth="2"]{outline-color:#f29e4c}
a[data-warmth="3"]{outline-color:#ee7b30}a[data-warmth="4"]{outline-color:#d94f2b}
a[data-warmth="5"]{outline-color:#b3231a}
a[data-warmth]>b[data-clicks]{position:absolute;z-index:9;top:-11px;right:-6px;padding:2px 7px;border-radius:99px;
background:#222;color:#fff;font:600 11px/1.3 system-ui,sans-serif;white-space:nowrap}
</style>"""


@dataclass(frozen=True)
class Place:
    """A link as it stands in the mail: its number from the top, its address and who clicked that address."""

    number: int
    url: str
    people: int


def drawn(mail: str, people: Mapping[str, int]) -> tuple[str, list[Place]]:
    """The mail with a mark on each web link, and the links in order. `people` who clicked, by address.

    An address that stands several times shows the same count each time: a click tells its address, not its place.
    """
    most, whole = max(people.values(), default=0), sum(people.values())
    places: list[Place] = []

    def mark(found: re.Match[str]) -> str:
        address = _address(found[1])
        if not address.startswith(("http://", "https://")):
            return found[0]
        count = people.get(address, 0)
        places.append(Place(len(places) + 1, address, count))
        share = f" · {count / whole:.0%}" if count else ""
        warmth = -(-count * WARMTHS // most) if most else 0
        return f'<a data-warmth="{warmth}"{found[1]}><b data-clicks>{count:,}{share}</b>'

    marked = LINK.sub(mark, mail)
    head = HEAD.search(marked)
    at = head.end() if head else 0
    return marked[:at] + STYLE + marked[at:], places


def _address(attributes: str) -> str:
    found = HREF.search(attributes)
    return html.unescape(found[1] or found[2] or found[3] or "").strip() if found else ""
