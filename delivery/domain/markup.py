"""HTML of a template taken apart without disturbing its placeholders: links, text, pixel, preheader.

Jinja2's own lexer finds the placeholders; they are swapped for single private-use characters, so what scans
the HTML never meets a quote or a bracket that belongs to an expression.
"""

from __future__ import annotations

import html
import re

from delivery.domain.sandbox import PLAIN

TAG = re.compile(r"<([a-zA-Z][\w:-]*)")
ATTRIBUTE = re.compile(r"""([^\s"'<>/=]+)(?:\s*=\s*("[^"]*"|'[^']*'|[^\s"'>]+))?|[\s/"'=<]+""")
TEXT_LINK = re.compile(r"""https?://[^\s<>()"'\]]+[^\s<>()"'\].,;:!?]""")
SCHEME = re.compile(r"\s*([a-zA-Z][a-zA-Z0-9+.-]*)\s*:")
BODY_START = re.compile(r"<body\b[^>]*>", re.IGNORECASE)
BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
LINK_TAGS = {"a", "area"}
WEB_SCHEMES = {"http", "https"}
KEPT_SCHEMES = {"mailto", "tel", "sms"}
FIRST_MARK = 0xF0000  # Supplementary Private Use Area-A: 65 000 placeholders
MOST_PLACEHOLDERS = 60_000
MARK = re.compile(f"[{chr(FIRST_MARK)}-{chr(FIRST_MARK + MOST_PLACEHOLDERS)}]")
HIDDEN = "display:none;max-height:0;max-width:0;overflow:hidden;opacity:0;mso-hide:all"


class Placeholders:
    """A template whose placeholders are single characters, and the way back."""

    def __init__(self, source: str) -> None:
        self.pieces: list[str] = []
        self.text = "".join(self._parts(source))

    def _parts(self, source: str) -> list[str]:
        parts: list[str] = []
        inside: list[str] = []
        for _, kind, value in PLAIN.lex(source):
            if kind == "data" and not inside:
                parts.append(value)
                continue
            inside.append(value)
            if kind.endswith(("_end", "comment_end")) and kind != "raw_begin":
                parts.append(self.mark("".join(inside)))
                inside = []
        if inside:
            parts.append(self.mark("".join(inside)))
        return parts

    def mark(self, piece: str) -> str:
        """A character that stands for `piece`."""
        if len(self.pieces) >= MOST_PLACEHOLDERS:
            raise ValueError("too many placeholders")
        self.pieces.append(piece)
        return chr(FIRST_MARK + len(self.pieces) - 1)

    def piece(self, character: str) -> str | None:
        index = ord(character) - FIRST_MARK
        return self.pieces[index] if 0 <= index < len(self.pieces) else None

    def restore(self, text: str) -> str:
        """Every mark as its piece again."""
        return MARK.sub(lambda mark: mark[0] if (piece := self.piece(mark[0])) is None else piece, text)


# Pages of ours that a link leads to as it is: who wants to leave is not counted first.
OWN_PAGES = ("unsubscribe_url", "preferences_url")


class BadLink(ValueError):
    """A link that must not be sent; the argument says why."""


def with_tracked_links(source: str) -> str:
    """HTML whose http and https links go through `_click(…)` at rendering. Raises `BadLink`."""
    held = Placeholders(source)
    text, output, position = held.text, [], 0
    for start, end in _link_values(text):
        value = text[start:end]
        quote = value[0] if value[:1] in "\"'" else ""
        call = _tracked(held, html.unescape(value.strip(quote) if quote else value))
        if call is not None:
            output += [text[position:start], f'"{held.mark(call)}"']
            position = end
    return held.restore("".join([*output, text[position:]]))


def text_with_tracked_links(source: str) -> str:
    """Plain text whose bare http and https links go through `_click_in_text(…)`."""
    held = Placeholders(source)

    def replaced(match: re.Match[str]) -> str:
        call = _tracked(held, match[0], "_click_in_text")
        return match[0] if call is None else held.mark(call)

    return held.restore(TEXT_LINK.sub(replaced, held.text))


