"""A small shop's people and purchases, for exact values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from audience.models import Contact
from segments.tests.people import NOON, contact, definition, events

ORDER = "order_completed"


def shop() -> None:
    """The catalogue of a shop whose purchases have a total, a currency and lines."""
    definition(ORDER, total="number", currency="text", lines="list", product="text")


def people(count: int, **fields: Any) -> list[Contact]:
    return [contact(name=f"Person {number}", **fields) for number in range(count)]


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def buy(rows: list[tuple[Contact, float, float]], **properties: Any) -> None:
    """(who, days ago, total)"""
    events([(who.pk, ORDER, ago(days), {"total": total} | properties) for who, days, total in rows])
