"""Pack the Online Retail data set into the compact form that the demo carries.

Usage: python tools/pack_retail.py online_retail.csv.gz marketing_site/demo/retail.xz

Source: UCI Machine Learning Repository, "Online Retail" (Chen, Sain, Guo 2012), CC BY 4.0. Guest lines (no
customer) are left out. Columns instead of rows: prices as an index into each product's few prices, products
numbered by how often they sell, lines of an invoice sorted, so that LZMA finds what repeats.
"""

from __future__ import annotations

import csv
import gzip
import lzma
import sys
from collections import Counter, defaultdict
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

EPOCH = datetime(2010, 12, 1)
Line = tuple[str, int, int]


def read(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, str]]:
    """Invoices by number and product names by code."""
    invoices: dict[str, dict[str, Any]] = {}
    names: dict[str, str] = {}
    with gzip.open(path, "rt", encoding="utf-8", errors="replace", newline="") as file:
        for row in csv.DictReader(file):
            if not row["CustomerID"]:
                continue
            invoice = invoices.setdefault(
                row["InvoiceNo"],
                {
                    "customer": int(float(row["CustomerID"])),
                    "country": row["Country"],
                    "at": datetime.fromisoformat(row["InvoiceDate"]),
                    "lines": [],
                },
            )
            code = row["StockCode"].upper()
            names.setdefault(code, " ".join(row["Description"].split()))
            invoice["lines"].append((code, int(row["Quantity"]), round(float(row["UnitPrice"]) * 100)))
    return invoices, names


def pack(invoices: dict[str, dict[str, Any]], names: dict[str, str]) -> dict[str, Any]:
    """The document the demo reads (marketing_site/demo/retail.py)."""
    sales = Counter(code for invoice in invoices.values() for code, _, _ in invoice["lines"])
    codes = [code for code, _ in sales.most_common()]
    number = {code: index for index, code in enumerate(codes)}
    prices: dict[str, Counter[int]] = defaultdict(Counter)
    for invoice in invoices.values():
        for code, _, price in invoice["lines"]:
            prices[code][price] += 1
    price_lists = {code: [price for price, _ in prices[code].most_common()] for code in codes}
    countries = sorted({invoice["country"] for invoice in invoices.values()})
    ordered = sorted(invoices.items(), key=lambda item: (item[1]["at"], item[0]))
    document: dict[str, Any] = {
        "countries": countries,
        "codes": codes,
        "names": [names[code] for code in codes],
        "prices": [price_lists[code] for code in codes],
        "invoice": [],
        "customer": [],
        "country": [],
        "minutes": [],
        "line_count": [],
        "product": [],
        "quantity": [],
        "price": [],
    }
    for invoice_number, invoice in ordered:
        lines: list[Line] = sorted(invoice["lines"], key=lambda line: number[line[0]])
        document["invoice"].append(invoice_number)
        document["customer"].append(invoice["customer"])
        document["country"].append(countries.index(invoice["country"]))
        document["minutes"].append(int((invoice["at"] - EPOCH).total_seconds() // 60))
        document["line_count"].append(len(lines))
        previous = 0
        for code, quantity, price in lines:
            document["product"].append(number[code] - previous)
            previous = number[code]
            document["quantity"].append(quantity)
            document["price"].append(price_lists[code].index(price))
    return document


def main() -> None:
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    document = pack(*read(source))
    target.write_bytes(lzma.compress(msgspec.msgpack.encode(document), preset=9 | lzma.PRESET_EXTREME))
    print(
        f"{len(document['invoice']):,} invoices, {len(document['product']):,} lines, {target.stat().st_size:,} bytes"
    )


if __name__ == "__main__":
    main()