def _link_values(text: str) -> list[tuple[int, int]]:
    """Where the values of `href` of links stand. One pass, linear in the text."""
    found: list[tuple[int, int]] = []
    position = 0
    while tag := TAG.search(text, position):
        position = tag.end()
        while (part := ATTRIBUTE.match(text, position)) and part.end() > position:
            if part[2] and part[1].lower() == "href" and tag[1].lower() in LINK_TAGS:
                found.append(part.span(2))
            position = part.end()
            if part[1] is None and "<" in part[0]:
                break
    return found


def _tracked(held: Placeholders, link: str, function: str = "_click") -> str | None:
    """`{{ _click(…) }}` for a link, or None for one that stays as it is."""
    scheme = SCHEME.match(link)
    if scheme and scheme[1].lower() not in WEB_SCHEMES | KEPT_SCHEMES:
        raise BadLink(f"a link may not begin with “{scheme[1]}:”")
    is_dynamic = bool(link.strip()) and held.piece(link.strip()[0]) is not None
    if not is_dynamic and not (scheme and scheme[1].lower() in WEB_SCHEMES):
        return None
    arguments = []
    for literal in re.split(f"([{chr(FIRST_MARK)}-{chr(FIRST_MARK + MOST_PLACEHOLDERS)}])", link.strip()):
        piece = held.piece(literal) if len(literal) == 1 else None
        if piece is None:
            arguments += [_quoted(literal)] if literal else []
        elif piece.startswith("{{"):
            arguments.append("(" + piece[2:-2].strip("-+") + ")")
        elif not piece.startswith("{#"):
            raise BadLink("put a condition around the whole link, not inside its address")
    if len(arguments) == 1 and arguments[0].strip("() ") in OWN_PAGES:
        return None
    return "{{ " + function + "(" + " ~ ".join(arguments) + ") }}"


def _quoted(text: str) -> str:
    """`text` as a string literal of Jinja2, which reads escapes as Python does."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    # Braces in pairs would end the placeholder this literal stands in.
    return '"' + escaped.replace("{", "\\x7b").replace("}", "\\x7d").replace("%", "\\x25") + '"'


def with_pixel(source: str) -> str:
    """HTML with the open pixel as its last element."""
    pixel = '<img src="{{ _pixel }}" width="1" height="1" alt="" style="display:block;border:0">'
    return _before_body_end(source, pixel)


def with_trap(source: str) -> str:
    """HTML with a link that no person sees and no keyboard reaches: only programs that follow all links do."""
    trap = '<a href="{{ _trap }}" style="display:none" aria-hidden="true" tabindex="-1"></a>'
    return _before_body_end(source, trap)


def with_preheader(source: str, preheader: str) -> str:
    """HTML with the preheader as its first, hidden text."""
    if not preheader:
        return source
    held = Placeholders(source)
    hidden = f'<div style="{HIDDEN}">{preheader}</div>'
    start = BODY_START.search(held.text)
    position = start.end() if start else 0
    return held.restore(held.text[:position]) + hidden + held.restore(held.text[position:])


def with_way_out(source: str) -> str:
    """HTML of a marketing message that forgot its unsubscribe link, with one."""
    style = "font:12px sans-serif;color:#666;text-align:center;margin:24px 0"
    links = (
        '<a href="{{ unsubscribe_url }}">Unsubscribe</a> · <a href="{{ preferences_url }}">Choose what you get</a>'
    )
    return _before_body_end(source, f'<p style="{style}">{links}</p>')


def text_with_way_out(source: str) -> str:
    links = "Unsubscribe: {{ unsubscribe_url }}\nChoose what you get: {{ preferences_url }}\n"
    return f"{source.rstrip()}\n\n--\n{links}"


def _before_body_end(source: str, piece: str) -> str:
    held = Placeholders(source)
    ends = list(BODY_END.finditer(held.text))
    position = ends[-1].start() if ends else len(held.text)
    return held.restore(held.text[:position]) + piece + held.restore(held.text[position:])
