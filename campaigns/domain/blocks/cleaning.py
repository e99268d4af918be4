"""HTML that somebody else wrote, taken apart and written anew: what could run or collect goes, and is told.

One pass, linear in the text. Only listed tags and attributes come out, each attribute quoted, every tag closed, so
that a fragment cannot end the cell it stands in. Placeholders and conditions of Jinja2 stay where they were.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from dataclasses import dataclass, field

from campaigns.domain.blocks import words
from campaigns.domain.blocks.words import Wrong
from delivery.domain import plaintext
from delivery.domain.markup import Placeholders
from delivery.domain.plaintext import VOID, Closed, Opened

TAGS = frozenset({
    "a", "abbr", "address", "area", "article", "b", "big", "blockquote", "br", "caption", "center", "cite", "code",
    "col", "colgroup", "dd", "del", "div", "dl", "dt", "em", "figcaption", "figure", "font", "footer", "h1", "h2",
    "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "kbd", "li", "main", "map", "mark", "nav", "ol", "p",
    "pre", "q", "s", "samp", "section", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td",
    "tfoot", "th", "thead", "time", "tr", "tt", "u", "ul", "var", "wbr",
})  # fmt: skip
# Gone with everything in them; `style` and `title` are read on the way.
WHOLE = frozenset({
    "script", "style", "title", "iframe", "object", "embed", "applet", "noscript", "template", "svg", "math",
    "audio", "video", "canvas", "select", "textarea", "button", "frameset", "noframes", "xmp", "plaintext",
    "noembed",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "align", "alt", "background", "bgcolor", "border", "cellpadding", "cellspacing", "class", "color", "colspan",
    "coords", "datetime", "dir", "face", "height", "href", "hspace", "id", "lang", "name", "nowrap", "role",
    "rowspan", "shape", "size", "span", "src", "start", "style", "summary", "target", "title", "type", "usemap",
    "valign", "value", "vspace", "width",
})  # fmt: skip
ADDRESSES = {"href": False, "src": True, "background": True}  # attribute → whether it is a picture's
BAD_STYLE = re.compile(r"expression|javascript:|vbscript:|behavior\s*:|-moz-binding|@import|\\", re.IGNORECASE)
BAD_CSS = re.compile(
    r"@import[^;]*;?|@charset[^;]*;?|expression\s*\([^)]*\)?|(?:javascript|vbscript)\s*:[^;}]*"
    r"|(?:behavior|-moz-binding)\s*:[^;}]*|</?[a-z!][^>]*>?|<!--|-->",
    re.IGNORECASE,
)
SHEET = re.compile(r"<(?:mj-)?style", re.IGNORECASE)
SHEET_END = re.compile(r"</(?:mj-)?style", re.IGNORECASE)
BRACES = re.compile(r"\{(?=[{%#])")
MOST_DEPTH = 200
NAMES = {
    "script": "script", "form": "form", "event": "event handler", "address": "unsafe address",
    "embedded": "embedded part", "field": "form field", "comment": "part for old Outlook", "style": "unsafe style",
    "remote": "linked file", "deep": "tag nested too deep",
}  # fmt: skip
FIELDS = frozenset({"input", "select", "textarea", "button"})


@dataclass
class Cleaned:
    """`css` is what `<style>` said; `removed` counts what was taken out, by kind."""

    html: str = ""
    css: str = ""
    title: str = ""
    removed: Counter[str] = field(default_factory=Counter)

    def told(self) -> list[str]:
        """Sentences for a person."""
        return [
            f"{count:,} {NAMES[kind]}{'s' if count > 1 else ''} taken out." for kind, count in self.removed.items()
        ]


def tamed(source: str) -> str:
    """The source with style sheets that cannot be taken for placeholders: `{#a` is an id there, not a comment."""
    output, position = [], 0
    while (start := SHEET.search(source, position)) and (end := SHEET_END.search(source, start.end())):
        output += [source[position : start.start()], BRACES.sub("{ ", source[start.start() : end.start()])]
        position = end.start()
    return "".join([*output, source[position:]])


def cleaned(source: str) -> Cleaned:
    """The body of a document, or a fragment, as safe HTML. Raises `Wrong` when its placeholders are broken."""
    try:
        held = Placeholders(tamed(source))
    except Exception as error:
        raise Wrong(f"A placeholder or condition is not right: {error}") from error
    writer = Writer()
    for piece in plaintext.scan(held.text):
        writer.take(piece)
    done = writer.finished()
    done.html = held.restore(done.html)
    done.title = " ".join(held.restore(done.title).split())
    done.css = safe_css(held.restore(done.css))
    if comments := len(re.findall(r"<!--\[if", source)):
        done.removed["comment"] += comments
    return done


def safe_css(css: str) -> str:
    """Style sheets without what loads or runs; never read as a placeholder."""
    css = BAD_CSS.sub("", css)
    return BRACES.sub("{ ", css).strip()


class Writer:
    """Takes tags and texts in order; `finished` has what came of them."""

    def __init__(self) -> None:
        self._done = Cleaned()
        self._output: list[str] = []
        self._opened: list[str] = []
        self._inside = ""  # the tag whose content goes

    def take(self, piece: Opened | Closed | str) -> None:
        if self._inside:
            self._skip(piece)
        elif isinstance(piece, str):
            self._output.append(html.escape(html.unescape(piece), quote=False))
        elif isinstance(piece, Opened):
            self._open(piece.tag, piece.values)
        else:
            self._close(piece.tag)

    def finished(self) -> Cleaned:
        self._output += [f"</{tag}>" for tag in reversed(self._opened)]
        self._opened.clear()
        self._done.html = "".join(self._output).strip()
        return self._done

    def _skip(self, piece: Opened | Closed | str) -> None:
        if isinstance(piece, Closed) and piece.tag == self._inside:
            self._inside = ""
        elif isinstance(piece, str) and self._inside == "style":
            self._done.css += piece
        elif isinstance(piece, str) and self._inside == "title" and not self._done.title:
            self._done.title = html.unescape(piece)

    def _open(self, tag: str, values: dict[str, str]) -> None:
        if tag in TAGS:
            self._write(tag, values)
            return
        if tag in WHOLE:
            self._inside = tag
        if tag in ("link", "base"):
            self._done.removed["remote"] += 1
        elif tag == "script":
            self._done.removed["script"] += 1
        elif tag in FIELDS:
            self._done.removed["field"] += 1
        elif tag == "form":
            self._done.removed["form"] += 1
        elif tag in WHOLE and tag not in ("style", "title"):
            self._done.removed["embedded"] += 1

    def _write(self, tag: str, values: dict[str, str]) -> None:
        if tag not in VOID and len(self._opened) >= MOST_DEPTH:
            self._done.removed["deep"] += 1
            return
        kept = "".join(self._attribute(name, value) for name, value in values.items())
        self._output.append(f"<{tag}{kept}>")
        if tag not in VOID:
            self._opened.append(tag)

    def _attribute(self, name: str, value: str) -> str:
        if name.startswith("on"):
            self._done.removed["event"] += 1
            return ""
        if name not in ATTRIBUTES and not name.startswith("aria-"):
            return ""
        if name in ADDRESSES:
            try:
                words.check_address(value, is_image=ADDRESSES[name])
            except Wrong:
                self._done.removed["address"] += 1
                return ""
        if name == "style" and BAD_STYLE.search(value):
            self._done.removed["style"] += 1
            value = ";".join(part for part in value.split(";") if not BAD_STYLE.search(part))
        return f' {name}="{html.escape(value)}"'

    def _close(self, tag: str) -> None:
        if tag not in self._opened:
            return
        while True:
            last = self._opened.pop()
            self._output.append(f"</{last}>")
            if last == tag:
                return
