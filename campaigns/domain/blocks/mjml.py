"""MJML that somebody else wrote: read into elements we know, cleaned, and only then compiled.

The compiler is Rust and recursive, so depth and number are bounded before it sees anything; it is given our own
spelling of the elements, and what they say as tokens.
"""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import mrml

from campaigns.domain.blocks import cleaning, words
from campaigns.domain.blocks.cleaning import Cleaned
from campaigns.domain.blocks.words import Wrong
from delivery.domain import plaintext
from delivery.domain.markup import Placeholders
from delivery.domain.plaintext import Closed, Opened

OPTIONS = mrml.RenderOptions(fonts={})  # else it links to a font server
TOKEN = re.compile(r"zq(\d+)qz")
SELF_CLOSED = re.compile(r"<(mj-[\w-]{1,40})([^<>]*)/>", re.IGNORECASE)
PLAIN_VALUE = re.compile(r"[\w #%.,()'/:;!?&=+*-]{0,300}", re.ASCII)
BASE_STYLE = "#outlook a"
MOST_ELEMENTS = 1_500
MOST_DEPTH = 12
HOLDERS = {
    "mjml": {"mj-head", "mj-body"},
    "mj-head": {"mj-attributes", "mj-style", "mj-title", "mj-preview", "mj-breakpoint"},
    "mj-body": {"mj-section", "mj-wrapper", "mj-hero", "mj-raw"},
    "mj-wrapper": {"mj-section", "mj-hero", "mj-raw"},
    "mj-section": {"mj-column", "mj-group", "mj-raw"},
    "mj-group": {"mj-column", "mj-raw"},
    "mj-accordion": {"mj-accordion-element"},
    "mj-accordion-element": {"mj-accordion-title", "mj-accordion-text"},
    "mj-social": {"mj-social-element"},
    "mj-navbar": {"mj-navbar-link"},
}  # fmt: skip
IN_COLUMN = {
    "mj-text", "mj-button", "mj-image", "mj-divider", "mj-spacer", "mj-table", "mj-raw", "mj-social", "mj-navbar",
    "mj-accordion",
}  # fmt: skip
HOLDERS |= {"mj-column": IN_COLUMN, "mj-hero": IN_COLUMN}
# What they hold is HTML or words, not elements.
ENDINGS = {
    "mj-text", "mj-button", "mj-table", "mj-raw", "mj-navbar-link", "mj-social-element", "mj-accordion-title",
    "mj-accordion-text", "mj-title", "mj-preview", "mj-style",
}  # fmt: skip
SAID = {"href", "src", "alt", "title", "background-url", "name"}


@dataclass
class Element:
    """One MJML element; `inner` is the HTML of those that hold words."""

    tag: str
    values: dict[str, str]
    children: list[Element] = field(default_factory=list)
    inner: str = ""

    def first(self, tag: str) -> Element | None:
        return next((child for child in self.children if child.tag == tag), None)


@dataclass(frozen=True)
class Document:
    root: Element
    removed: Counter[str]

    def told(self) -> list[str]:
        return Cleaned(removed=self.removed).told()


@dataclass(frozen=True)
class Compiled:
    html: str
    css: str
    told: list[str]


def looks_like_mjml(source: str) -> bool:
    return re.search(r"<mj(?:ml|-)", source, re.IGNORECASE) is not None


def read(source: str) -> Document:
    """The document as elements, cleaned. Raises `Wrong` for what is no MJML or too much of it."""
    try:
        held = Placeholders(SELF_CLOSED.sub(r"<\1\2></\1>", cleaning.tamed(source)))
    except Exception as error:
        raise Wrong(f"A placeholder or condition is not right: {error}") from error
    reader = _Reader()
    root = Element("mjml", {})
    reader.fill(root, plaintext.scan(held.text), 0)
    root = root.first("mjml") or root
    if not root.children:
        raise Wrong("This is no MJML: there is no section in it.")
    if root.first("mj-body") is None:
        root = Element("mjml", {}, [Element("mj-body", {}, root.children)])
    _restore(root, held)
    return Document(root, reader.removed)


