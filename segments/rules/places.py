"""The place of a problem in the tree, and how the parser refuses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from segments.rules import values

LONGEST_NAME = 200


class Refused(Exception):
    """One condition or group does not hold."""

    def __init__(self, path: str, sentence: str) -> None:
        super().__init__(f"{path}: {sentence}")
        self.path, self.sentence = path or "rule", sentence


def at(path: str, key: str) -> str:
    """The place of a key: `rules[2]` and `value` → `rules[2].value`."""
    return f"{path}.{key}" if path else key


def check_keys(raw: Mapping[str, Any], path: str, known: Iterable[str]) -> None:
    """Refuse keys that mean nothing here."""
    known = list(known)
    for key in sorted(map(str, raw.keys() - set(known))):
        raise Refused(at(path, key[:60]), f"unknown field; known: {', '.join(known)}")


def one_of(table: Mapping[str, Any], name: Any, path: str) -> str:
    """The name, when the table has it."""
    if isinstance(name, str) and name in table:
        return name
    raise Refused(path, f"unknown operator {values.shown(name)}; known: {', '.join(table)}")


def read_name(raw: Any, path: str) -> str:
    """The name of an event or a property."""
    try:
        text = values.read_text(raw)
    except values.Unfit as problem:
        raise Refused(path, str(problem)) from problem
    if len(text) > LONGEST_NAME:
        raise Refused(path, f"the name is longer than {LONGEST_NAME} characters")
    return text
