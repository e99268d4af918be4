"""Tables as CSV files."""

from __future__ import annotations

import csv

from django.http import HttpResponse

from common.charts import Table

# A spreadsheet would run a cell that starts so as a formula (OWASP, CSV injection).
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe(value: object) -> object:
    """Text that a spreadsheet takes for text; numbers stay numbers."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS):
        return f"'{value}"
    return value


def csv_response(table: Table, name: str) -> HttpResponse:
    """The table as a download called `name`.csv, with a byte order mark so that Excel reads UTF-8."""
    response = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    writer = csv.writer(response)
    writer.writerow([column.title for column in table.columns])
    writer.writerows([[safe(cell.value) for cell in row] for row in table.rows])
    return response
