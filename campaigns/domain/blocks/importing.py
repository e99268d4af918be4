"""A mail made elsewhere, as blocks: MJML element by element where we know them, HTML as one cleaned block."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import css_inline

from campaigns.domain.blocks import cleaning, mjml, words
from campaigns.domain.blocks.inputs import COLOR
from campaigns.domain.blocks.mjml import Element
from campaigns.domain.blocks.types import NETWORKS
from campaigns.domain.blocks.words import Wrong
from delivery.domain.markup import FIRST_MARK, MARK, MOST_PLACEHOLDERS, Placeholders
from delivery.domain.plaintext import Opened, scan

MOST_SOURCE = 200_000
MOST_RULES = 2_000
MOST_TAGS = 20_000
BODY_COLOR = re.compile(r"(?:bgcolor=[\"']?|background(?:-color)?\s*:\s*)(#[0-9a-fA-F]{6}|#[0-9a-fA-F]{3})\b")
BETWEEN = re.compile(r">[^<>]*<")
PIXELS = re.compile(r"(\d{1,4})(?:\.\d+)?(?:px)?")
SIMPLE_TAGS = frozenset({"p", "br", "b", "strong", "i", "em", "u", "s", "a", "ul", "ol", "li", "div", "span"})
STYLED = re.compile(r"(?:^|;)\s*(?:color|background|font-size|text-align)\s*:", re.IGNORECASE)
# Never asks the network for a style sheet; style sheets in the mail itself are small.
INLINER = css_inline.CSSInliner(load_remote_stylesheets=False, keep_style_tags=False, keep_at_rules=True)


@dataclass(frozen=True)
class Imported:
    """`blocks` is the tree as JSON, `notes` say what was left out or changed."""

    blocks: dict[str, Any]
    subject: str = ""
    preheader: str = ""
    notes: tuple[str, ...] = ()


def imported(source: str) -> Imported:
    """Read HTML or MJML. Raises `Wrong` for what is neither, too large, or has broken placeholders."""
    if len(source) > MOST_SOURCE:
        raise Wrong(f"It has {len(source):,} characters; at most {MOST_SOURCE:,} can be imported.")
    words.check_characters(source)
    if not source.strip():
        raise Wrong("There is nothing to import.")
    words.check_template(cleaning.tamed(source))
    return _from_mjml(source) if mjml.looks_like_mjml(source) else _from_html(source)


# --- HTML ---------------------------------------------------------------------------------------------


def _from_html(source: str) -> Imported:
    done = cleaning.cleaned(_inlined(source))
    if not done.html:
        raise Wrong("There is nothing in it that a mail could show.")
    code = f"<style>{done.css}</style>\n{done.html}" if done.css else done.html
    block = {"id": "imported-1", "type": "imported", "html": code}
    return Imported(
        {"settings": _around(source), "blocks": [block]}, subject=done.title[:300], notes=tuple(done.told())
    )


def _around(source: str) -> dict[str, Any]:
    """The colour around the mail, as its `<body>` says."""
    body = re.search(r"<body\b[^>]{0,2000}>", source, re.IGNORECASE)
    found = BODY_COLOR.search(body[0]) if body else None
    return {"background": found[1].lower()} if found else {}


def _inlined(source: str) -> str:
    """Style sheets written into the elements, as mail programs need them; conditions are kept out of harm's way."""
    tamed = cleaning.tamed(source)
    if "<style" not in tamed.lower():
        return tamed
    try:
        held = Placeholders(tamed)
    except Exception as error:
        raise Wrong(f"A placeholder or condition is not right: {error}") from error
    if held.text.count("{") > MOST_RULES or held.text.count("<") > MOST_TAGS:
        raise Wrong("It has too many styles or elements to bring them together.")
    # A parser takes text out of tables, so placeholders between rows become comments for the while.
    marked = BETWEEN.sub(lambda found: MARK.sub(lambda mark: f"<!--zq{ord(mark[0])}qz-->", found[0]), held.text)
    try:
        inlined = INLINER.inline(marked)
    except css_inline.InlineError:
        return tamed
    return held.restore(re.sub(r"<!--zq(\d{6,7})qz-->", _mark_again, inlined))


def _mark_again(found: re.Match[str]) -> str:
    number = int(found[1])
    return chr(number) if FIRST_MARK <= number < FIRST_MARK + MOST_PLACEHOLDERS else found[0]


# --- MJML ---------------------------------------------------------------------------------------------


@dataclass
class _Making:
    """Ids and notes of one import."""

    notes: list[str] = field(default_factory=list)
    count: int = 0

    def id(self) -> str:
        self.count += 1
        return f"imported-{self.count}"


def _from_mjml(source: str) -> Imported:
    document = mjml.read(source)
    making = _Making(document.told())
    head, body = document.root.first("mj-head"), document.root.first("mj-body")
    title = head.first("mj-title") if head else None
    preview = head.first("mj-preview") if head else None
    has_styles = head is not None and any(child.tag in ("mj-attributes", "mj-style") for child in head.children)
    blocks: list[dict[str, Any]] = []
    if has_styles or body is None:
        making.notes.append("It has styles of its own, so it stays MJML in one block.")
        blocks.append({"id": making.id(), "type": "imported", "mjml": source})
    else:
        for part in body.children:
            blocks += _section(part, making)
    settings = _settings(body) if body is not None else {}
    return Imported(
        {"settings": settings, "blocks": blocks},
        subject=_plain(title.inner)[:300] if title else "",
        preheader=_plain(preview.inner)[:200] if preview else "",
        notes=tuple(making.notes),
    )


