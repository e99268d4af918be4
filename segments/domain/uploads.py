"""A file of people: which column names them, and by what."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain

LONGEST_VALUE = 320
LARGEST_ID = 2**63 - 1
DELIMITERS = ",;\t|"


class By(StrEnum):
    """What names a contact."""

    ID = "id"
    EMAIL = "email"
    USER_ID = "user_id"


HEADERS = {
    "id": By.ID, "contact_id": By.ID, "lead_id": By.ID, "contact": By.ID,
    "email": By.EMAIL, "e-mail": By.EMAIL, "email_address": By.EMAIL, "mail": By.EMAIL,
    "user_id": By.USER_ID, "userid": By.USER_ID, "customer_id": By.USER_ID, "external_id": By.USER_ID,
}  # fmt: skip


def read(lines: Iterable[str]) -> Iterator[tuple[By, str]]:
    """The people a CSV names, line by line; empty lines are left out.

    With a header the best known column counts; without one the first column, each value by what it looks like:
    an e-mail address, digits (our id), or the client's own id. Raises `csv.Error` for what is no CSV.
    """
    rest = iter(lines)
    first = next(rest, "")
    table = csv.reader(chain([first], rest), delimiter=_delimiter(first))
    head = next(table, [])
    column, by = _named_column(head)
    for row in table if by else chain([head], table):
        value = row[column].strip() if column < len(row) else ""
        if value:
            yield _person(value, by)


def _delimiter(line: str) -> str:
    return max(DELIMITERS, key=line.count)


def _named_column(head: list[str]) -> tuple[int, By | None]:
    names = [name.strip().lower().replace(" ", "_") for name in head]
    for by in By:
        for place, name in enumerate(names):
            if HEADERS.get(name) is by:
                return place, by
    return 0, None


def _person(value: str, by: By | None) -> tuple[By, str]:
    value = value.replace("\x00", "")[:LONGEST_VALUE]
    by = by or _guess(value)
    if by is By.EMAIL:
        return by, value.lower()
    if by is By.ID and not _is_id(value):
        return By.USER_ID, value
    return by, value


def _guess(value: str) -> By:
    return By.EMAIL if "@" in value else By.ID if _is_id(value) else By.USER_ID


def _is_id(value: str) -> bool:
    return value.isascii() and value.isdigit() and len(value) < 20 and int(value) <= LARGEST_ID
