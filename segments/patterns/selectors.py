"""Reads of patterns: what was computed when, what was found, who stands in a square of the grid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import connection

from audience.models import Contact
from common import clock, tenancy
from common.errors import NotFound
from common.models import WorkStatus
from segments.models import Analysis, AnalysisKind, Finding
from segments.patterns.grid import Grid
from segments.rules import catalogue, compiler, parser

SHOWN_PEOPLE = 50


@dataclass(frozen=True)
class Report:
    """The last computation of a kind. `findings` are in their order; `missing` says what there is not, and why."""

    kind: AnalysisKind
    status: str = ""
    computed_at: datetime | None = None
    error: str = ""
    findings: Sequence[Finding] = ()
    summary: dict[str, Any] | None = None

    @property
    def is_waiting(self) -> bool:
        return self.status == WorkStatus.PENDING

    @property
    def missing(self) -> list[dict[str, str]]:
        return list((self.summary or {}).get("missing", []))

    @property
    def grid(self) -> Grid | None:
        stored = (self.summary or {}).get("grid")
        return msgspec.convert(stored, Grid) if stored else None


def report(kind: AnalysisKind) -> Report:
    """What was found last, with the drafts made of it: two queries."""
    analysis = Analysis.objects.filter(kind=kind).first()
    if analysis is None:
        return Report(kind)
    findings = list(analysis.findings.select_related("segment").order_by("position", "pk"))
    return Report(kind, analysis.status, analysis.computed_at, analysis.error, findings, dict(analysis.summary or {}))


def finding(kind: AnalysisKind, key: str) -> Finding:
    """One finding by its key; raises `NotFound`."""
    row = Finding.objects.select_related("segment").filter(analysis__kind=kind, key=key).first()
    if row is None:
        raise NotFound(f"There is no “{key[:80]}” among the {kind}.")
    return row


@dataclass(frozen=True)
class People:
    """A page of the people a rule finds, the youngest first; `after` is where the next page begins."""

    total: int
    contacts: list[Contact]
    after: int | None


def people(rule_json: dict[str, Any], *, before_id: int | None = None) -> People:
    """Whom a rule finds now, SHOWN_PEOPLE at a time by id. Plan: the full build's SELECT, nothing written."""
    query = compiler.everybody(parser.parse(rule_json, catalogue.load()), tenancy.required(), clock.now())
    sql = f"""
WITH found AS MATERIALIZED (SELECT contact_id FROM ({query.sql}) verdict WHERE truth)
SELECT (SELECT count(*) FROM found),
       ARRAY(SELECT contact_id FROM found WHERE %(before)s::bigint IS NULL OR contact_id < %(before)s
             ORDER BY contact_id DESC LIMIT %(limit)s)"""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(sql, query.parameters | {"before": before_id, "limit": SHOWN_PEOPLE + 1})
        total, ids = cursor.fetchone()
    shown = ids[:SHOWN_PEOPLE]
    contacts = list(Contact.objects.filter(pk__in=shown).order_by("-pk"))
    return People(total, contacts, shown[-1] if len(ids) > SHOWN_PEOPLE else None)
