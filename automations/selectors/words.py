"""Names of steps and what their records say, as people read them."""

from __future__ import annotations

from collections.abc import Collection

from automations import workflows
from automations.models import StepOutcome, StepRun
from automations.selectors.reports import WAYS, step_sentence


def step_names(places: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """(version id, step id) → the step in words, of those whose version can be read and has the step."""
    ready = workflows.load({version_id for version_id, _ in places})
    return {
        (version_id, step_id): step_sentence(ready[version_id].steps[step_id])
        for version_id, step_id in set(places)
        if version_id in ready and step_id in ready[version_id].steps
    }


def note(record: StepRun) -> str:
    """What a record adds to its outcome: the branch, the reason, where somebody came from."""
    detail = record.detail
    if record.outcome == StepOutcome.BRANCHED:
        way = str(detail.get("branch", ""))
        return WAYS[way].lower() if way in WAYS else way
    if record.outcome == StepOutcome.MOVED:
        by = f", by {detail['by']}" if detail.get("by") else ""
        return f"from {detail.get('from_step')} of version {detail.get('from_version')}{by}"
    told = record.error or str(detail.get("reason", ""))
    return f"{told}, by {detail['by']}" if told and detail.get("by") else told
