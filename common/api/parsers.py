"""JSON in, within limits: nesting and size are refused before a view sees them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from rest_framework.parsers import BaseParser

from common.errors import Invalid, TooLarge

MOST_BYTES = 2 * 1024 * 1024
# A rule of 20 groups, each an object with a list, fits inside a step inside a branch.
MOST_NESTING = 64


class StrictJSONParser(BaseParser):
    """Decodes UTF-8 JSON; refuses more than 2 MiB, more than 64 levels and NUL characters."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        body = stream.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise TooLarge(f"The body is larger than {MOST_BYTES // 1024} KiB.")
        return decode(body)


def decode(body: bytes) -> Any:
    """Decode a JSON document; raises `Invalid` saying where it breaks."""
    try:
        value = msgspec.json.decode(body or b"{}")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Invalid(f"The body is not valid JSON: {error}", code="malformed_json") from error
    _check(value, 0)
    return value


def _check(value: Any, depth: int) -> None:
    if depth > MOST_NESTING:
        raise Invalid(f"The body nests deeper than {MOST_NESTING} levels.", code="too_deep")
    if isinstance(value, str) and "\x00" in value:
        raise Invalid("The body holds a NUL character, which cannot be stored.", code="nul_character")
    if isinstance(value, dict):
        for key, item in value.items():
            _check(key, depth + 1)
            _check(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            _check(item, depth + 1)
