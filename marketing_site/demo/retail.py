"""Reads the packed retail history (tools/pack_retail.py made it; attribution in marketing_site/demo/README.md)."""

from __future__ import annotations

import lzma
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).with_name("retail.xz")
EPOCH = datetime(2010, 12, 1, tzinfo=UTC)
CURRENCY = "GBP"


@dataclass(frozen=True)
class Line:
    sku: str
    name: str
    quantity: int
    price_minor: int


@dataclass(frozen=True)
class Invoice:
    """One order, or one cancellation (its lines have negative quantities)."""

    number: str
    customer: int
    country: str
    happened_at: datetime
    lines: tuple[Line, ...]

    @property
    def is_cancellation(self) -> bool:
        return self.number.startswith("C")

    @property
    def total_minor(self) -> int:
        return sum(line.quantity * line.price_minor for line in self.lines)


def invoices(last_day: date) -> Iterator[Invoice]:
    """Every invoice of a known customer, oldest first, shifted by whole days so that the last falls on `last_day`."""
    document: dict[str, Any] = msgspec.msgpack.decode(lzma.decompress(FILE.read_bytes()))
    shift = timedelta(days=(last_day - (EPOCH + timedelta(minutes=document["minutes"][-1])).date()).days)
    lines = _lines(document)
    rows = zip(
        document["invoice"],
        document["customer"],
        document["country"],
        document["minutes"],
        document["line_count"],
        strict=True,
    )
    for number, customer, country, minutes, line_count in rows:
        yield Invoice(
            number=number,
            customer=customer,
            country=document["countries"][country],
            happened_at=EPOCH + timedelta(minutes=minutes) + shift,
            lines=tuple(islice(lines, line_count)),
        )


def _lines(document: dict[str, Any]) -> Iterator[Line]:
    starts = _starts(document["line_count"])
    product = 0
    columns = zip(document["product"], document["quantity"], document["price"], strict=True)
    for index, (step, quantity, price) in enumerate(columns):
        product = step if index in starts else product + step
        prices = document["prices"][product]
        yield Line(document["codes"][product], document["names"][product], quantity, prices[price])


def _starts(line_counts: list[int]) -> set[int]:
    # Products are stored as steps from the line before, anew in each invoice.
    return {0, *accumulate(line_counts)}
