"""Reads the JSON configuration of a plug-in into its struct, and says in plain words where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec

from common.errors import Invalid

Configuration = TypeVar("Configuration", bound=msgspec.Struct)
# Reports that a field cannot be used: `wrong("template_id", "there is no template 1")`.
Wrong = Callable[[str, str], None]

WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "null": "nothing",
}
MISSING = re.compile(r"Object missing required field `(?P<field>.+?)`(?: - at `\$(?P<at>.*)`)?$")
UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.+?)`(?: - at `\$(?P<at>.*)`)?$")
EXPECTED = re.compile(
    r"Expected `(?P<wanted>.+?)`(?P<bound>[^,]*?)(?:, got `(?P<got>.+?)`)?(?: - at `\$(?P<at>.*)`)?$"
)
GENERAL = re.compile(r"(?P<text>.+?)(?: - at `\$(?P<at>.*)`)?$")


class Mistake(Invalid):
    """A configuration that cannot be read: `place` below it (`.template_id`) and the sentence."""

    def __init__(self, place: str, sentence: str) -> None:
        super().__init__(f"{place.lstrip('.')}: {sentence}" if place else sentence)
        self.place = place
        self.sentence = sentence


def says(
    title: str, help: str = "", *, type: str = "", examples: list[Any] | None = None, **extra: Any
) -> msgspec.Meta:
    """What the catalogue tells of a field: for `Annotated[int, says("Template", type="template")]`.

    `type` stands in for the one that follows from the annotation; `extra` as `catalogue.field` reads it.
    """
    told = extra | ({"type": type} if type else {})
    return msgspec.Meta(title=title, description=help or None, examples=examples, extra=told or None)


# Of every trigger: which of the contacts that it names may enter.
Filter = Annotated[
    dict[str, Any] | None,
    says("Only contacts who", "Left empty, everybody enters whom the trigger names.", type="rule"),
]


def read(struct: type[Configuration], raw: Any) -> Configuration:
    """`raw` as `struct`; raises `Mistake`."""
    try:
        return msgspec.convert(raw, struct)
    except msgspec.ValidationError as error:
        raise _mistake(str(error), struct) from error


def _mistake(text: str, struct: type[msgspec.Struct]) -> Mistake:
    if found := MISSING.match(text):
        return Mistake(f"{found['at'] or ''}.{found['field']}", "is missing")
    if found := UNKNOWN.match(text):
        known = ", ".join(struct.__struct_fields__) or "none"
        return Mistake(f"{found['at'] or ''}.{found['field']}", f"unknown field; known: {known}")
    if found := EXPECTED.match(text):
        sentence = f"must be {_plain(found['wanted'])}{found['bound'].replace('`', '')}"
        if found["got"]:
            sentence += f", not {_plain(found['got'])}"
        return Mistake(found["at"] or "", sentence)
    found = GENERAL.match(text)
    return Mistake((found["at"] or "") if found else "", found["text"] if found else text)


def _plain(types: str) -> str:
    words = [WORDS.get(word.strip(), word.strip()) for word in types.split("|")]
    return " or ".join(words)
