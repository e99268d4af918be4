"""Blocks as MJML. What a marketer wrote never stands in it: words and addresses are tokens that come back later.

So the compiler below sees only our own, always well-formed markup, whatever a mail says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from campaigns.domain.blocks import cleaning, conditions, mjml, rich, words
from campaigns.domain.blocks.tree import Block, Settings
from campaigns.domain.blocks.types import NETWORKS
from campaigns.domain.blocks.words import Wrong

SIDE = 24  # pixels left and right of the words
HEADINGS = {"1": 30, "2": 24, "3": 19}


@dataclass(frozen=True)
class Edge:
    """Where a block begins or ends; `code` is its condition."""

    block: Block
    is_start: bool
    code: str


class Sheet:
    """What was written so far: the pieces that tokens stand for, style sheets, and what could not be written."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.pieces: list[str | Edge] = []
        self.css: list[str] = []
        self.problems: dict[str, str] = {}
        self.taken_out: list[tuple[Block, str]] = []  # what cleaning removed, as sentences
        self.block: Block | None = None

    def token(self, piece: str | Edge) -> str:
        """What stands in the MJML for a piece of the mail."""
        self.pieces.append(piece)
        return f"zq{len(self.pieces) - 1}qz"

    def text(self, value: str) -> str:
        return self.token(words.escaped(value))


def sections(sheet: Sheet, blocks: Sequence[Block]) -> Iterator[str]:
    """A list of blocks for `mj-body`: neighbours share a section, columns have their own."""
    run: list[str] = []
    for block in blocks:
        if not _has_columns(block):
            run.append(element(sheet, block))
            continue
        if run:
            yield _section(sheet, run)
            run = []
        yield _edge(sheet, block, is_start=True)
        if block.type == "snippet":
            yield from sections(sheet, _snippet(block))
        else:
            yield _columns(sheet, block)
        yield _edge(sheet, block, is_start=False)
    if run:
        yield _section(sheet, run)


def element(sheet: Sheet, block: Block) -> str:
    """One block inside a column."""
    if block.type == "snippet":
        inner = "".join(element(sheet, each) for each in _snippet(block))
    else:
        inner = _written(sheet, block)
    return _edge(sheet, block, is_start=True) + inner + _edge(sheet, block, is_start=False)


def _written(sheet: Sheet, block: Block) -> str:
    sheet.block = block
    try:
        return WRITERS[block.type](sheet, block.values)
    except Wrong as wrong:
        sheet.problems[block.path] = str(wrong)
        return ""


def _edge(sheet: Sheet, block: Block, *, is_start: bool) -> str:
    code = (conditions.opening if is_start else conditions.closing)(block.show_when, block.repeat)
    return f"<mj-raw>{sheet.token(Edge(block, is_start, code))}</mj-raw>"


def _has_columns(block: Block) -> bool:
    if block.type == "snippet":
        return any(each.type == "columns" for each in _snippet(block))
    return block.type == "columns"


def _snippet(block: Block) -> Sequence[Block]:
    return block.columns[0].blocks if block.columns else ()


def _section(sheet: Sheet, elements: Sequence[str]) -> str:
    column = f"<mj-column>{''.join(elements)}</mj-column>"
    return f'<mj-section background-color="{sheet.settings.surface}" padding="0">{column}</mj-section>'


def _columns(sheet: Sheet, block: Block) -> str:
    values = block.values
    shares = _shares([column.width for column in block.columns])
    inner = "".join(
        f'<mj-column width="{share}%" vertical-align="{values["valign"]}">'
        + "".join(element(sheet, each) for each in column.blocks)
        + "</mj-column>"
        for share, column in zip(shares, block.columns, strict=True)
    )
    if not values["stacks"]:
        inner = f"<mj-group>{inner}</mj-group>"
    background = values["background"] or sheet.settings.surface
    return f'<mj-section background-color="{background}" padding="{values["padding"]}px 0">{inner}</mj-section>'


def _shares(widths: Sequence[int]) -> list[float]:
    """Percentages that fill the line: 0 shares what the others leave, too much is made to fit."""
    unsaid = widths.count(0)
    said = sum(widths)
    rest = max(100 - said, 10 * unsaid) / unsaid if unsaid else 0
    full = [float(width or rest) for width in widths]
    total = sum(full)
    return [round(100 * each / total, 2) for each in full] if total > 100 or not unsaid else full


# --- one function per block --------------------------------------------------------------------------


def _around(values: Mapping[str, Any], *, side: int = SIDE) -> str:
    """Attributes that every element shares."""
    background = f' container-background-color="{values["background"]}"' if values.get("background") else ""
    align = f' align="{values["align"]}"' if values.get("align") else ""
    return f' padding="{values.get("padding", 0)}px {side}px"{align}{background}'


def _text(sheet: Sheet, values: Mapping[str, Any], inner: str, *, size: int, more: str = "") -> str:
    color = values.get("color") or sheet.settings.text_color
    return (
        f'<mj-text{_around(values)} color="{color}" font-size="{size}px" line-height="1.5"{more}>'
        f"{sheet.token(inner)}</mj-text>"
    )


def _link(address: str, inner: str, color: str) -> str:
    style = f"color:{color};text-decoration:underline"
    return f'<a href="{words.escaped(address)}" target="_blank" style="{style}">{inner}</a>'


