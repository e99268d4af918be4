"""What a number should be, and how it stands against that."""

from __future__ import annotations

# Above 1 every customer brings more than one other; below 1.2 growth by invitation fades with the first bad month.
HEALTHY_K, CRITICAL_K = 1.2, 1.0


def level_of_k(coefficient: float | None) -> str:
    """How K stands, as a badge; "" when nobody invited."""
    if coefficient is None:
        return ""
    return "good" if coefficient >= HEALTHY_K else "warning" if coefficient >= CRITICAL_K else "critical"


def number(value: float | None) -> str:
    """Two decimals, or a dash for nothing."""
    return "–" if value is None else f"{value:.2f}"
