"""Replays real events of the past against a workflow, in sets, and writes nothing.

Contacts do not meet, so they are taken in blocks: memory depends on the size of a block, not on how many there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from accounts.models import Organization
from automations.simulation import asking, costs, notes, result, sources
from automations.simulation.admitting import Gate, Wave, waves
from automations.simulation.candidates import Candidates
from automations.simulation.flow import Flow
from automations.simulation.judges import judge
from automations.simulation.messages import MessageTally, Post
from automations.simulation.tally import Days, Tally
from automations.simulation.walker import Travellers, Walk
from common import tenancy
from common.later import later
from common.moments import NEVER, micros, moment
from segments.past import Past

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
else:
    np = later("numpy")

BLOCK = 100_000  # candidates walked together
Told = Callable[[int, int], None]


def nobody_listens(done: int, whole: int) -> None:
    """For those who do not want to know how far it is."""


def replay(flow: Flow, since: datetime, until: datetime, told: Told = nobody_listens) -> dict[str, Any]:
    """What the workflow would have done from `since` until `until`, as `result.assemble` shapes it.

    As if it had been switched on at `since` with nobody inside. `told(done, whole)` hears of candidates. Raises
    `candidates.Unreplayable` when the past of its trigger is not kept.
    """
    started = time.perf_counter()
    heard = sources.candidates(flow, since, until)
    days = Days(since, until, ZoneInfo(Organization.objects.get(pk=tenancy.required()).timezone))
    tally, post = Tally(days), MessageTally(days)
    gate, judged = Gate(flow), Post(flow, since, until, post)
    done = 0
    for block in _blocks(heard):
        found = turns(flow, block, until, gate)
        for wave in found:
            tally.add(wave)
        tally.contacts += _people(found)
        judged.judge(found)
        done += len(block)
        told(done, len(heard))
    seconds = time.perf_counter() - started
    told_notes = notes.about(flow, heard, judged.templates)
    cost = costs.told(post, judged.templates)
    return result.assemble(flow, heard, tally, post, gate, since, until, seconds, told_notes) | {"cost": cost}


def turns(flow: Flow, heard: Candidates, until: datetime, gate: Gate) -> list[Wave]:
    """Everybody's turns in the workflow, of whom these candidates are; what is refused is counted at the gate."""
    if not len(heard):
        return []
    past = Past(np.unique(heard.contact).tolist(), moment(heard.at.min()))
    living = heard.part(np.isin(heard.contact, past.contacts))
    return list(waves(flow, living, past, lambda travellers: _walk(flow, travellers, micros(until), past), gate))


def _blocks(heard: Candidates) -> Iterator[Candidates]:
    """Parts of about BLOCK candidates; no contact stands in two."""
    start = 0
    while start < len(heard):
        end = min(start + BLOCK, len(heard))
        if end < len(heard):
            end = int(np.searchsorted(heard.contact, heard.contact[end - 1], side="right"))
        yield heard.part(slice(start, end))
        start = end


def _walk(flow: Flow, travellers: Travellers, until: int, past: Past) -> Walk:
    goal_at, exit_at = (_reached(rule, travellers, until, past) for rule in (flow.goal, flow.exit))
    walk = Walk(flow, travellers, until, past, judge, goal_at, exit_at)
    walk.run()
    return walk


def _reached(rule: Any, travellers: Travellers, until: int, past: Past) -> NDArray[np.int64]:
    """When each first meets a rule once inside; NEVER without one."""
    if rule is None:
        return np.full(len(travellers), NEVER, dtype=np.int64)
    ends = np.full(len(travellers), until, dtype=np.int64)
    return asking.first_truths(past, rule, travellers.contact, travellers.entered_at, ends)


def _people(found: list[Wave]) -> int:
    if not found:
        return 0
    return len(np.unique(np.concatenate([wave.walk.travellers.contact[wave.is_admitted] for wave in found])))
