"""The small rich text of blocks: bold, italic, underlined, struck, links, lists, paragraphs; nothing else.

What a browser's editing area or a paste brings is taken apart and written anew, so that only these tags, and of
their attributes only a link's checked address, can come out.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field

from campaigns.domain.blocks import words
from campaigns.domain.blocks.words import Wrong
from delivery.domain import plaintext
from delivery.domain.markup import Placeholders
from delivery.domain.plaintext import Closed, Opened

SAME = {"b": "strong", "i": "em", "div": "p", "h1": "p", "h2": "p", "h3": "p", "h4": "p", "strike": "s", "del": "s"}
INLINE = frozenset({"strong", "em", "u", "s", "a"})
LISTS = frozenset({"ul", "ol"})
HIDDEN = frozenset({"script", "style", "head", "title", "template", "svg", "math", "iframe", "object"})
STYLES = {
    "p": ' style="margin:0 0 12px"',
    "ul": ' style="margin:0 0 12px;padding-left:24px"',
    "ol": ' style="margin:0 0 12px;padding-left:24px"',
}
PLACEHOLDER = re.compile(r"\{\{.*?\}\}", re.DOTALL)
ANY_TAG = re.compile(r"</?[a-zA-Z]|<!--")
MOST_DEPTH = 40


def normal(source: str) -> str:
    """The source with placeholders as they were meant: an editing area writes `&nbsp;` and `&gt;` into them."""
    if "&" not in source and "\xa0" not in source:
        return source
    return PLACEHOLDER.sub(lambda found: html.unescape(found[0]).replace("\xa0", " "), source)


def written(source: str, link_color: str) -> str:
    """The rich text as HTML for a mail, placeholders kept. `source` was checked by `inputs`."""
    if not ANY_TAG.search(source):
        return _plain(source)
    held = Placeholders(source)
    writer = _Writer(link_color)
    for piece in plaintext.scan(held.text):
        writer.take(piece)
    return held.restore(_without_last_margin(writer.finished()))


def _plain(source: str) -> str:
    paragraphs = [part for part in re.split(r"\n\s*\n", source.strip().replace("\r\n", "\n")) if part.strip()]
    shown = [f"<p{STYLES['p']}>{_lines(part)}</p>" for part in paragraphs]
    return _without_last_margin("".join(shown))


def _lines(text: str) -> str:
    """Entities mean what they mean in HTML: an editing area writes `&amp;` also where no tag stands."""
    return "<br>".join(
        "".join(
            piece if is_placeholder else html.escape(html.unescape(piece), quote=False)
            for is_placeholder, piece in words.pieces(line)
        )
        for line in text.split("\n")
    )


def _without_last_margin(written_html: str) -> str:
    """The space below the words is the block's own."""
    head, mark, tail = written_html.rpartition("margin:0 0 12px")
    return f"{head}margin:0{tail}" if mark else written_html


@dataclass
class _Writer:
    link_color: str
    output: list[str] = field(default_factory=list)
    opened: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)

    def take(self, piece: Opened | Closed | str) -> None:
        if isinstance(piece, str):
            self._text(piece)
        elif isinstance(piece, Opened):
            self._open(SAME.get(piece.tag, piece.tag), piece.values)
        else:
            self._close(SAME.get(piece.tag, piece.tag))

    def finished(self) -> str:
        while self.opened:
            self.output.append(f"</{self.opened.pop()}>")
        return "".join(self.output)

    def _text(self, text: str) -> None:
        if self.hidden:
            return
        plain = html.unescape(text)
        if not plain.strip() and not set(self.opened) - LISTS:
            return  # line ends between paragraphs
        if not self.opened:
            self._start("p")
        self.output.append(html.escape(plain, quote=False))

    def _open(self, tag: str, values: dict[str, str]) -> None:
        if tag in HIDDEN or self.hidden:
            if tag in HIDDEN:
                self.hidden.append(tag)
        elif tag == "br":
            self.output.append("<br>")
        elif tag == "p":
            if "li" not in self.opened:
                self._close("p")
                self._start("p")
        elif tag in LISTS:
            if "li" not in self.opened:
                self._close("p")
            self._start(tag)
        elif tag == "li":
            self._open_entry()
        elif tag in INLINE:
            if not self.opened:
                self._start("p")
            self._start(tag, _link(values.get("href", ""), self.link_color) if tag == "a" else "")

    def _open_entry(self) -> None:
        if self.opened and self.opened[-1] not in LISTS:
            self._close("li")
        if not self.opened or self.opened[-1] not in LISTS:
            self._start("ul")
        self._start("li")

    def _start(self, tag: str, attributes: str = "") -> None:
        if len(self.opened) < MOST_DEPTH:
            self.output.append(f"<{tag}{attributes}{STYLES.get(tag, '')}>")
            self.opened.append(tag)

    def _close(self, tag: str) -> None:
        if self.hidden:
            if self.hidden[-1] == tag:
                self.hidden.pop()
            return
        if tag not in self.opened:
            return
        while True:
            last = self.opened.pop()
            self.output.append(f"</{last}>")
            if last == tag:
                return


def _link(address: str, color: str) -> str:
    address = address.strip()
    try:
        words.check_address(address, is_image=False)
    except Wrong:
        address = ""
    target = f' href="{html.escape(address)}" target="_blank"' if address else ""
    return f'{target} style="color:{color};text-decoration:underline"'