class _Reader:
    def __init__(self) -> None:
        self.removed: Counter[str] = Counter()
        self._count = 0

    def fill(self, parent: Element, pieces: Iterator[Opened | Closed | str], depth: int) -> None:
        """Read the children of `parent` up to its closing tag. Unknown elements go, with what is in them."""
        for piece in pieces:
            if isinstance(piece, Closed):
                if piece.tag == parent.tag:
                    return
            elif isinstance(piece, Opened):
                self._child(parent, piece, pieces, depth)

    def _child(self, parent: Element, opened: Opened, pieces: Iterator[Opened | Closed | str], depth: int) -> None:
        self._count += 1
        if self._count > MOST_ELEMENTS or depth > MOST_DEPTH:
            raise Wrong(f"The MJML has more than {MOST_ELEMENTS:,} elements or nests deeper than {MOST_DEPTH}.")
        child = Element(opened.tag, self._values(opened))
        if opened.tag in ("mj-include", "mj-font"):
            self.removed["remote"] += 1
        if opened.tag in ENDINGS:
            self._ending(child, pieces)
        else:
            self.fill(child, pieces, depth + 1)
        if parent.tag == "mj-attributes" or _may_hold(parent.tag, child.tag):
            parent.children.append(child)
        elif child.tag.startswith("mj-") and child.tag not in ("mj-include", "mj-font"):
            self.removed["embedded"] += 1

    def _ending(self, child: Element, pieces: Iterator[Opened | Closed | str]) -> None:
        writer = cleaning.Writer()
        raw: list[str] = []
        for piece in pieces:
            if isinstance(piece, Closed) and piece.tag == child.tag:
                break
            raw.append(piece if isinstance(piece, str) else "")
            writer.take(piece)
        done = writer.finished()
        self.removed += done.removed
        child.inner = cleaning.safe_css("".join(raw)) if child.tag == "mj-style" else done.html

    def _values(self, opened: Opened) -> dict[str, str]:
        kept = {}
        for name, value in opened.values.items():
            is_picture = name in ("src", "background-url")
            if name.startswith("on") or (not is_picture and name != "href" and cleaning.BAD_STYLE.search(value)):
                self.removed["event" if name.startswith("on") else "style"] += 1
                continue
            if is_picture or name == "href":
                try:
                    words.check_address(value, is_image=is_picture)
                except Wrong:
                    self.removed["address"] += 1
                    continue
            if re.fullmatch(r"[a-z][a-z-]{0,40}", name):
                kept[name] = value
        return kept


def _may_hold(parent: str, child: str) -> bool:
    if parent == "mjml":
        return child in ("mjml", "mj-head", "mj-body") or child in HOLDERS["mj-body"]
    return child in HOLDERS.get(parent, ())


def _restore(element: Element, held: Placeholders) -> None:
    element.inner = held.restore(element.inner)
    element.values = {name: held.restore(value) for name, value in element.values.items()}
    for child in element.children:
        _restore(child, held)


def compiled(source: str) -> Compiled:
    """HTML for the middle of another mail, and the style sheets it needs. Raises `Wrong`."""
    document = read(source)
    tokens: list[str] = []
    start, end = _token("", tokens), _token("", tokens)
    text = _spelled(document.root, tokens, start, end)
    whole = to_html(text)
    body = whole[whole.index(start) + len(start) : whole.index(end)]
    css = "\n".join(
        style for style in re.findall(r"<style[^>]*>(.*?)</style>", whole, re.DOTALL) if BASE_STYLE not in style
    )
    return Compiled(_filled(body, tokens), _filled(css, tokens), document.told())


def to_html(text: str) -> str:
    """MJML of ours as HTML. Raises `Wrong` when the compiler gives up, whichever way."""
    try:
        return mrml.to_html(text, None, OPTIONS).content
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:
        raise Wrong(f"The MJML cannot be compiled: {str(error)[:200]}") from error


def _token(piece: str, tokens: list[str]) -> str:
    tokens.append(piece)
    return f"zq{len(tokens) - 1}qz"


def _filled(text: str, tokens: list[str]) -> str:
    return TOKEN.sub(lambda found: tokens[int(found[1])], text)


def _spelled(element: Element, tokens: list[str], start: str = "", end: str = "") -> str:
    if element.tag in ("mj-social", "mj-navbar"):
        return _links(element, tokens)
    attributes = "".join(_attribute(name, value, tokens) for name, value in element.values.items())
    inner = _token(element.inner, tokens) if element.inner else ""
    inner += "".join(_spelled(child, tokens, start, end) for child in element.children)
    if element.tag == "mj-body":
        inner = f"<mj-raw>{start}</mj-raw>{inner}<mj-raw>{end}</mj-raw>"
    return f"<{element.tag}{attributes}>{inner}</{element.tag}>"


def _attribute(name: str, value: str, tokens: list[str]) -> str:
    if name in SAID and name != "name":
        return f' {name}="{_token(words.escaped(value), tokens)}"'
    if not PLAIN_VALUE.fullmatch(value) or TOKEN.search(value):
        return ""
    return f' {name}="{html.escape(value, quote=False)}"'


def _links(element: Element, tokens: list[str]) -> str:
    """Networks and menus as words: their pictures would come from the compiler's makers' own server."""
    shown = [
        f'<a href="{words.escaped(child.values["href"])}" target="_blank">{child.inner or _network(child)}</a>'
        for child in element.children
        if child.values.get("href")
    ]
    align = element.values.get("align", "center")
    align = align if align in ("left", "center", "right") else "center"
    return f'<mj-text align="{align}">{_token(" &nbsp;·&nbsp; ".join(shown), tokens)}</mj-text>'


def _network(element: Element) -> str:
    return html.escape(element.values.get("name", "").removesuffix("-noshare").title() or "Website")
