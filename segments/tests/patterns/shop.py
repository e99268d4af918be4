"""A small shop's people and purchases, for exact values."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from audience.models import Contact
from common import tenancy
from common.models import WorkStatus
from segments.models import Analysis, AnalysisKind, Finding
from segments.patterns import analyses, selectors
from segments.tests.people import NOON, contact, definition, events

ORDER = "order_completed"


def shop(**properties: str) -> None:
    """The catalogue of a shop whose purchases have a total."""
    definition(ORDER, **({"total": "number"} | properties))


def people(count: int, **fields: Any) -> list[Contact]:
    return [contact(name=f"Person {number}", **fields) for number in range(count)]


def ago(days: float) -> datetime:
    return NOON - timedelta(days=days)


def buy(rows: list[tuple[Contact, float, float]], **properties: Any) -> None:
    """Purchases as (who, how many days ago, total)."""
    events([(who.pk, ORDER, ago(days), {"total": total} | properties) for who, days, total in rows])


def do(name: str, rows: list[tuple[Contact, float]], **properties: Any) -> None:
    """Events as (who, how many days ago)."""
    events([(who.pk, name, ago(days), properties) for who, days in rows])


def computed(kind: AnalysisKind = AnalysisKind.PATTERNS) -> dict[str, Finding]:
    """Ask, work, and give the findings by key."""
    analyses.request(kind)
    assert analyses.run(tenancy.required()) == 1
    analysis = Analysis.objects.get(kind=kind)
    assert (analysis.status, analysis.error) == (WorkStatus.DONE, "")
    return {finding.key: finding for finding in analysis.findings.order_by("position")}


def missing(title: str, kind: AnalysisKind = AnalysisKind.PATTERNS) -> str:
    """Why something is not there."""
    return {item["title"]: item["reason"] for item in selectors.report(kind).missing}[title]
