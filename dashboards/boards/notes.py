"""What a figure leaves out, in a sentence."""

from __future__ import annotations

from attribution.selectors import Totals
from common import money


def of_totals(totals: Totals) -> str:
    """Other currencies that are not in the sums, and conversions whose credit is still being drawn."""
    parts = [
        f"{item.count:,} {item.what} in {item.currency} worth {money.show(item.amount_minor, item.currency)}"
        " are not in these sums."
        for item in totals.left_out
    ]
    if totals.pending_conversions:
        parts.append(
            f"{totals.pending_conversions:,} orders are still being credited; figures may move for a moment."
        )
    return " ".join(parts)
