"""What a marketer fills in for a block: told to forms in the shape that segment conditions use, and read by it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from campaigns.domain.blocks import cleaning, rich, words
from campaigns.domain.blocks.words import Wrong
from common import inputs
from common.inputs import Choice

InputType = Literal["text", "rich", "code", "url", "image", "color", "whole", "boolean", "choice", "rows", "snippet"]

COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
SLUG = re.compile(r"[-a-zA-Z0-9_]{1,100}")
LONGEST = {"text": 2_000, "rich": 20_000, "code": 200_000, "url": 2_000, "image": 2_000}
MOST_ROWS = 20


@dataclass(frozen=True)
class Input:
    """One value of a block. `name` is its key in the block's JSON; `rows` are objects with `inputs` of their own.

    `least` and `most` bound a whole number.
    """

    name: str
    type: InputType
    label: str
    is_required: bool = False
    default: Any = None
    choices: tuple[Choice, ...] = ()
    least: int = 0
    most: int = 0
    inputs: tuple[Input, ...] = ()
    help: str = ""


def described(given: Input) -> dict[str, Any]:
    """The input as plain JSON."""
    told = inputs.described(given)
    if given.type == "whole":
        told |= {"least": given.least, "most": given.most}
    if given.type in LONGEST:
        told["longest"] = LONGEST[given.type]
    if given.inputs:
        told |= {"inputs": [described(each) for each in given.inputs], "most": MOST_ROWS}
    if given.help:
        told["help"] = given.help
    return told


def read(given: Input, raw: Any, path: str, problems: dict[str, str]) -> Any:
    """The value as writers take it; what is wrong goes to `problems` under its path, and the default comes back."""
    if raw is None or (raw == "" and given.type != "boolean"):
        if given.is_required:
            problems[path] = f"{given.label} is missing."
        return given.default if given.default is not None else EMPTY.get(given.type)
    if given.type == "rows":
        return _rows(given, raw, path, problems)
    try:
        return READERS[given.type](given, raw)
    except Wrong as wrong:
        problems[path] = str(wrong)
        return given.default if given.default is not None else EMPTY.get(given.type)


EMPTY: dict[str, Any] = {
    "text": "", "rich": "", "code": "", "url": "", "image": "", "color": "", "choice": "", "snippet": "",
    "rows": (), "whole": 0, "boolean": False,
}  # fmt: skip


def read_all(inputs: tuple[Input, ...], raw: dict[str, Any], path: str, problems: dict[str, str]) -> dict[str, Any]:
    """Every input of an object by name."""
    return {each.name: read(each, raw.get(each.name), f"{path}.{each.name}", problems) for each in inputs}


def _rows(given: Input, raw: Any, path: str, problems: dict[str, str]) -> tuple[dict[str, Any], ...]:
    if not isinstance(raw, list):
        problems[path] = f"{given.label} must be a list."
        return ()
    if len(raw) > MOST_ROWS:
        problems[path] = f"{given.label} has at most {MOST_ROWS} entries."
        return ()
    rows = []
    known = {each.name for each in given.inputs}
    for index, row in enumerate(raw):
        place = f"{path}[{index}]"
        if not isinstance(row, dict):
            problems[place] = f"An entry is an object with {', '.join(sorted(known))}."
            continue
        for name in sorted(map(str, row.keys() - known)):
            problems[f"{place}.{name}"] = f"There is no such field; an entry has {', '.join(sorted(known))}."
        rows.append(read_all(given.inputs, row, place, problems))
    return tuple(rows)


def _text(given: Input, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Wrong(f"{given.label} must be a text.")
    if len(raw) > LONGEST[given.type]:
        raise Wrong(f"{given.label} has at most {LONGEST[given.type]:,} characters.")
    words.check_characters(raw)
    if given.type == "code":
        words.check_template(cleaning.tamed(raw))
        return raw
    text = rich.normal(raw) if given.type == "rich" else raw
    words.check_placeholders(text)
    return text


def _address(given: Input, raw: Any) -> str:
    address = _text(given, raw).strip()
    words.check_address(address, is_image=given.type == "image")
    return address


def _color(given: Input, raw: Any) -> str:
    if not isinstance(raw, str) or not COLOR.fullmatch(raw):
        raise Wrong(f"{given.label} must be a colour such as #1f2937.")
    return raw.lower()


def _whole(given: Input, raw: Any) -> int:
    if not isinstance(raw, int) or isinstance(raw, bool) or not given.least <= raw <= given.most:
        raise Wrong(f"{given.label} must be a whole number from {given.least} to {given.most}.")
    return raw


def _boolean(given: Input, raw: Any) -> bool:
    if not isinstance(raw, bool):
        raise Wrong(f"{given.label} must be true or false.")
    return raw


def _choice(given: Input, raw: Any) -> str:
    names = [choice.name for choice in given.choices]
    if not isinstance(raw, str) or raw not in names:
        raise Wrong(f"{given.label} must be one of {', '.join(names)}.")
    return raw


def _slug(given: Input, raw: Any) -> str:
    if not isinstance(raw, str) or not SLUG.fullmatch(raw):
        raise Wrong(f"{given.label} is named by its slug, such as footer-uk.")
    return raw


READERS: dict[str, Callable[[Input, Any], Any]] = {
    "text": _text,
    "rich": _text,
    "code": _text,
    "url": _address,
    "image": _address,
    "color": _color,
    "whole": _whole,
    "boolean": _boolean,
    "choice": _choice,
    "snippet": _slug,
}
