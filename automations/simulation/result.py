"""A simulation as JSON: what is stored, shown on the page and on the canvas, and handed out by the API."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from automations.domain import tree
from automations.domain.tree import Step
from automations.selectors import step_sentence, trigger_sentence
from automations.simulation.admitting import Gate
from automations.simulation.candidates import Candidates
from automations.simulation.flow import Flow
from automations.simulation.messages import MessageTally
from automations.simulation.tally import StepTally, Tally, shown
from common import money
from common.later import later

if TYPE_CHECKING:
    import numpy as np
else:
    np = later("numpy")

FORMAT = 1


def assemble(
    flow: Flow,
    heard: Candidates,
    tally: Tally,
    post: MessageTally,
    gate: Gate,
    since: datetime,
    until: datetime,
    seconds: float,
    notes: list[str],
) -> dict[str, Any]:
    """`{"entries", "people", "per_day", "steps": {id: …}, "outcomes", "goal", "messages", "notes", "seconds", …}`."""
    trigger = flow.document["trigger"]
    return {
        "format": FORMAT,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "trigger": trigger_sentence(trigger["type"], trigger["configuration"]),
        "heard": len(heard),
        "late": heard.late_count,
        "entries": tally.entries,
        "people": tally.contacts,
        "not_entered": {name: count for name, count in sorted(gate.refused.items()) if count},
        "outcomes": {name: count for name, count in tally.outcomes.items() if count},
        "goal": _goal(tally),
        "per_day": _per_day(tally, post),
        "steps": {step.id: _step(step, tally, post, tally.entries) for step in tree.walk(flow.steps)},
        "messages": _messages(post),
        "notes": notes,
        "seconds": round(seconds, 2),
    }


def _goal(tally: Tally) -> dict[str, Any]:
    taken = np.concatenate(tally.goal_micros) if tally.goal_micros else np.zeros(0)
    return {
        "at_entry": tally.goal_at_entry,
        "inside": len(taken) - tally.goal_at_entry,
        "median_seconds": round(float(np.median(taken)) / 1e6) if len(taken) else None,
    }


def _per_day(tally: Tally, post: MessageTally) -> list[dict[str, Any]]:
    entries = tally.entries_per_day if tally.entries_per_day is not None else np.zeros(len(tally.days.days), int)
    went = {
        str(channel): tally.days.counts(np.array(moments, dtype=np.int64))
        for channel, moments in sorted(post.went_per_day.items())
    }
    return [
        {
            "day": day.isoformat(),
            "entries": int(entries[place]),
            "messages": {channel: int(counts[place]) for channel, counts in went.items()},
        }
        for place, day in enumerate(tally.days.days)
    ]


def _step(step: Step, tally: Tally, post: MessageTally, entries: int) -> dict[str, Any]:
    told = tally.steps.get(step.id, StepTally())
    return {
        "type": step.type,
        "sentence": step_sentence(step),
        "path": step.path,
        "is_active": step.is_active,
        "reached": told.reached,
        "passed": told.passed,
        "inside": told.inside,
        "ways": dict(sorted(told.ways.items())),
        "share": round(told.reached / entries, 4) if entries else 0,
        "goal_before": told.goal_before,
        "exit_before": told.exit_before,
        "goal_later": told.goal_later,
        "mean_wait_seconds": round(told.waited_micros / told.waited_count / 1e6) if told.waited_count else 0,
        "messages": dict(sorted(post.by_step.get(step.id, {}).items())),
        "sample": shown(told.sample),
        "sample_of": {name: shown(sample) for name, sample in sorted(told.sample_of.items())},
    }


def _messages(post: MessageTally) -> dict[str, Any]:
    return {
        "planned": post.planned,
        "went": sum(post.went_by_channel.values()),
        "planned_by_channel": {str(name): count for name, count in sorted(post.planned_by_channel.items())},
        "went_by_channel": {str(name): count for name, count in sorted(post.went_by_channel.items())},
        "held_back": [{"reason": reason, "count": count} for reason, count in post.reasons.most_common()],
        "quiet": post.was_quiet,
        "waited_for_room": post.waited_for_room,
    }


def cost_shown(found: Mapping[str, Any] | None) -> str | None:
    """What all messages would have cost, in words; None without any price."""
    cost = (found or {}).get("cost") or {}
    return money.show(cost["total_minor"], cost["currency"]) if cost.get("total_minor") is not None else None


def step_cost(found: Mapping[str, Any], step_id: str) -> str:
    """The same of one step; empty where it writes nothing or nobody knows the price."""
    cost = found.get("cost") or {}
    minor = cost.get("steps", {}).get(step_id)
    return money.show(minor, cost["currency"]) if minor is not None else ""


def step_counts(found: dict[str, Any], links: dict[str, str] | None = None) -> dict[str, Any]:
    """The counts that the canvas writes beside its steps: `{"steps": {id: {"now", "passed", "simulated", …}}}`."""
    return {
        "steps": {
            step_id: {
                "simulated": step["reached"],
                "now": step["inside"],
                "passed": step["passed"],
                "failed": 0,
                "conversion": round(step["goal_later"] / step["reached"], 4) if step["reached"] else 0,
                "ways": step["ways"],
                "messages": step["messages"],
                "cost": step_cost(found, step_id),
                "href": (links or {}).get(step_id, ""),
            }
            for step_id, step in found["steps"].items()
        }
    }
