"""Split contacts by chance, each for ever the same way.

Weighted rendezvous hashing (Schindelhauer & Schomaker 2005): every way draws a number for the contact from the hash
of workflow, step, contact and its name, and the greatest of -weight / ln(draw) wins. A visit again and a new version
find the same way, and another weight moves only as many contacts as it must.
"""

from __future__ import annotations

from hashlib import blake2b
from math import log
from typing import Annotated

import msgspec

from automations.configuration import Wrong, says
from automations.models import StepOutcome
from automations.steps import ways
from automations.steps.base import Group, Result, Results, StepKind
from automations.words import quoted

MOST_WEIGHT = 1_000_000


EXAMPLE = [{"name": "A", "weight": 50}, {"name": "B", "weight": 50}]


class Way(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: Annotated[str, says("Name")]
    weight: Annotated[float, says("Weight", "Against the others, such as 50 and 50.", minimum=0)] = 1


class Configuration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Shares follow from the weights together; a weight of 0 closes a way."""

    ways: Annotated[
        list[Way],
        says(
            "Ways",
            "Renaming a way draws anew.",
            examples=[EXAMPLE],
        ),
    ]


def check(configuration: Configuration, wrong: Wrong) -> None:
    ways.check(configuration.ways, wrong, least=2)
    for index, way in enumerate(configuration.ways[: ways.MOST]):
        if not 0 <= way.weight <= MOST_WEIGHT:
            wrong(f"ways[{index}].weight", f"must be from 0 to {MOST_WEIGHT:,}")
    if configuration.ways and not any(way.weight > 0 for way in configuration.ways):
        wrong("ways", "give one of the ways a weight")


def execute(configuration: Configuration, group: Group) -> Results:
    """No statement at all: the way follows from the contact."""
    place = f"{group.automation_id}:{group.step_id}"
    results = {way.name: _into(way.name) for way in configuration.ways}
    return {run.id: results[draw(configuration.ways, place, run.contact_id)] for run in group.runs}


def draw(among: list[Way], place: str, contact_id: int) -> str:
    """The name of the way that a contact goes at a place."""
    open_ways = [way for way in among if way.weight > 0]
    return max(open_ways, key=lambda way: -way.weight / log(_share(f"{place}:{contact_id}:{way.name}"))).name


def _share(text: str) -> float:
    """A number between 0 and 1, neither included."""
    number = int.from_bytes(blake2b(text.encode(), digest_size=6).digest(), "big")
    return (number + 0.5) / 2**48


def _into(branch: str) -> Result:
    return Result(StepOutcome.BRANCHED, {"branch": branch}, branch=branch)


def sentence(configuration: Configuration) -> str:
    total = sum(way.weight for way in configuration.ways) or 1
    shares = ", ".join(f"{way.weight / total:.0%} {quoted(way.name)}" for way in configuration.ways)
    return f"By chance: {shares}"


STEP = StepKind(
    "Random split",
    "Sends each contact down a way by chance, and always down the same one.",
    Configuration,
    execute,
    sentence,
    check,
    group="Ways",
    branches_of=lambda configuration: ways.names(configuration.ways),
    branches_from="ways",
)