def heading(sheet: Sheet, values: Mapping[str, Any]) -> str:
    level = values["level"]
    size = HEADINGS[level]
    inner = (
        f'<h{level} style="margin:0;font-size:{size}px;line-height:1.25">{words.escaped(values["text"])}</h{level}>'
    )
    return _text(sheet, values, inner, size=size, more=' font-weight="700"')


def text(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return _text(sheet, values, rich.written(values["text"], sheet.settings.link_color), size=values["size"])


def _button(sheet: Sheet, values: Mapping[str, Any], label: str, color: str, *, corner: int, is_wide: bool) -> str:
    width = ' width="100%"' if is_wide else ""
    return (
        f'<mj-button href="{sheet.text(values["href"])}" background-color="{values["fill"]}" color="{color}"'
        f' border-radius="{corner}px" font-size="16px" font-weight="700" inner-padding="12px 24px"'
        f"{width}{_around(values)}>{sheet.text(label)}</mj-button>"
    )


def button(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return _button(
        sheet, values, values["label"], values["color"], corner=values["corner"], is_wide=values["is_wide"]
    )


def image(sheet: Sheet, values: Mapping[str, Any]) -> str:
    href = f' href="{sheet.text(values["href"])}"' if values.get("href") else ""
    width = f' width="{values["width"]}px"' if values.get("width") else ""
    alt = "" if values.get("is_decorative") else sheet.text(values["alt"])
    corner = f' border-radius="{values["corner"]}px"' if values.get("corner") else ""
    return f'<mj-image src="{sheet.text(values["src"])}" alt="{alt}"{href}{width}{corner}{_around(values)}/>'


def product(sheet: Sheet, values: Mapping[str, Any]) -> str:
    """Picture, name, description, prices and button, one below the other."""
    close = {**values, "padding": min(values["padding"], 8)}
    title = words.escaped(values["title"])
    if values["href"]:
        title = _link(values["href"], title, sheet.settings.text_color)
    parts = [f'<div style="font-weight:700;font-size:18px">{title}</div>']
    if values["description"]:
        parts.append(f"<div>{words.lines(values['description'])}</div>")
    prices = []
    if values["old_price"]:
        prices.append(f"<s>{words.escaped(values['old_price'])}</s>")
    if values["price"]:
        prices.append(f"<strong>{words.escaped(values['price'])}</strong>")
    parts += [f"<div>{' '.join(prices)}</div>"] if prices else []
    written = image(sheet, values) if values["src"] else ""
    written += _text(sheet, close, "".join(parts), size=16)
    if values["label"] and values["href"]:
        written += _button(sheet, values, values["label"], values["label_color"], corner=6, is_wide=False)
    return written


def divider(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return (
        f'<mj-divider border-color="{values["color"]}" border-width="{values["thickness"]}px"'
        f' width="{values["width"]}%"{_around(values)}/>'
    )


def spacer(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return f'<mj-spacer height="{values["height"]}px"{_around(values, side=0)}/>'


def menu(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return _links(sheet, values, [(item["label"], item["href"]) for item in values["items"]])


def social(sheet: Sheet, values: Mapping[str, Any]) -> str:
    """Places by their names: pictures of them would have to come from somebody's server, and are often blocked."""
    return _links(sheet, values, [(NETWORK_NAMES[item["network"]], item["href"]) for item in values["items"]])


def _links(sheet: Sheet, values: Mapping[str, Any], links: Sequence[tuple[str, str]]) -> str:
    color = values["color"] or sheet.settings.link_color
    shown = [_link(address, words.escaped(label), color) for label, address in links]
    return _text(sheet, values, " &nbsp;·&nbsp; ".join(shown), size=15)


def footer(sheet: Sheet, values: Mapping[str, Any]) -> str:
    color = values["color"] or sheet.settings.text_color
    parts = [words.lines(values["note"])] if values["note"] else []
    parts.append(words.lines(values["address"]))
    if values["unsubscribe"]:
        parts.append(_link("{{ unsubscribe_url }}", words.escaped(values["unsubscribe"]), color))
    return _text(sheet, values, "".join(f'<div style="margin:0 0 6px">{part}</div>' for part in parts), size=13)


def code(sheet: Sheet, values: Mapping[str, Any]) -> str:
    return foreign(sheet, values["html"])


def foreign(sheet: Sheet, source: str) -> str:
    """HTML of somebody else, cleaned, as wide as the mail."""
    done = cleaning.cleaned(source)
    return _foreign(sheet, done.html, done.css, done.told())


def imported(sheet: Sheet, values: Mapping[str, Any]) -> str:
    if values["html"]:
        return foreign(sheet, values["html"])
    done = mjml.compiled(values["mjml"])
    return _foreign(sheet, done.html, done.css, done.told)


def _foreign(sheet: Sheet, inner: str, css: str, told: Sequence[str]) -> str:
    assert sheet.block is not None
    sheet.css += [css] if css else []
    sheet.taken_out += [(sheet.block, sentence) for sentence in told]
    return f'<mj-text padding="0" color="{sheet.settings.text_color}" font-size="16px">{sheet.token(inner)}</mj-text>'


NETWORK_NAMES = {name.lower(): name for name in NETWORKS}

WRITERS: dict[str, Callable[[Sheet, Mapping[str, Any]], str]] = {
    "heading": heading,
    "text": text,
    "button": button,
    "image": image,
    "product": product,
    "divider": divider,
    "spacer": spacer,
    "menu": menu,
    "social": social,
    "footer": footer,
    "imported": imported,
    "code": code,
}
