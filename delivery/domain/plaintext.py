"""Plain text of an HTML template: what somebody reads whose mail program shows no HTML.

An own scanner, one pass over the source: the standard library's parser needs minutes for a few hundred
kilobytes of unclosed tags, and templates are hostile input.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

from delivery.domain.markup import ATTRIBUTE, Placeholders

TAG = re.compile(r"<(/?)([a-zA-Z][\w:-]*)")
DECLARATION = re.compile(r"<[!?]")
BLANKS = re.compile(r"\s+")
SKIPPED = frozenset({"style", "script", "head", "title"})
VOID = frozenset({"br", "img", "hr", "meta", "link", "input", "col", "wbr", "area", "base", "source"})
BLOCKS = frozenset({"p", "div", "table", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "section"})


def derived_text(source: str) -> str:
    """Paragraphs, list items and links with their address; placeholders are kept, hidden parts left out."""
    held = Placeholders(source)
    writer = _Writer()
    for piece in scan(held.text):
        writer.take(piece)
    lines = [" ".join(line.split()) for line in "".join(writer.output).split("\n")]
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()
    return held.restore(text) + "\n" if text else ""


@dataclass(frozen=True)
class Opened:
    tag: str
    values: dict[str, str]


@dataclass(frozen=True)
class Closed:
    tag: str


class _Writer:
    """Takes tags and texts in order."""

    def __init__(self) -> None:
        self.output: list[str] = []
        self._hidden: list[str] = []
        self._links: list[tuple[str, int]] = []

    def take(self, piece: Opened | Closed | str) -> None:
        if isinstance(piece, Opened):
            self.opened(piece.tag, piece.values)
        elif isinstance(piece, Closed):
            self.closed(piece.tag)
        else:
            self.text(piece)

    def opened(self, tag: str, values: dict[str, str]) -> None:
        is_hidden = "display:none" in values.get("style", "").replace(" ", "")
        if self._hidden or tag in SKIPPED or is_hidden:
            if tag not in VOID and (not self._hidden or self._hidden[0] == tag):
                self._hidden.append(tag)
            return
        if tag in BLOCKS:
            self.output.append("\n\n")
        elif tag in ("br", "tr"):
            self.output.append("\n")
        elif tag == "li":
            self.output.append("\n- ")
        elif tag == "img":
            self.output.append(values.get("alt", ""))
        elif tag == "a":
            self._links.append((values.get("href", "").strip(), len(self.output)))

    def closed(self, tag: str) -> None:
        if self._hidden:
            if self._hidden[0] == tag:
                self._hidden.pop()
            return
        if tag in BLOCKS:
            self.output.append("\n\n")
        elif tag == "tr":
            self.output.append("\n")
        elif tag in ("td", "th"):
            self.output.append(" ")
        elif tag == "a" and self._links:
            self._end_link(*self._links.pop())

    def _end_link(self, address: str, start: int) -> None:
        words = "".join(self.output[start:]).strip() if len(self.output) - start < 100 else ""
        if address and not address.startswith("#") and address != words:
            self.output.append(f" ({address.removeprefix('mailto:')})")

    def text(self, words: str) -> None:
        if not self._hidden:
            self.output.append(BLANKS.sub(" ", html.unescape(words)))


def scan(text: str) -> Iterator[Opened | Closed | str]:
    """Tags and the texts between them, comments left out. Texts hold their entities, values of attributes do not."""
    position = 0
    while position < len(text):
        start = text.find("<", position)
        start = len(text) if start < 0 else start
        if start > position:
            yield text[position:start]
        position = start
        if position == len(text):
            return
        if tag := TAG.match(text, position):
            values, position = _attributes(text, tag.end())
            name = tag[2].lower()
            yield Closed(name) if tag[1] else Opened(name, values)
        elif DECLARATION.match(text, position):
            is_comment = text.startswith("<!--", position)
            end = text.find("-->" if is_comment else ">", position)
            position = len(text) if end < 0 else end + (3 if is_comment else 1)
        else:
            yield "<"
            position += 1


def _attributes(text: str, position: int) -> tuple[dict[str, str], int]:
    """The attributes of a tag and where it ends."""
    values: dict[str, str] = {}
    while (part := ATTRIBUTE.match(text, position)) and part.end() > position:
        if part[1] is None and "<" in part[0]:
            return values, position + part[0].index("<")
        if part[1] and part[2]:
            raw = part[2].strip(part[2][0]) if part[2][0] in "\"'" else part[2]
            values.setdefault(part[1].lower(), html.unescape(raw))
        position = part.end()
    return values, position + 1 if text.startswith(">", position) else position
