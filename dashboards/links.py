"""From a number to the rows behind it."""

from __future__ import annotations

from urllib.parse import urlencode

from django.urls import NoReverseMatch, reverse


def listing(label: str, **filters: object) -> str:
    """The admin's list of a model (`delivery.message`) with these filters; "" when it has no list."""
    try:
        address = reverse(f"admin:{label.replace('.', '_')}_changelist")
    except NoReverseMatch:
        return ""
    return f"{address}?{urlencode(filters)}" if filters else address


def row(label: str, pk: object) -> str:
    """The admin's page of one row; "" when there is none."""
    try:
        return reverse(f"admin:{label.replace('.', '_')}_change", args=[pk])
    except NoReverseMatch:
        return ""
