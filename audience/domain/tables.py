"""Files of people and events: CSV or JSON lines, plain or gzip, read row by row as plain data.

A cell that begins like a spreadsheet formula is data like any other. Only what we write for people to open
again is escaped (`safe_cell`).
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

import msgspec

from audience.domain.attributes import BOOLEAN, LIST, NUMBER, TEXT
from common.errors import Invalid

LONGEST_LINE = 1_000_000
NUMBER_FORM = re.compile(r"-?(0|[1-9]\d{0,14})(\.\d{1,12})?")
BOOLEANS = {"true": True, "false": False}
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """One row of a file; `number` counts from 1 without the header. `problem` says why it cannot be read."""

    number: int
    values: dict[str, Any]
    problem: str = ""


@dataclass
class Survey:
    """What a first pass over a file finds: its hash, how many rows, and a type per column of a CSV."""

    file_hash: str
    row_count: int = 0
    columns: list[str] = field(default_factory=list)
    types: dict[str, str] = field(default_factory=dict)


def safe_cell(value: object) -> str:
    """A cell that no spreadsheet runs as a formula (OWASP: CSV injection)."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def survey(path: Path) -> Survey:
    """Read the file once. Raises `Invalid` when it is neither CSV nor JSON lines."""
    with path.open("rb") as file:
        found = Survey(hashlib.file_digest(file, "sha256").hexdigest())
    columns: dict[str, None] = {}
    for row in read(path):
        found.row_count += 1
        for column, value in row.values.items():
            if isinstance(value, str) and value:
                found.types[column] = _wider(found.types.get(column), _looks_like(value))
        if not row.problem:
            columns.update(dict.fromkeys(row.values))
    found.columns = list(columns)
    if any("\x00" in column for column in found.columns):
        raise Invalid(f"{path.name} is not proper text: the name of a column holds a NUL character.")
    return found


def read(path: Path, after: int = 0) -> Iterator[Row]:
    """The rows after the first `after`, in order."""
    with _open(path) as file:
        try:
            first = file.read(1)
            file.seek(0)
            rows = _json_lines(file) if first in ("{", "[") else _csv(file)
            for row in rows:
                if row.number > after:
                    yield row
        except (UnicodeDecodeError, EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise Invalid(f"{path.name} cannot be read: {error}. It must be UTF-8 text, or gzip of it.") from error
        except csv.Error as error:
            raise Invalid(f"{path.name} is not proper CSV: {error}.") from error


def _open(path: Path) -> TextIO:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    raw = gzip.open(path, "rb") if is_gzip else path.open("rb")  # noqa: SIM115 — the wrapper closes it
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")  # type: ignore[arg-type]


def _csv(file: TextIO) -> Iterator[Row]:
    csv.field_size_limit(LONGEST_LINE)
    sample = file.readline()
    file.seek(0)
    delimiter = max(",;\t|", key=sample.count)
    reader = csv.reader(file, delimiter=delimiter)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise Invalid("The file is empty; a CSV needs a first line with the names of its columns.")
    if len(set(header)) != len(header):
        raise Invalid(
            f"Two columns have the same name: {', '.join(sorted(n for n in header if header.count(n) > 1))}."
        )
    number = 0
    for cells in reader:
        if not cells:
            continue
        number += 1
        problem = (
            "" if len(cells) == len(header) else f"The row has {len(cells)} cells; the header has {len(header)}."
        )
        yield Row(number, dict(zip(header, cells, strict=False)), problem)


def _json_lines(file: TextIO) -> Iterator[Row]:
    number = 0
    for line in file:
        if not line.strip():
            continue
        number += 1
        try:
            value = msgspec.json.decode(line)
        except (msgspec.DecodeError, RecursionError) as error:
            yield Row(number, {"line": line[:500]}, f"The line is not JSON: {error}")
            continue
        if isinstance(value, dict):
            yield Row(number, value)
        else:
            yield Row(number, {"line": line[:500]}, "The line is not a JSON object.")


def _looks_like(text: str) -> str:
    if NUMBER_FORM.fullmatch(text):
        return NUMBER
    return BOOLEAN if text.lower() in BOOLEANS else TEXT


def _wider(known: str | None, found: str) -> str:
    return found if known in (None, found) else TEXT


def typed(text: str, kind: str) -> Any:
    """A CSV cell as the type of its attribute; text that does not fit stays text (and is refused by its type)."""
    if kind == NUMBER and NUMBER_FORM.fullmatch(text):
        return float(text) if "." in text else int(text)
    if kind == BOOLEAN and text.lower() in BOOLEANS:
        return BOOLEANS[text.lower()]
    if kind == LIST:
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def mapping(columns: list[str], given: Mapping[str, str], known: Mapping[str, str]) -> dict[str, str]:
    """Column → field: as given, else by the column's name in snake case when it is a known alias, else itself.

    A column mapped to nothing is left out. Raises `Invalid` for a mapped column that the file does not have.
    """
    missing = sorted(set(given) - set(columns))
    if missing:
        raise Invalid(f"The file has no column {', '.join(missing)}. It has: {', '.join(columns)}.")
    found = {}
    for column in columns:
        plain = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
        found[column] = given.get(column, known.get(plain, column))
    return {column: target for column, target in found.items() if target}
