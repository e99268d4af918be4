"""Before a version is published: who stands where in the older ones, and where they could go on."""

from __future__ import annotations

from dataclasses import dataclass, field

from automations import workflows
from automations.models import Automation, AutomationVersion
from automations.selectors.counts import Inside, inside
from automations.selectors.reports import step_sentence


@dataclass(frozen=True)
class Place:
    """A step of an older version where people stand. `target` is where they go on if nobody says otherwise."""

    step_id: str
    sentence: str
    people: int
    waiting: int  # running and held
    failed: int
    version_numbers: list[int] = field(default_factory=list)
    target: str | None = None

    @property
    def is_settled(self) -> bool:
        return self.target is not None


def places(automation: Automation, version: AutomationVersion) -> list[Place]:
    """Every step that holds people who are not on this version, in the order of the youngest version that has it."""
    older = [one for one in inside(automation) if one.version_id != version.pk and one.people]
    known = workflows.prepare(version).ways.following
    documents = automation.versions.in_bulk([one.version_id for one in older])
    sentences: dict[str, str] = {}
    for one in older:
        for step_id, step in workflows.prepare(documents[one.version_id]).steps.items():
            sentences.setdefault(step_id, step_sentence(step))
    order = [*sentences, *sorted({step_id for one in older for step_id in one.steps} - sentences.keys())]
    return [
        _place(step_id, sentences.get(step_id, step_id), older, step_id if step_id in known else None)
        for step_id in order
        if step_id and any(one.at(step_id) for one in older)
    ]


def _place(step_id: str, sentence: str, older: list[Inside], target: str | None) -> Place:
    failed = sum(one.steps.get(step_id, {}).get("failed", 0) for one in older)
    people = sum(one.at(step_id) for one in older)
    numbers = sorted(one.number for one in older if one.at(step_id))
    return Place(step_id, sentence, people, people - failed, failed, numbers, target)