def _plain(inner: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", inner)).split())


def _settings(body: Element) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    width = PIXELS.fullmatch(body.values.get("width", ""))
    if width and 320 <= int(width[1]) <= 900:
        settings["width"] = int(width[1])
    if COLOR.fullmatch(body.values.get("background-color", "")):
        settings["background"] = body.values["background-color"].lower()
    return settings


def _section(section: Element, making: _Making) -> list[dict[str, Any]]:
    """A section as blocks; as MJML when something in it has no block of ours."""
    columns = [child for child in section.children if child.tag == "mj-column"]
    known = section.tag == "mj-section" and len(columns) == len(section.children) and 1 <= len(columns) <= 4
    read = [list(_column(column, making)) for column in columns] if known else []
    if not known or any(block is None for column in read for block in column):
        return [{"id": making.id(), "type": "imported", "mjml": _whole(section)}]
    kept = [[block for block in column if block is not None] for column in read]
    background = _color(section, "background-color")
    if len(kept) == 1:
        return [block if "background" in block else block | background for block in kept[0]]
    widths = [_percent(column) for column in columns]
    columns_json = [{"width": width, "blocks": blocks} for width, blocks in zip(widths, kept, strict=True)]
    return [{"id": making.id(), "type": "columns", "columns": columns_json, **background}]


def _column(column: Element, making: _Making) -> Iterator[dict[str, Any] | None]:
    for child in column.children:
        block = ELEMENTS[child.tag](child) if child.tag in ELEMENTS else None
        yield None if block is None else {"id": making.id(), **block}


def _percent(column: Element) -> int:
    found = re.fullmatch(r"(\d{1,3})(?:\.\d+)?%", column.values.get("width", ""))
    return min(int(found[1]), 100) if found else 0


def _color(element: Element, name: str, key: str = "background") -> dict[str, str]:
    value = element.values.get(name, "")
    return {key: value.lower()} if COLOR.fullmatch(value) else {}


def _align(element: Element) -> dict[str, str]:
    value = element.values.get("align", "")
    return {"align": value} if value in ("left", "center", "right") else {}


def _pixels(element: Element, name: str, key: str, least: int, most: int) -> dict[str, int]:
    found = PIXELS.fullmatch(element.values.get(name, ""))
    return {key: min(max(int(found[1]), least), most)} if found else {}


def _text(element: Element) -> dict[str, Any] | None:
    tags = [token for token in scan(Placeholders(element.inner).text) if isinstance(token, Opened)]
    plain = all(tag.tag in SIMPLE_TAGS and not STYLED.search(tag.values.get("style", "")) for tag in tags)
    if "{%" in element.inner or not plain:
        return {"type": "code", "html": element.inner}
    size = _pixels(element, "font-size", "size", 10, 40)
    return {"type": "text", "text": element.inner, **size, **_color(element, "color", "color"), **_align(element)}


def _button(element: Element) -> dict[str, Any] | None:
    if not element.values.get("href"):
        return None
    return {
        "type": "button", "label": _plain(element.inner), "href": element.values["href"],
        **_color(element, "background-color", "fill"), **_color(element, "color", "color"), **_align(element),
        **_pixels(element, "border-radius", "corner", 0, 40),
    }  # fmt: skip


def _image(element: Element) -> dict[str, Any] | None:
    values = element.values
    block = {"type": "image", "src": values.get("src", ""), "alt": values.get("alt", ""), **_align(element)}
    if values.get("href"):
        block["href"] = values["href"]
    return block | _pixels(element, "width", "width", 1, 900)


def _divider(element: Element) -> dict[str, Any]:
    thickness = _pixels(element, "border-width", "thickness", 1, 20)
    return {"type": "divider", **_color(element, "border-color", "color"), **thickness}


def _spacer(element: Element) -> dict[str, Any]:
    return {"type": "spacer", **({"height": 20} | _pixels(element, "height", "height", 1, 300))}


def _raw(element: Element) -> dict[str, Any]:
    return {"type": "code", "html": element.inner}


def _social(element: Element) -> dict[str, Any] | None:
    known = {name.lower() for name in NETWORKS}
    items = []
    for child in element.children:
        name = child.values.get("name", "").removesuffix("-noshare").lower()
        if child.values.get("href"):
            items.append({"network": name if name in known else "website", "href": child.values["href"]})
    return {"type": "social", "items": items, **_align(element)} if items else None


def _menu(element: Element) -> dict[str, Any] | None:
    items = [
        {"label": _plain(child.inner), "href": child.values["href"]}
        for child in element.children
        if child.values.get("href") and _plain(child.inner)
    ]
    return {"type": "menu", "items": items, **_align(element)} if items else None


ELEMENTS = {
    "mj-text": _text,
    "mj-button": _button,
    "mj-image": _image,
    "mj-divider": _divider,
    "mj-spacer": _spacer,
    "mj-raw": _raw,
    "mj-social": _social,
    "mj-navbar": _menu,
}


def _whole(section: Element) -> str:
    """The section as MJML again."""
    attributes = "".join(f' {name}="{words.escaped(value)}"' for name, value in section.values.items())
    inner = section.inner + "".join(_whole(child) for child in section.children)
    return f"<{section.tag}{attributes}>{inner}</{section.tag}>"
