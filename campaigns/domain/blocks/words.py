"""Words that marketers write into blocks: placeholders kept as they are, everything else escaped.

`{{ … }}` may stand in any text. `{% … %}` may not: conditions and loops are properties of blocks, because an
editor turns `<` into `&lt;` and HTML parsers take loops out of tables.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from jinja2.exceptions import TemplateSyntaxError

from delivery.domain import markup, template_rules
from delivery.domain.sandbox import PLAIN

# What no mail and no database can hold, and the private marks by which templates are taken apart.
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff\U000f0000-\U0010ffff]")
SCHEMES = markup.WEB_SCHEMES | markup.KEPT_SCHEMES
# A whole address may come from a value: it is checked when it is known. Marks stand for placeholders taken out.
PLACEHOLDER_START = re.compile(r"\{\{|" + markup.MARK.pattern)


class Wrong(ValueError):
    """A value that cannot stand in a mail; the argument is the sentence."""


def check_characters(text: str) -> None:
    """Raise `Wrong` for characters that cannot be stored or sent."""
    found = FORBIDDEN.search(text)
    if found:
        raise Wrong(f"The character U+{ord(found[0]):04X} cannot be sent; take it out.")


def pieces(text: str) -> Iterator[tuple[bool, str]]:
    """The text in order as (is a placeholder, piece). Raises `Wrong` when a placeholder is not closed."""
    inside: list[str] = []
    try:
        for _, kind, value in PLAIN.lex(text):
            if kind == "data" and not inside:
                yield False, value
                continue
            inside.append(value)
            if kind == "variable_end":
                yield True, "".join(inside)
                inside = []
            elif kind in ("block_begin", "raw_begin", "comment_begin", "comment"):
                raise Wrong("“{% … %}” and “{# … #}” do not work here; show or repeat the block by its own settings.")
    except TemplateSyntaxError as error:
        raise Wrong(f"A placeholder is not right: {error.message}") from error
    if inside:
        raise Wrong("A placeholder is not closed; it is written {{ contact.name }}.")


def check_placeholders(text: str) -> None:
    """Raise `Wrong` for `{% … %}` and for placeholders that cannot be read."""
    if "{" in text:
        for _ in pieces(text):
            pass
        check_template(text)


def check_template(text: str) -> None:
    """Raise `Wrong` when Jinja2 cannot read the text."""
    try:
        template_rules.parsed(text)
    except TemplateSyntaxError as error:
        raise Wrong(f"Line {error.lineno}: {error.message}") from error
    except RecursionError as error:
        raise Wrong("The placeholders nest too deep.") from error


def escaped(text: str) -> str:
    """The text for HTML, placeholders kept; also for values of attributes in double quotes."""
    if "{" not in text:
        return html.escape(text)
    return "".join(piece if is_placeholder else html.escape(piece) for is_placeholder, piece in pieces(text))


def lines(text: str) -> str:
    """Several lines for HTML."""
    return "<br>".join(escaped(line) for line in text.splitlines())


def check_address(address: str, *, is_image: bool) -> None:
    """Raise `Wrong` for an address that would run something or lead nowhere."""
    start = html.unescape(re.sub(r"\s", "", address))
    scheme = markup.SCHEME.match(start)
    allowed = markup.WEB_SCHEMES if is_image else SCHEMES
    if scheme and scheme[1].lower() not in allowed:
        raise Wrong(f"An address may not begin with “{scheme[1][:20]}:”; it begins with https://.")
    if not scheme and ":" in re.split(r"[/?#]", start, maxsplit=1)[0] and not PLACEHOLDER_START.match(start):
        raise Wrong("An address begins with https://, not with something that only a contact's values make whole.")
