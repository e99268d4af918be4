"""Patterns and suggestions as background work: asked for, computed in one transaction, kept as rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from django.db import IntegrityError, OperationalError, connection, transaction

from common import clock, doorbell, tenancy
from common.models import WorkStatus
from segments.models import Analysis, AnalysisKind, Finding
from segments.patterns import contrasts, facts, gallery, grid, groups, meaning, metrics, predicted
from segments.patterns.found import Found, Missing, Outcome
from segments.patterns.meaning import Meaning
from segments.rules import catalogue

logger = logging.getLogger(__name__)

Computed = tuple[list[Outcome], dict[str, Any]]
# Only who has ever sent an event has anything to look at.
ASK_EVERYBODY_SQL = """
INSERT INTO segments_analysis (organization_id, kind, status, run_at, error, summary)
SELECT known.organization_id, kind, 'pending', %(now)s, '', '{}'
FROM (SELECT DISTINCT organization_id FROM audience_eventdefinition) known
CROSS JOIN unnest(%(kinds)s::text[]) kind
ON CONFLICT (organization_id, kind) DO UPDATE SET status = 'pending', run_at = excluded.run_at"""


def request(kind: AnalysisKind) -> Analysis:
    """Have it computed in the background. Asked while it is being computed, it is computed once more after that."""
    with transaction.atomic():
        analysis, _ = Analysis.objects.update_or_create(
            kind=kind, defaults={"status": WorkStatus.PENDING, "run_at": clock.now()}
        )
        doorbell.ring("analyses")
    return analysis


def request_everywhere() -> int:
    """The nightly round: both analyses of every organisation with events. Returns how many were asked for."""
    with tenancy.engine(), connection.cursor() as cursor:
        cursor.execute(ASK_EVERYBODY_SQL, {"now": clock.now(), "kinds": list(AnalysisKind.values)})
        asked: int = cursor.rowcount
    return asked


def organizations_due() -> list[int]:
    return doorbell.organizations_with("segments_analysis", "status = 'pending'")


def run(organization_id: int) -> int:
    """WORK `analyses`: compute whatever was asked for; returns how many."""
    worked = 0
    with tenancy.organization(organization_id):
        for kind in (
            Analysis.objects.filter(status=WorkStatus.PENDING).order_by("kind").values_list("kind", flat=True)
        ):
            worked += _try(AnalysisKind(kind))
    return worked


def _try(kind: AnalysisKind) -> int:
    try:
        with transaction.atomic():
            analysis = Analysis.objects.filter(kind=kind, status=WorkStatus.PENDING).first() if _claim(kind) else None
            if analysis is None:
                return 0
            _keep(analysis, *COMPUTE[kind](meaning.load()))
    except (OperationalError, IntegrityError):
        raise  # the server went away, or somebody wrote beside us: the sweep rings again
    except Exception as error:
        logger.error("The analysis of %s could not be computed", kind, exc_info=error)
        Analysis.objects.filter(kind=kind).update(status=WorkStatus.FAILED, error=str(error)[:2000])
    return 1


def _claim(kind: AnalysisKind) -> bool:
    """By an advisory lock and not by the row's: whoever asks again meanwhile must not wait for minutes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, %s))",
            [f"segments.analyses.{kind}", tenancy.required()],
        )
        return bool(cursor.fetchone()[0])


def patterns(said: Meaning) -> Computed:
    """Every ready pattern, and the RFM grid in the summary."""
    known = catalogue.load()
    if said.definition_id is None:
        return [], _summary(said, problem=_no_purchases(said))
    gathered = facts.gather(said)
    found = list(gallery.outcomes(gathered, known))
    squares = grid.compute(gathered)
    metrics.keep(gathered)
    return found, _summary(
        said,
        buyers=gathered.buyers,
        purchases=gathered.purchases,
        contacts=gathered.contacts,
        currency_note=gathered.currency.note,
        grid=None if isinstance(squares, str) else msgspec.to_builtins(squares),
        grid_problem=squares if isinstance(squares, str) else "",
    )


def suggestions(said: Meaning) -> Computed:
    """What sets those apart who reach the goal, groups of people who behave alike, and what models expect."""
    known = catalogue.load()
    compared = contrasts.compare(said, known)
    grouped = groups.find(said, known)
    outcomes = [*compared.outcomes, *predicted.find(said, known), *grouped.outcomes]
    found = [gallery.sized(outcome, known) for outcome in outcomes]
    return found, _summary(said, contrasts=compared.summary, clusters=grouped.summary)


COMPUTE: dict[AnalysisKind, Callable[[Meaning], Computed]] = {
    AnalysisKind.PATTERNS: patterns,
    AnalysisKind.SUGGESTIONS: suggestions,
}


def _summary(said: Meaning, **figures: Any) -> dict[str, Any]:
    return {"settings": said.as_json()} | figures


def _no_purchases(said: Meaning) -> str:
    if said.purchase_event:
        return f"No “{said.purchase_event}” has been sent yet; it is what the settings call a purchase."
    return "No event here looks like a purchase; say in the settings which one is."


def _keep(analysis: Analysis, outcomes: Sequence[Outcome], summary: dict[str, Any]) -> None:
    """Write what was found over what was found before; a finding that is still there keeps its draft."""
    found = [outcome for outcome in outcomes if isinstance(outcome, Found) and outcome.size]
    rows = [
        Finding(analysis=analysis, key=item.key, group=item.group, title=item.title, reason=item.reason,
                rule=item.rule, size=item.size, position=position, evidence=item.evidence)
        for position, item in enumerate(found)
    ]  # fmt: skip
    analysis.findings.exclude(key__in=[row.key for row in rows]).delete()
    Finding.objects.bulk_create(
        rows,
        update_conflicts=True,
        unique_fields=["analysis", "key"],
        update_fields=["group", "title", "reason", "rule", "size", "position", "evidence"],
    )
    told = [_told(item) for item in outcomes if item not in found]
    rows_of_it = Analysis.objects.filter(pk=analysis.pk)
    rows_of_it.update(error="", computed_at=clock.now(), summary=summary | {"missing": told})
    rows_of_it.filter(run_at=analysis.run_at).update(status=WorkStatus.DONE)  # unless it was asked for once more


def _told(outcome: Outcome) -> dict[str, str]:
    reason = outcome.reason if isinstance(outcome, Missing) else f"Nobody at the moment. {outcome.reason}"
    return {"group": outcome.group, "title": outcome.title, "reason": reason}
